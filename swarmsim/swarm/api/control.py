"""api/control.proto: what a manager's engine asks for on behalf of a user."""

from __future__ import annotations

from types import NoneType
from typing import NamedTuple, TypeVar

from swarmsim.apitypes.specs import SecretSpec, ServiceSpec
from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import MANAGERS
from swarmsim.swarm.objects import (
    Cluster,
    ClusterSpec,
    Config,
    Network,
    NetworkSpec,
    Node,
    NodeSpec,
    Secret,
    Service,
    Task,
)

Request = TypeVar("Request")
Reply = TypeVar("Reply")


def _method(name: str, request: type[Request], reply: type[Reply]) -> Method[Request, Reply]:
    return Method(f"docker.swarmkit.v1.Control/{name}", request, reply, MANAGERS)


# -- nodes


class ManagerStatus(NamedTuple):
    """What a node is in Raft; shown only for managers."""

    leader: bool
    reachability: str
    addr: str


class NodeView(NamedTuple):
    """A node as the API shows it: SwarmKit fills ``manager_status`` in each answer, and stores none."""

    node: Node
    manager: ManagerStatus | None


class ListNodesRequest(NamedTuple):
    """All nodes; SwarmKit's filters are left to whoever asks."""


class ListNodesResponse(NamedTuple):
    """Oldest first, as all lists here."""

    nodes: list[NodeView]


class UpdateNodeRequest(NamedTuple):
    """``version`` is that of the node the new spec was made from."""

    node_id: str
    version: int
    spec: NodeSpec


class UpdateNodeResponse(NamedTuple):
    """The node as it was stored."""

    node: Node


class RemoveNodeRequest(NamedTuple):
    """``force``: though it is not down."""

    node_id: str
    force: bool


LIST_NODES = _method("ListNodes", ListNodesRequest, ListNodesResponse)
UPDATE_NODE = _method("UpdateNode", UpdateNodeRequest, UpdateNodeResponse)
REMOVE_NODE = _method("RemoveNode", RemoveNodeRequest, NoneType)

# -- services and tasks


class ListServicesRequest(NamedTuple):
    """All services."""


class ListServicesResponse(NamedTuple):
    """All services."""

    services: list[Service]


class ListServiceStatusesRequest(NamedTuple):
    """Ids of services."""

    services: list[str]


class ServiceStatus(NamedTuple):
    """How many tasks of a service run, shall run and, of a job, are done."""

    running: int
    desired: int
    completed: int


class ListServiceStatusesResponse(NamedTuple):
    """One for each service that was asked for, also for one that is gone."""

    statuses: dict[str, ServiceStatus]


class CreateServiceRequest(NamedTuple):
    """A service to be."""

    spec: ServiceSpec


class CreateServiceResponse(NamedTuple):
    """The service as it was stored."""

    service: Service


class UpdateServiceRequest(NamedTuple):
    """``rollback``: to the previous spec, whatever ``spec`` says."""

    service_id: str
    version: int
    spec: ServiceSpec
    rollback: bool = False


class UpdateServiceResponse(NamedTuple):
    """The service as it was stored."""

    service: Service


class RemoveServiceRequest(NamedTuple):
    """The service to remove."""

    service_id: str


class ListTasksRequest(NamedTuple):
    """All tasks, or those made from the present spec of their service (``ListTasksRequest.Filters.up_to_date``)."""

    up_to_date: bool = False


class ListTasksResponse(NamedTuple):
    """What was asked for."""

    tasks: list[Task]


LIST_SERVICES = _method("ListServices", ListServicesRequest, ListServicesResponse)
LIST_SERVICE_STATUSES = _method("ListServiceStatuses", ListServiceStatusesRequest, ListServiceStatusesResponse)
CREATE_SERVICE = _method("CreateService", CreateServiceRequest, CreateServiceResponse)
UPDATE_SERVICE = _method("UpdateService", UpdateServiceRequest, UpdateServiceResponse)
REMOVE_SERVICE = _method("RemoveService", RemoveServiceRequest, NoneType)
LIST_TASKS = _method("ListTasks", ListTasksRequest, ListTasksResponse)

# -- the cluster


class GetClusterRequest(NamedTuple):
    """There is but one."""


class GetClusterResponse(NamedTuple):
    """The cluster."""

    cluster: Cluster


class UpdateClusterRequest(NamedTuple):
    """A new spec, and which join tokens and keys are to be made anew (KeyRotation).

    ``signing_ca_cert`` and its key are the root that is wanted, in PEM; in SwarmKit they are in the spec, where nobody can read them.
    """

    version: int
    spec: ClusterSpec
    rotate_worker_token: bool = False
    rotate_manager_token: bool = False
    rotate_unlock_key: bool = False
    signing_ca_cert: str = ""
    signing_ca_key: str = ""


class UpdateClusterResponse(NamedTuple):
    """The cluster as it was stored."""

    cluster: Cluster


GET_CLUSTER = _method("GetCluster", GetClusterRequest, GetClusterResponse)
UPDATE_CLUSTER = _method("UpdateCluster", UpdateClusterRequest, UpdateClusterResponse)

# -- secrets and configs: SwarmKit's messages for the two differ in nothing but their names


class ListSecretsRequest(NamedTuple):
    """All secrets, or all configs."""


class ListSecretsResponse(NamedTuple):
    """All of one kind."""

    secrets: list[Secret | Config]


class CreateSecretRequest(NamedTuple):
    """A secret or config to be."""

    spec: SecretSpec


class CreateSecretResponse(NamedTuple):
    """As it was stored."""

    secret: Secret | Config


class UpdateSecretRequest(NamedTuple):
    """Only labels may change."""

    secret_id: str
    version: int
    spec: SecretSpec


class RemoveSecretRequest(NamedTuple):
    """The secret or config to remove."""

    secret_id: str


LIST_SECRETS = _method("ListSecrets", ListSecretsRequest, ListSecretsResponse)
CREATE_SECRET = _method("CreateSecret", CreateSecretRequest, CreateSecretResponse)
UPDATE_SECRET = _method("UpdateSecret", UpdateSecretRequest, NoneType)
REMOVE_SECRET = _method("RemoveSecret", RemoveSecretRequest, NoneType)
LIST_CONFIGS = _method("ListConfigs", ListSecretsRequest, ListSecretsResponse)
CREATE_CONFIG = _method("CreateConfig", CreateSecretRequest, CreateSecretResponse)
UPDATE_CONFIG = _method("UpdateConfig", UpdateSecretRequest, NoneType)
REMOVE_CONFIG = _method("RemoveConfig", RemoveSecretRequest, NoneType)

# -- networks


class ListNetworksRequest(NamedTuple):
    """All networks of the swarm."""


class ListNetworksResponse(NamedTuple):
    """All networks of the swarm."""

    networks: list[Network]


class CreateNetworkRequest(NamedTuple):
    """A network to be."""

    spec: NetworkSpec


class CreateNetworkResponse(NamedTuple):
    """The network as it was stored."""

    network: Network


class RemoveNetworkRequest(NamedTuple):
    """The network to remove."""

    network_id: str


LIST_NETWORKS = _method("ListNetworks", ListNetworksRequest, ListNetworksResponse)
CREATE_NETWORK = _method("CreateNetwork", CreateNetworkRequest, CreateNetworkResponse)
REMOVE_NETWORK = _method("RemoveNetwork", RemoveNetworkRequest, NoneType)
