"""Small objects for tests: nodes, services, tasks with what matters named."""

from __future__ import annotations

from swarmsim.apitypes.specs import (
    ContainerSpec,
    DNSConfig,
    Mode,
    Placement,
    PortConfig,
    Quantities,
    Replicated,
    Resources,
    RestartPolicy,
    ServiceSpec,
    TaskSpec,
)
from swarmsim.swarm.objects import (
    Availability,
    Node,
    NodeDescription,
    NodeSpec,
    NodeState,
    NodeStatus,
    Role,
    Service,
    Task,
    TaskStatus,
)
from swarmsim.swarm.states import TaskState


def node(
    name: str,
    *,
    state: NodeState = NodeState.READY,
    availability: Availability = Availability.ACTIVE,
    labels: dict[str, str] | None = None,
    cpus: float = 4,
    memory: int = 8 << 30,
    role: Role = Role.WORKER,
    addr: str = "10.0.0.1",
) -> Node:
    return Node(
        id=f"id-{name}",
        spec=NodeSpec(labels or {}, role, availability),
        role=role,
        description=NodeDescription(name, round(cpus * 1e9), memory, "20.10.24", engine_labels={"disk": "ssd"}),
        status=NodeStatus(state, "", addr),
    )


def task_spec(
    *,
    constraints: list[str] | None = None,
    cpus: float = 0,
    memory: int = 0,
    max_replicas: int = 0,
    restart: RestartPolicy | None = None,
    image: str = "mini:1",
) -> TaskSpec:
    return TaskSpec(
        container=ContainerSpec(image=image, args=["sleep", "1000"], dns=DNSConfig(), isolation="default"),
        resources=Resources(reservations=Quantities(nano_cpus=round(cpus * 1e9), memory_bytes=memory)),
        restart=restart,
        placement=Placement(constraints=constraints, max_replicas=max_replicas),
        force_update=0,
        runtime="container",
    )


def service(name: str = "web", replicas: int = 1, spec: TaskSpec | None = None, version: int = 0) -> Service:
    return Service(
        id=f"svc-{name}",
        spec=ServiceSpec(
            name=name, labels={}, task=spec or task_spec(), mode=Mode(replicated=Replicated(replicas=replicas))
        ),
        spec_version=version,
    )


def task(
    id: str,
    *,
    of: str = "web",
    slot: int = 1,
    on: str = "",
    state: TaskState = TaskState.RUNNING,
    desired: TaskState = TaskState.RUNNING,
    spec: TaskSpec | None = None,
    ports: tuple[PortConfig, ...] = (),
    version: int = 0,
    at: float = 0.0,
) -> Task:
    return Task(
        id=id,
        spec=spec or task_spec(),
        spec_version=version,
        service_id=f"svc-{of}",
        service_name=of,
        slot=slot,
        node_id=f"id-{on}" if on else "",
        status=TaskStatus(state, at),
        desired_state=desired,
        ports=ports,
    )
