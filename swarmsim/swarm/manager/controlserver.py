"""Which method of the control service is answered by what."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from swarmsim.sim.method import Handler, Method, Reply, Request
from swarmsim.swarm.api import control
from swarmsim.swarm.manager.controlapi import ControlAPI
from swarmsim.swarm.manager.controlresources import (
    MAX_CONFIG,
    MAX_SECRET,
    create_network,
    create_secret,
    list_networks,
    list_secrets,
    remove_network,
    remove_secret,
    update_secret,
)
from swarmsim.swarm.objects import Config, Secret


class Serve(Protocol):
    """How a manager is told of one more method it serves."""

    def __call__(self, method: Method[Request, Reply], handler: Handler[Request, Reply]) -> None: ...


def register(serve: Serve, api: ControlAPI) -> None:
    """All of the control service (api/control.pb.go RegisterControlServer)."""
    serve(control.LIST_NODES, api.list_nodes)
    serve(control.UPDATE_NODE, api.update_node)
    serve(control.REMOVE_NODE, api.remove_node)
    serve(control.LIST_SERVICES, api.list_services)
    serve(control.LIST_SERVICE_STATUSES, api.list_service_statuses)
    serve(control.CREATE_SERVICE, api.create_service)
    serve(control.UPDATE_SERVICE, api.update_service)
    serve(control.REMOVE_SERVICE, api.remove_service)
    serve(control.LIST_TASKS, api.list_tasks)
    serve(control.GET_CLUSTER, api.get_cluster)
    serve(control.UPDATE_CLUSTER, api.update_cluster)
    serve(control.LIST_SECRETS, partial(list_secrets, api, Secret))
    serve(control.CREATE_SECRET, partial(create_secret, api, Secret, MAX_SECRET))
    serve(control.UPDATE_SECRET, partial(update_secret, api, Secret))
    serve(control.REMOVE_SECRET, partial(remove_secret, api, Secret))
    serve(control.LIST_CONFIGS, partial(list_secrets, api, Config))
    serve(control.CREATE_CONFIG, partial(create_secret, api, Config, MAX_CONFIG))
    serve(control.UPDATE_CONFIG, partial(update_secret, api, Config))
    serve(control.REMOVE_CONFIG, partial(remove_secret, api, Config))
    serve(control.LIST_NETWORKS, partial(list_networks, api))
    serve(control.CREATE_NETWORK, partial(create_network, api))
    serve(control.REMOVE_NETWORK, partial(remove_network, api))
