"""The allocator (manager/allocator/): gives services their published ports and lets new tasks go on.

A task is NEW until what it needs of the network is allocated, then PENDING. Published ports without a
number come from 30000..32767 (allocator/portallocator.go). Addresses and virtual IPs come with the
network room.
"""

from __future__ import annotations

from functools import partial

from swarmsim.sim.scope import Activity, Scope
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.objects import Service, Task, TaskStatus
from swarmsim.swarm.specs import PortConfig, replace
from swarmsim.swarm.states import PENDING_MESSAGE, TaskState
from swarmsim.swarm.store import Change, MemoryStore, Transaction

DYNAMIC_PORT_START, DYNAMIC_PORT_END = 30000, 32767


def ports_in_use(store: MemoryStore, except_service: str) -> set[tuple[str, int]]:
    """(protocol, published port) of every ingress port of other services."""
    return {
        (port.protocol, port.published_port)
        for service in store.table(Service).values()
        if service.id != except_service
        for port in service.ports
        if port.publish_mode == "ingress"
    }


def allocate_ports(
    wanted: list[PortConfig], used: set[tuple[str, int]], old: tuple[PortConfig, ...]
) -> tuple[PortConfig, ...]:
    """Give every ingress port without a number one: its old one if it had one, else the lowest free."""
    used = set(used)
    result = []
    for port in wanted:
        if port.published_port == 0 and port.publish_mode == "ingress":
            kept = next(
                (o.published_port for o in old if (o.target_port, o.protocol) == (port.target_port, port.protocol)), 0
            )
            number = kept or next(
                n for n in range(DYNAMIC_PORT_START, DYNAMIC_PORT_END + 1) if (port.protocol, n) not in used
            )
            port = replace(port, published_port=number)
        used.add((port.protocol, port.published_port))
        result.append(port)
    return tuple(result)


class Allocator:
    def __init__(self, scope: Scope, store: MemoryStore) -> None:
        self.scope = scope
        self.store = store
        services = list(store.table(Service))
        tasks = [task.id for task in store.table(Task).values() if task.status.state is TaskState.NEW]
        CommitLoop(scope, store, self._on_commit, self._allocate(services, tasks))

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity | None:
        services, tasks = [], []
        for action, obj, _ in changes:
            if action == "delete":
                continue
            if type(obj) is Task:
                if obj.status.state is TaskState.NEW:
                    tasks.append(obj.id)
            elif type(obj) is Service and self._needs_ports(obj):
                services.append(obj.id)
        return self._allocate(services, tasks) if services or tasks else None

    def _needs_ports(self, service: Service) -> bool:
        wanted = service.spec.endpoint.ports if service.spec.endpoint else None
        return [(p.target_port, p.protocol, p.publish_mode) for p in wanted or ()] != [
            (p.target_port, p.protocol, p.publish_mode) for p in service.ports
        ] or any(
            p.published_port and p.published_port != q.published_port
            for p, q in zip(wanted or (), service.ports, strict=False)
        )

    def _allocate(self, services: list[str], tasks: list[str]) -> Activity:
        steps = [partial(self._allocate_service, id) for id in services]
        steps += [partial(self._allocate_task, id) for id in tasks]
        if steps:
            yield self.store.batch(steps)

    def _allocate_service(self, id: str, tx: Transaction) -> None:
        service = tx.get(Service, id)
        if service is None or not self._needs_ports(service):
            return
        wanted = (service.spec.endpoint.ports if service.spec.endpoint else None) or []
        ports = allocate_ports(wanted, ports_in_use(self.store, id), service.ports)
        tx.update(replace(service, ports=ports))

    def _allocate_task(self, id: str, tx: Transaction) -> None:
        task = tx.get(Task, id)
        if task is None or task.status.state is not TaskState.NEW:
            return
        service = tx.get(Service, task.service_id)
        status = TaskStatus(TaskState.PENDING, self.scope.clock.now, PENDING_MESSAGE)
        ports = service.ports if service else task.ports
        tx.update(replace(task, status=status, ports=ports))
