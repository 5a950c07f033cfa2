"""The picture of a cluster that rows of a trace add up to.

A :class:`ClusterState` is what is known at one moment. It grows by :meth:`ClusterState.apply`, one row after the other, by the
table :data:`APPLY`; rows of kinds that are not in it change nothing. Values are never changed in place, so a copy
is a copy of a few dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from swarmsim.trace import rows
from swarmsim.trace.rows import Row
from swarmsim.trace.trust import TRUST, Trust

TERMINAL = frozenset(("complete", "shutdown", "failed", "rejected", "remove", "orphaned"))
"""Observed states a task never leaves (swarm/states.py)."""
STARTING = frozenset(("assigned", "accepted", "preparing", "ready", "starting"))
UPDATING = frozenset(("updating", "rollback_started"))
"""States of a service's update that change tasks."""
WAITING = frozenset(("new", "pending"))
LEAVING = frozenset(("shutdown", "remove"))


class Host(msgspec.Struct, frozen=True):
    """A machine. Of a recorded real cluster only the name and the role are known."""

    name: str
    role: str = "worker"
    site: str | None = None
    address: str = ""
    cpus: float = 0.0
    memory: int = 0
    power: bool = True
    engine: bool = True
    locked: bool = False
    """Whether its manager waits for the unlock key."""


class Member(msgspec.Struct, frozen=True):
    """What is known of a manager's Raft member. ``due`` is when it will stand for election, in seconds."""

    role: str = "follower"
    term: int = 0
    leader: str | None = None
    log: int = 0
    commit: int = 0
    vote: str | None = None
    vote_term: int = 0
    due: float | None = None
    unreachable: tuple[str, ...] = ()


class Service(msgspec.Struct, frozen=True):
    """``replicas`` is ``None`` where it is not known: of a global service, and in recorded runs."""

    name: str
    mode: str = "replicated"
    replicas: int | None = None
    image: str = ""
    update: str | None = None
    update_message: str | None = None
    stack: str = ""
    ports: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


class Links(msgspec.Struct, frozen=True):
    """What of the links between hosts is not as usual."""

    cuts: tuple[tuple[str, str], ...] = ()
    isolated: tuple[tuple[str, ...], ...] = ()
    slow: tuple[str, ...] = ()
    lossy: tuple[tuple[str, float], ...] = ()
    closed: tuple[tuple[str, str], ...] = ()
    """Hosts, and ports that their firewalls close."""
    mtu: tuple[tuple[str, int], ...] = ()

    def cut_off(self, host: str) -> bool:
        """Whether a host is in a group that is cut off, or cut from another host."""
        return any(host in pair for pair in self.cuts) or any(host in group for group in self.isolated)

    @property
    def usual(self) -> bool:
        return self == Links()


class Message(msgspec.Struct, frozen=True):
    """A Raft message on its way, or just arrived."""

    src: str
    dst: str
    type: str
    term: int
    sent: float
    arrived: float | None = None


MESSAGES_KEPT = 12
BELIEFS = ("alive", "suspect", "dead", "left")
"""What an engine may think of another, from the best on."""
CONTAINER_ROWS = frozenset(("container.started", "container.ended"))
MOVES = frozenset(("task", "task_gone", "service", "service_gone", *CONTAINER_ROWS))
"""Rows after which a cluster is not settled."""


class ClusterState:
    """What rows have told so far. ``t`` is the time of the last one, in seconds since the run began."""

    __slots__ = (
        "_removed",
        "alive",
        "answering",
        "balanced",
        "begin",
        "believed_by",
        "containers",
        "hosts",
        "links",
        "lost",
        "members",
        "messages",
        "moved",
        "nodes",
        "overlays",
        "quorum",
        "reasons",
        "requests",
        "services",
        "t",
        "tasks",
        "trust",
        "up",
    )

    def __init__(self) -> None:
        self.t = 0.0
        self.begin: float | None = None
        self.hosts: dict[str, Host] = {}
        self.nodes: dict[str, Row] = {}
        """The newest row of every node entry, by its id (by its name in recorded runs)."""
        self.tasks: dict[str, Row] = {}
        """The newest row of every task that a manager lists, in the order they were first seen."""
        self.up: dict[str, int] = {}
        """How many tasks of each service run and shall run."""
        self.services: dict[str, Service] = {}
        self._removed: dict[str, None] = {}
        """Services that are gone: tasks that are left of one do not bring it back."""
        self.containers: dict[str, int] = {}
        """How many containers run on each host; simulated runs only."""
        self.alive: dict[str, int] = {}
        """How many containers of each service run, seen by a manager or not; simulated runs only."""
        self.lost: dict[str, None] = {}
        """Tasks whose container has ended while managers still show them as they were before; simulated runs only."""
        self.moved = 0.0
        """When a service, a task or a container last changed, in seconds."""
        self.members: dict[str, Member] = {}
        self.links = Links()
        self.quorum: Row | None = None
        self.answering = True
        self.reasons: dict[str, str] = {}
        """Why the scheduler put a task where it is, by its id."""
        self.messages: tuple[Message, ...] = ()
        self.requests: dict[str, dict[str, int]] = {}
        """How many requests of each traffic have ended how."""
        self.overlays: dict[str, dict[str, str]] = {}
        """By host: its own addresses on the overlay networks it is on, by the network's name."""
        self.balanced: dict[str, dict[tuple[str, str], Row]] = {}
        """By host: where its load balancers send requests, by network and address."""
        self.believed_by: dict[str, dict[tuple[str, str], str]] = {}
        """By host: what its engine thinks of others in the gossip, by their host and name there."""
        self.trust = Trust()
        """Certificates, roots, and who trusts which."""

    def copy(self) -> ClusterState:
        new = ClusterState.__new__(ClusterState)
        for name in ClusterState.__slots__:
            value = getattr(self, name)
            setattr(new, name, value.copy() if isinstance(value, dict) and name != "quorum" else value)
        return new

    def apply(self, row: Row) -> None:
        """Take one more row into account."""
        self.t = row["t"]
        change = APPLY.get(row["kind"])
        if change is not None:
            change(self, row)
            if row["kind"] in MOVES:
                self.moved = self.t

    # -- questions

    def node_of(self, host: str) -> Row | None:
        """The node entry of a host: the newest, if it joined more than once."""
        return self.nodes_by_host().get(host)

    def nodes_by_host(self) -> dict[str, Row]:
        """The newest node entry of every host."""
        return {row["node"]: row for row in self.nodes.values()}

    def believes(self, host: str, peer: str) -> str | None:
        """What one engine thinks of another in the gossip: ``alive``, ``suspect``, ``dead``, ``left``; ``None``: has not heard of it, or
        is not in the gossip. An engine that was started anew has another name: one that is alive is what counts."""
        states = [state for (of, _), state in self.believed_by.get(host, {}).items() if of == peer]
        return min(states, key=BELIEFS.index, default=None)

    def task_at(self, host: str, address: str) -> Row | None:
        """Whose address it is, by a host's load balancers: the ``ipvs`` row."""
        return next((row for (_, at), row in self.balanced.get(host, {}).items() if at == address), None)

    @property
    def leader(self) -> str | None:
        """Who leads: in simulated runs the truth, in recorded ones what a manager said last."""
        if self.quorum is not None:
            leader: str | None = self.quorum["leader"]
            return leader
        return self.leader_shown

    @property
    def leader_shown(self) -> str | None:
        """Who leads, as a manager shows it; ``None`` if none answers."""
        return next((row["node"] for row in self.nodes.values() if row["leader"]), None) if self.answering else None

    def tasks_by_host(self) -> dict[str, list[Row]]:
        """Tasks that are not over yet, by the host they are on."""
        found: dict[str, list[Row]] = {}
        for row in self.tasks.values():
            node = row["node"]
            if node is not None and row["state"] not in TERMINAL:
                found.setdefault(node, []).append(row)
        return found

    def running(self, service: str) -> int:
        """How many tasks of a service run and shall run."""
        return self.up.get(service, 0)

    def wanted(self, service: str) -> int:
        """How many tasks a service should have. Where that was not told, as many as shall run by the tasks there are."""
        known = self.services.get(service)
        if known is not None and known.replicas is not None:
            return known.replicas
        tasks = [row for row in self.tasks.values() if row["service"] == service]
        return len({slot(row) for row in tasks if row["desired"] not in LEAVING})

    def believed(self, service: str | None = None) -> str:
        """How what managers show of a service, or of all, differs from what runs: ``8 shown, 2 alive``; empty if it does not."""
        rows = (self.tasks[task] for task in self.lost)
        lost = sum(1 for row in rows if is_up(row) and service in (None, row["service"]))
        shown = sum(self.up.values()) if service is None else self.running(service)
        return f"{shown} shown, {shown - lost} alive" if lost else ""

    def balance(self) -> tuple[int, int]:
        """Running and wanted tasks of all services together."""
        wanted = sum(known.replicas for known in self.services.values() if known.replicas is not None)
        untold = [name for name, known in self.services.items() if known.replicas is None]
        return sum(self.up.values()), wanted + sum(self.wanted(name) for name in untold)

    @property
    def counting(self) -> bool:
        """Whether an election is counted down to."""
        return any(member.due is not None for member in self.members.values())

    def managers(self) -> list[str]:
        """Hosts that are managers, or were meant to be before there was a swarm."""
        managers = [row["node"] for row in self.nodes.values() if row["role"] == "manager"]
        return list(dict.fromkeys(managers)) or [host.name for host in self.hosts.values() if host.role == "manager"]

    def managers_up(self) -> list[str]:
        """Managers whose host has power and whose engine runs."""
        known = ((name, self.hosts.get(name)) for name in self.managers())
        return [name for name, host in known if host is not None and host.power and host.engine]

    # -- changes

    def _host(self, row: rows.Host) -> None:
        self.hosts[row["host"]] = Host(
            row["host"], row["role"], row["site"], row["address"], row["cpus"], row["memory"]
        )

    def _change_host(self, name: str, **changes: Any) -> None:
        known = self.hosts.get(name)
        if known is not None:
            self.hosts[name] = msgspec.structs.replace(known, **changes)

    def _power(self, row: rows.Power) -> None:
        self._change_host(row["host"], power=row["on"])
        for table in (self.overlays, self.balanced, self.believed_by):
            table.pop(row["host"], None)

    def _engine_ended(self, row: rows.EngineEnded) -> None:
        """What the kernel has stays; what its engine thought of others does not."""
        self._change_host(row["host"], engine=False, locked=False)
        self.believed_by.pop(row["host"], None)

    def _overlay(self, row: rows.Overlay) -> None:
        host, network = row["host"], row["network"]
        here = {name: address for name, address in self.overlays.get(host, {}).items() if name != network}
        if row["address"] is not None:
            here[network] = row["address"]
        else:
            table = self.balanced.get(host, {})
            self.balanced[host] = {at: told for at, told in table.items() if at[0] != network}
        self.overlays[host] = here

    def _ipvs(self, row: Row) -> None:
        host, at = row["host"], (row["network"], row["address"])
        table = self.balanced.get(host, {})
        if row["weight"] is None:
            self.balanced[host] = {place: told for place, told in table.items() if place != at}
        else:
            self.balanced[host] = {**table, at: row}

    def _requests(self, row: Row, number: int) -> None:
        known = self.requests.get(row["traffic"], {})
        self.requests[row["traffic"]] = {**known, row["out"]: known.get(row["out"], 0) + number}

    def _gossip_member(self, row: rows.GossipMember) -> None:
        known = self.believed_by.get(row["host"], {})
        self.believed_by[row["host"]] = {**known, (row["peer"], row["name"]): row["state"]}

    def _node(self, row: Row) -> None:
        self.nodes[row["id"]] = row
        if row["node"] not in self.hosts:
            self.hosts[row["node"]] = Host(row["node"], row["role"])

    def _count(self, row: Row | None, change: int) -> None:
        if row is not None and is_up(row):
            self.up[row["service"]] = self.up.get(row["service"], 0) + change

    def _task(self, row: Row) -> None:
        self._count(self.tasks.get(row["task"]), -1)
        self._count(row, 1)
        self.tasks[row["task"]] = row
        if row["state"] in TERMINAL:
            self.lost.pop(row["task"], None)
        if row["service"] not in self.services and row["service"] not in self._removed:
            self.services[row["service"]] = Service(row["service"])

    def _task_gone(self, row: rows.TaskGone) -> None:
        self._count(self.tasks.pop(row["task"], None), -1)
        self.reasons.pop(row["task"], None)
        self.lost.pop(row["task"], None)

    def _service_gone(self, row: rows.ServiceGone) -> None:
        self.services.pop(row["service"], None)
        self._removed[row["service"]] = None

    def _container(self, row: rows.ContainerStarted | rows.ContainerEnded, change: int) -> None:
        self.containers[row["host"]] = self.containers.get(row["host"], 0) + change
        service = row["service"]
        if service is not None:
            self.alive[service] = self.alive.get(service, 0) + change
        task = row["task"]
        if change < 0 and task in self.tasks and self.tasks[task]["state"] not in TERMINAL:
            self.lost[task] = None
        elif task is not None:
            self.lost.pop(task, None)

    def _service(self, row: rows.Service) -> None:
        self._removed.pop(row["service"], None)
        known = self.services.get(row["service"], Service(row["service"]))
        recorded = {"mode": row["mode"], "replicas": row["replicas"], "image": row["image"]}
        told = {name: value for name, value in recorded.items() if value is not None}
        self.services[row["service"]] = msgspec.structs.replace(
            known,
            update=row["update"],
            update_message=row["umsg"],
            stack=row.get("stack", ""),
            ports=tuple(row.get("ports", ())),
            networks=tuple(row.get("networks", ())),
            volumes=tuple(row.get("volumes", ())),
            **told,
        )

    def _member(self, host: str, **changes: Any) -> None:
        self.members[host] = msgspec.structs.replace(self.members.get(host, Member()), **changes)

    def _raft_role(self, row: rows.RaftRoleChange) -> None:
        told = {
            "role": row["role"],
            "term": row["term"],
            "leader": row["leader"],
            "log": row["log"],
            "commit": row["commit"],
        }
        self._member(row["host"], **told, **({"due": None} if row["role"] == "leader" else {}))

    def _raft_peer(self, row: rows.RaftPeer) -> None:
        known = self.members.get(row["host"], Member()).unreachable
        others = tuple(peer for peer in known if peer != row["peer"])
        self._member(row["host"], unreachable=others if row["active"] else (*others, row["peer"]))

    def _links(self, row: rows.Links) -> None:
        self.links = Links(
            tuple((a, b) for a, b in row["cuts"]),
            tuple(tuple(group) for group in row["isolated"]),
            tuple(row["slow"]),
            tuple(row["lossy"].items()),
            tuple((host, port) for host, port in row.get("closed", ())),
            tuple(row.get("mtu", {}).items()),
        )

    def _sent(self, row: rows.RaftSent) -> None:
        message = Message(row["host"], row["to"], row["type"], row["term"], self.t)
        self.messages = (*self.messages, message)[-MESSAGES_KEPT:]

    def _arrived(self, row: rows.RaftMessage) -> None:
        for place, message in enumerate(self.messages):
            same = (message.src, message.dst, message.type) == (row["src"], row["host"], row["type"])
            if same and message.arrived is None:
                arrived = msgspec.structs.replace(message, arrived=self.t)
                self.messages = (*self.messages[:place], arrived, *self.messages[place + 1 :])
                return

    def _trust(self, row: Row) -> None:
        self.trust = self.trust.after(row)

    def _answers(self, row: Row) -> None:
        self.answering = row["kind"] == "manager_answers"


def is_up(row: Row) -> bool:
    """Whether a task runs and shall run, as managers show it."""
    return row["state"] == "running" and row["desired"] in ("running", "complete")


def slot(row: Row) -> Any:
    """Which task of its service a task is: its slot, or of a global service its node."""
    return row["slot"] or row["node"]


def name(row: Row) -> str:
    """A task as ``service ps`` names it."""
    return f"{row['service']}.{slot(row) or '?'}"


APPLY: dict[str, Callable[[ClusterState, Any], object]] = {
    "begin": lambda state, row: setattr(state, "begin", row["t"]),
    "host": ClusterState._host,
    "power": ClusterState._power,
    "engine.started": lambda state, row: state._change_host(row["host"], engine=True),
    "engine.ended": ClusterState._engine_ended,
    "manager.locked": lambda state, row: state._change_host(row["host"], locked=row["locked"]),
    "links": ClusterState._links,
    "node": ClusterState._node,
    "node_gone": lambda state, row: state.nodes.pop(row["id"], None),
    "task": ClusterState._task,
    "task_gone": ClusterState._task_gone,
    "service": ClusterState._service,
    "service_gone": ClusterState._service_gone,
    "container.started": lambda state, row: state._container(row, 1),
    "container.ended": lambda state, row: state._container(row, -1),
    "request": lambda state, row: state._requests(row, 1),
    "requests": lambda state, row: state._requests(row, row["n"]),
    "overlay": ClusterState._overlay,
    "ipvs": ClusterState._ipvs,
    "gossip.member": ClusterState._gossip_member,
    **dict.fromkeys(TRUST, ClusterState._trust),
    "quorum": lambda state, row: setattr(state, "quorum", row),
    "no_manager_answers": ClusterState._answers,
    "manager_answers": ClusterState._answers,
    "raft.role": ClusterState._raft_role,
    "raft.commit": lambda state, row: state._member(
        row["host"], term=row["term"], log=row["log"], commit=row["commit"]
    ),
    "raft.vote": lambda state, row: state._member(row["host"], vote=row["candidate"], vote_term=row["term"]),
    "raft.countdown": lambda state, row: state._member(row["host"], due=row["due"]),
    "raft.peer": ClusterState._raft_peer,
    "raft.sent": ClusterState._sent,
    "raft.message": ClusterState._arrived,
    "scheduler.assigned": lambda state, row: state.reasons.__setitem__(row["task"], row["reason"]),
}
"""What each kind of row changes."""


def state_of(told: Iterable[Row]) -> ClusterState:
    """The picture after all of some rows.

    >>> state_of([{"t": 1.0, "kind": "quorum", "leader": "m1"}]).leader
    'm1'
    """
    state = ClusterState()
    for row in told:
        state.apply(row)
    return state
