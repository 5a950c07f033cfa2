"""Every kind of row a trace can hold, as a type: its fields, their units, what they mean.

A row is one JSON object: ``t`` (seconds since the run began) and ``kind``, then the kind's own fields, which are the
:class:`~typing.TypedDict` of that kind in one of two tables:

- :data:`OBSERVATIONS`: what one sees from outside; recorded real clusters have the same;
- :data:`INTERNALS`: what only the model can tell.

Who writes a row names its type (``journal.note(RaftVote, host="m1", term=3, candidate="m2")``), so mypy sees a field that is
missing, misspelt or of another type. The tables of docs/trace.md are made from here (``make schema``), and every row that
tests and shipped scenarios write is held against it (:func:`fault_in`). Older and recorded rows that lack a field get it
where they are read (:mod:`swarmsim.trace.recorded`), so nobody else asks whether it is there.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, NotRequired, TypedDict, get_origin, get_type_hints

import msgspec

Row = dict[str, Any]
"""A row as it is read: ``t``, ``kind`` and the fields of its kind."""


class Header(TypedDict):
    """The first row of a simulated run; a recorded one has none."""

    format: Annotated[int, "version of the trace format; readers refuse others"]
    scenario: Annotated[str, "name of the scenario"]
    title: Annotated[str, "its title, one line"]
    about: Annotated[str, "what there is to see in it"]
    hash: Annotated[str, "digest of the scenario file"]
    seed: Annotated[int, "the run's seed; 0 on real hosts"]
    version: Annotated[str, "version of swarmsim"]
    profile: Annotated[str, "profile of the hosts, unless they name their own; of real ones, what they are"]
    hosts: NotRequired[Annotated[dict[str, str], "real hosts only: versions, kernel, storage driver and size of each"]]
    latency: NotRequired[Annotated[float, "real hosts only: milliseconds from one to another, measured before the run"]]


# -- what drives a run


class Begin(TypedDict):
    """The scenario proper begins; what is before builds the cluster."""

    scenario: Annotated[str, "its name"]


class End(TypedDict):
    """The scenario is over."""


class Docker(TypedDict):
    """A docker command has ended."""

    on: Annotated[str, "the host it was typed on"]
    cmd: Annotated[str, "what was typed after `docker`"]
    rc: Annotated[int, "exit code"]
    out: Annotated[str, "standard output, without white space at its ends"]
    err: Annotated[str, "standard error, likewise"]
    s: Annotated[float, "seconds it took"]
    name: NotRequired[Annotated[str, "what the scenario calls the command, if it has a name"]]


class Curl(TypedDict):
    """A curl command has ended."""

    on: Annotated[str, "the host it was typed on; `outside`: on none"]
    cmd: Annotated[str, "what was typed after `curl`"]
    rc: Annotated[int, "exit code"]
    out: Annotated[str, "standard output, without white space at its ends"]
    err: Annotated[str, "standard error, likewise"]
    s: Annotated[float, "seconds it took"]
    name: NotRequired[Annotated[str, "what the scenario calls the command, if it has a name"]]


class Request(TypedDict):
    """A request of a client has ended."""

    traffic: Annotated[str, "what it is part of"]
    src: Annotated[str, "the host it is from; `outside`: none; `cli.2`: that task's container"]
    to: Annotated[str, "the host or name that was asked"]
    port: Annotated[int, "the port"]
    began: Annotated[float, "when it began, in seconds since the run began"]
    ms: Annotated[float, "how long it took, in milliseconds, tries again included"]
    out: Annotated[str, "`ok`, `refused`, `timeout`, `reset`, `eof`, `unreachable` or `unknown` (the name)"]
    by: Annotated[str | None, "the task that answered, `web.2`; null if none did"]
    node: Annotated[str | None, "the host it is on"]
    tries: Annotated[int, "how often it was tried"]
    via: NotRequired[
        Annotated[str, "address of the task that a load balancer (IPVS) chose, at the last try; absent if none chose"]
    ]


class Requests(TypedDict):
    """Requests to one node that ended alike, of traffic of which only rates were asked for; the packets are not modelled."""

    traffic: Annotated[str, "what they are part of"]
    src: Annotated[str, "the host they are from; `outside`: none"]
    to: Annotated[str, "the host that was asked"]
    port: Annotated[int, "the port"]
    began: Annotated[float, "the first began then or later, in seconds since the run began"]
    until: Annotated[float, "the last began before that"]
    out: Annotated[str, "as in `request`"]
    n: Annotated[int, "how many"]
    by: Annotated[dict[str, int], "how many which task answered"]


class TrafficEnded(TypedDict):
    """Traffic is over, and the last of its requests has ended."""

    traffic: Annotated[str, "its name"]
    requests: Annotated[int, "how many there were"]
    outcomes: Annotated[dict[str, int], "how many ended how"]
    median: Annotated[float | None, "median of the milliseconds of those that were answered; null if none was"]
    p99: Annotated[float | None, "the 99th percentile of the same"]


class Step(TypedDict):
    """A fault."""

    what: Annotated[str, "in words"]
    node: NotRequired[Annotated[str, "the host, if it is a single one"]]
    verb: Annotated[str | None, "the fault's verb in a scenario; null for what a recording's author did otherwise"]
    hosts: Annotated[list[str], "the hosts named; none: all, or wherever a task is"]


class Reached(TypedDict):
    """A `wait` is over: its condition holds."""

    what: Annotated[str, "the condition, or the wait's `as`"]
    after: Annotated[float, "seconds it took"]
    believed: NotRequired[Annotated[str, "how what managers show differs from what runs, if it does"]]


class NotReached(TypedDict):
    """A `wait` is over: its time is up."""

    what: Annotated[str, "the condition, or the wait's `as`"]
    after: Annotated[float, "seconds it took"]


class Met(TypedDict):
    """An expectation holds."""

    expected: Annotated[str, "the condition"]
    seen: Annotated[str, "what was seen"]
    believed: NotRequired[Annotated[str, "how what managers show differs from what runs, if it does"]]


class Unmet(TypedDict):
    """An expectation does not hold."""

    expected: Annotated[str, "the condition"]
    seen: Annotated[str, "what was so instead"]


class Note(TypedDict):
    """A remark of the scenario's."""

    text: Annotated[str, "the text"]


class File(TypedDict):
    """Recorded only: a file in the working directory of the commands that follow."""

    name: Annotated[str, "its name"]
    text: Annotated[str, "the text"]


# -- what the managers' API shows


class Node(TypedDict):
    """A node as a manager lists it, whenever that changes."""

    node: Annotated[str, "its host's name"]
    status: Annotated[str, "`unknown`, `down`, `ready` or `disconnected`"]
    msg: Annotated[str | None, "message of the status"]
    avail: Annotated[str, "`active`, `pause` or `drain`"]
    role: Annotated[str, "`worker` or `manager`, as wanted"]
    leader: Annotated[bool, "whether it is the leader"]
    reach: Annotated[str | None, "`reachable`, `unreachable` or `unknown`; null for a worker"]
    id: Annotated[str, "the node's id, its first 8 characters (in a recorded run its name)"]


class NodeGone(TypedDict):
    """A node is no longer listed."""

    node: Annotated[str, "its host's name"]
    id: Annotated[str, "the node's id, its first 8 characters"]


class Service(TypedDict):
    """A service as a manager lists it, whenever that changes."""

    service: Annotated[str, "its name"]
    update: Annotated[str | None, "state of its update"]
    umsg: Annotated[str | None, "message of its update"]
    mode: Annotated[
        str | None, "`replicated`, `global`, `replicated-job` or `global-job`; null where it was not recorded"
    ]
    replicas: Annotated[int | None, "tasks wanted; null for a global service, and where it was not recorded"]
    image: Annotated[str | None, "its image; null where it was not recorded"]
    stack: NotRequired[Annotated[str, "the stack it is of, if it is of one"]]
    ports: NotRequired[Annotated[list[str], "ports it publishes, as `service ls` writes them, if any"]]
    networks: NotRequired[Annotated[list[str], "networks it is on, beside the ingress, if any"]]
    volumes: NotRequired[Annotated[list[str], "named volumes its containers mount, if any"]]


class ServiceGone(TypedDict):
    """A service is no longer listed."""

    service: Annotated[str, "its name"]


class Task(TypedDict):
    """A task as a manager lists it, whenever that changes."""

    task: Annotated[str, "its id, the first 8 characters"]
    service: Annotated[str, "name of its service"]
    slot: Annotated[int | None, "its slot; null for a task of a global service"]
    ts: Annotated[str, "when its state was reached, by the clock of whoever wrote it (RFC 3339)"]
    image: Annotated[str | None, "its image; null where it was not recorded"]
    state: Annotated[str, "its observed state"]
    desired: Annotated[str, "its desired state"]
    msg: Annotated[str, "message of its state"]
    err: Annotated[str | None, "error of its state"]
    node: Annotated[str | None, "name of the host it is assigned to"]
    exit: Annotated[int | None, "exit code of its container, once that has ended"]


class TaskGone(TypedDict):
    """A task is no longer listed."""

    task: Annotated[str, "its id, the first 8 characters"]


class NoManagerAnswers(TypedDict):
    """None of the managers lists anything."""


class ManagerAnswers(TypedDict):
    """Some manager lists nodes, services and tasks, for the first time or again."""


class Busy(TypedDict):
    """How busy real hosts are."""

    share: Annotated[
        float, "share of its processors' time, since the row before, that the busiest host was at work: 0..1"
    ]


class Containers(TypedDict):
    """Recorded only: containers that run."""

    n: Annotated[dict[str, int], "how many, by host"]


class ApiError(TypedDict):
    """Recorded only: a manager answered with an error."""

    on: Annotated[str, "the host asked"]
    status: Annotated[int, "HTTP status"]
    body: Annotated[Any, "the answer"]


class Probe(TypedDict):
    """Recorded only: somebody asked a manager for its nodes; written when that ended."""

    on: Annotated[str, "the host asked"]
    began: Annotated[float, "when it was asked, in seconds"]
    s: Annotated[float, "how long it took, in seconds"]
    status: Annotated[int, "HTTP status"]
    body: Annotated[Any, "the error, if it was one"]
    leader: Annotated[list[str] | None, "who leads, as answered"]


class Certificate(TypedDict):
    """Recorded only: a node's certificate."""

    node: Annotated[str, "its host's name"]
    text: Annotated[str, "what openssl says of it"]


# -- Raft


class RaftRoleChange(TypedDict):
    """A member has another role, term or leader."""

    host: Annotated[str, "its host"]
    role: Annotated[str, "`follower`, `candidate` or `leader`"]
    term: Annotated[int, "Raft term"]
    leader: Annotated[str | None, "the host it follows; null if it knows of none"]
    log: Annotated[int, "index of its last entry"]
    commit: Annotated[int, "index up to which entries are committed, as far as it knows"]


class RaftVote(TypedDict):
    """A member has voted; the vote is on its disk."""

    host: Annotated[str, "its host"]
    term: Annotated[int, "Raft term"]
    candidate: Annotated[str | None, "the host voted for; null if it is a member no more"]


class RaftCommit(TypedDict):
    """A member applies committed entries."""

    host: Annotated[str, "its host"]
    term: Annotated[int, "Raft term"]
    log: Annotated[int, "index of its last entry"]
    commit: Annotated[int, "index up to which entries are applied"]


class RaftLeading(TypedDict):
    """A new leader has caught up and takes over."""

    host: Annotated[str, "its host"]
    term: Annotated[int, "Raft term"]


class RaftPeer(TypedDict):
    """A manager finds another reachable, or no longer."""

    host: Annotated[str, "its host"]
    peer: Annotated[str, "the other's host"]
    active: Annotated[bool, "whether it is reachable"]


class RaftMember(TypedDict):
    """A member applies a change of the membership."""

    host: Annotated[str, "its host"]
    change: Annotated[str, "`add`, `remove` or `update`"]
    member: Annotated[str, "host of the member that comes or goes"]
    members: Annotated[int, "how many there are now"]


class RaftSnapshot(TypedDict):
    """A member has taken a snapshot."""

    host: Annotated[str, "its host"]
    index: Annotated[int, "index of the last entry in it"]


class RaftCountdown(TypedDict):
    """A follower has missed its leader, or hears of one again."""

    host: Annotated[str, "its host"]
    due: Annotated[float | None, "when it will stand for election, in seconds since the run began; null: it will not"]


class RaftSent(TypedDict):
    """A message leaves. Only with `swarmsim run --messages`."""

    host: Annotated[str, "its host"]
    to: Annotated[str, "the host it is for"]
    type: Annotated[str, "etcd's name of its type"]
    term: Annotated[int, "the sender's term"]


class RaftMessage(TypedDict):
    """A message arrives. Only with `swarmsim run --messages`."""

    host: Annotated[str, "its host"]
    src: Annotated[str | None, "the host it is from; null if that is a member no more"]
    type: Annotated[str, "etcd's name of its type"]
    term: Annotated[int, "the sender's term"]
    index: Annotated[int, "index of the entry before those it carries"]
    entries: Annotated[int, "how many it carries"]
    reject: Annotated[bool, "whether it is a refusal"]


# -- inside managers and agents


class Session(TypedDict):
    """An agent's session with a dispatcher begins."""

    node: Annotated[str, "the agent's host"]
    manager: Annotated[str, "the dispatcher's host"]


class SessionFailed(TypedDict):
    """An agent's session, or its attempt at one, has failed."""

    host: Annotated[str, "the agent's host"]
    manager: Annotated[str, "the dispatcher's host"]
    reason: Annotated[str, "why"]


class GossipMember(TypedDict):
    """What one engine thinks of another in the gossip about networks has changed; only where the cluster has ``gossip``."""

    host: Annotated[str, "who thinks so"]
    peer: Annotated[str, "of whose host"]
    name: Annotated[str, "the peer's name in the gossip, new with every start of its engine"]
    state: Annotated[str, "alive, suspect, dead (no answer for long enough) or left (it said so)"]


class Overlay(TypedDict):
    """A host's part of an overlay network is there, or no more; only where the cluster has ``gossip``."""

    host: Annotated[str, "the host"]
    network: Annotated[str, "the network's name"]
    address: Annotated[
        str | None, "the host's own address there; null: it is on it no more, and its load balancers there are gone"
    ]


class Ipvs(TypedDict):
    """Where one host's load balancer for a service sends requests has changed; only where the cluster has ``gossip``."""

    host: Annotated[str, "the host"]
    network: Annotated[str, "the network's name"]
    service: Annotated[str, "the service's name"]
    task: Annotated[str, "the task as `service ps` names it"]
    id: Annotated[str, "the task's id, its first 8 characters"]
    address: Annotated[str, "the task's address on the network"]
    weight: Annotated[int | None, "1: it gets its turn; 0: it gets nothing new; null: it is not in the table any more"]


class AgentReport(TypedDict):
    """An agent has moved a task and reports it. Only with `swarmsim run --messages`."""

    host: Annotated[str, "the agent's host"]
    task: Annotated[str, "the task's id, its first 8 characters"]
    state: Annotated[str, "its new observed state"]
    desired: Annotated[str, "the desired state the agent knows"]
    err: Annotated[str | None, "error of its state"]


class NodeSilent(TypedDict):
    """The dispatcher gives a node up."""

    node: Annotated[str, "its host's name"]
    reason: Annotated[str, "message its status gets"]
    after: Annotated[float | None, "seconds since its last heartbeat; null if it never registered with this leader"]


class SchedulerAssigned(TypedDict):
    """The scheduler has chosen a node for a task."""

    task: Annotated[str, "the task's id, its first 8 characters"]
    name: Annotated[str, "the task as `service ps` names it"]
    node: Annotated[str, "name of the host"]
    reason: Annotated[str, "why"]


class SchedulerPending(TypedDict):
    """The scheduler finds no node for a task."""

    task: Annotated[str, "the task's id, its first 8 characters"]
    name: Annotated[str, "the task as `service ps` names it"]
    reason: Annotated[str, "why"]


# -- the physical world, and what is true whether or not anybody can tell


class Host(TypedDict):
    """A machine there is; written once, at the beginning."""

    host: Annotated[str, "its name"]
    role: Annotated[str, "`manager` or `worker`, as meant"]
    site: Annotated[str | None, "where it stands"]
    address: Annotated[str, "IPv4 address"]
    cpus: Annotated[float, "CPUs"]
    memory: Annotated[int, "bytes"]


class Power(TypedDict):
    """A host loses power or gets it back."""

    host: Annotated[str, "its name"]
    on: Annotated[bool, "whether it has power now"]


class Links(TypedDict):
    """What of the links is not as usual, whenever that changes."""

    cuts: Annotated[list[tuple[str, str]], "pairs of hosts whose link is cut"]
    isolated: Annotated[list[list[str]], "groups of hosts that are cut off from all others"]
    slow: Annotated[list[str], "hosts with added latency"]
    lossy: Annotated[dict[str, float], "hosts that lose packets: how many of a hundred"]
    closed: NotRequired[Annotated[list[tuple[str, str]], "hosts and ports that their firewalls close: `7946/udp`"]]
    mtu: NotRequired[Annotated[dict[str, int], "hosts whose link takes smaller packets than usual: how many bytes"]]


class EngineStarted(TypedDict):
    """A host's engine answers."""

    host: Annotated[str, "its host"]


class NodeCertificate(TypedDict):
    """What a node's certificate says."""

    host: Annotated[str, "its host"]
    node: Annotated[str, "the node's id: its common name"]
    cluster: Annotated[str, "the cluster's id: its organization"]
    role: Annotated[str, "what it may do with it, `manager` or `worker`: its organizational unit"]
    serial: Annotated[str, "its serial number, in hexadecimal digits"]
    key: Annotated[str, "its private key, likewise: a simulation's, and no secret"]
    since: Annotated[float, "the simulated second from which it is valid"]
    until: Annotated[float, "the simulated second at which it expires"]
    issuer: Annotated[str, "the root that signed it"]
    through: Annotated[str | None, "during a rotation: the old root, which vouches for the new one"]
    given: NotRequired[Annotated[str, "PEM, if a root signed it that is not of the swarm's making"]]


class CertificateIssued(NodeCertificate):
    """A node has its first certificate: it has made the swarm, or joined it."""


class CertificateRenewed(NodeCertificate):
    """A node has another certificate, when it was due, for another role, or of another root."""


class RenewalDrawn(TypedDict):
    """A node has drawn when it will ask for its next certificate."""

    host: Annotated[str, "its host"]
    at: Annotated[float, "when, in seconds since the run began"]


class RootCertificate(TypedDict):
    """There is a root certificate: of a new swarm, or wanted in the place of another."""

    host: Annotated[str, "the host whose manager says so"]
    root: Annotated[str, "what other rows call it: the first digits of its digest"]
    digest: Annotated[str, "SHA-256 of its PEM, as `swarm ca` shows it"]
    serial: Annotated[str, "its serial number, in hexadecimal digits"]
    key: Annotated[str, "its private key, likewise: a simulation's, and no secret"]
    since: Annotated[float, "the simulated second from which it is valid"]
    until: Annotated[float, "the simulated second at which it expires"]
    given: NotRequired[Annotated[str, "PEM, if it is not of the swarm's making; its key is then not known here"]]


class RootTrusted(TypedDict):
    """A node trusts another root certificate than before, or its first."""

    host: Annotated[str, "its host"]
    root: Annotated[str, "the root"]


class SigningFailed(TypedDict):
    """The leader's authority did not get a certificate signed by an authority outside the swarm."""

    host: Annotated[str, "the leader's host"]
    node: Annotated[str, "whose certificate it is: its host, or its id as long as that is all that is known"]
    error: Annotated[str, "why"]


class RootRotation(TypedDict):
    """The leader begins, or goes on, to replace the root certificate, or has done so."""

    host: Annotated[str, "the leader's host"]
    root: Annotated[str, "the new root"]
    over: Annotated[bool, "whether every node has a certificate of the new root"]


class SwarmLeft(TypedDict):
    """A node has left the swarm: its certificate and key are gone from its disk."""

    host: Annotated[str, "its host"]


class SwarmFailed(TypedDict):
    """An engine has started, its part in the swarm has not."""

    host: Annotated[str, "its host"]
    error: Annotated[str, "why, as `docker info` says it"]


class KeysEncrypted(TypedDict):
    """What a manager has on disk is encrypted with another key, or with none."""

    host: Annotated[str, "its host"]
    locked: Annotated[bool, "whether a key will be asked for when its engine starts again"]


class ManagerLocked(TypedDict):
    """An engine has started, and its manager waits for the unlock key; or it waits no more."""

    host: Annotated[str, "its host"]
    locked: Annotated[bool, "false: it was given the key, or the host has left the swarm"]


class EngineEnded(TypedDict):
    """A host's engine has ended, with the power or without."""

    host: Annotated[str, "its host"]


class ContainerStarted(TypedDict):
    """A container's process runs."""

    host: Annotated[str, "its host"]
    container: Annotated[str, "its id, the first 12 characters"]
    service: Annotated[str | None, "name of its service, if it has one"]
    task: Annotated[str | None, "id of its task, the first 8 characters, if it has one"]


class ContainerEnded(TypedDict):
    """A container's process has ended, also by the loss of power."""

    host: Annotated[str, "its host"]
    container: Annotated[str, "its id, the first 12 characters"]
    service: Annotated[str | None, "name of its service, if it has one"]
    task: Annotated[str | None, "id of its task, the first 8 characters, if it has one"]


class ContainerHealth(TypedDict):
    """A container's health changes."""

    host: Annotated[str, "its host"]
    container: Annotated[str, "its id, the first 12 characters"]
    service: Annotated[str | None, "name of its service, if it has one"]
    task: Annotated[str | None, "id of its task, the first 8 characters, if it has one"]
    health: Annotated[str, "`starting`, `healthy` or `unhealthy`"]


class ImageAssumed(TypedDict):
    """A task has come to a host with an image that nobody described and that is assumed to be there; once for an image."""

    image: Annotated[str, "the image, as the service names it"]
    service: Annotated[str | None, "name of its service, if it has one"]


class Quorum(TypedDict):
    """What the managers together are able to do."""

    managers: Annotated[int, "members of the Raft group"]
    up: Annotated[int, "those whose manager runs"]
    quorum: Annotated[bool, "whether one of them reaches a majority"]
    leader: Annotated[str | None, "the host that leads such a majority"]


class Serving(TypedDict):
    """Containers of a service, seen by a manager or not."""

    service: Annotated[str, "its name"]
    running: Annotated[int, "containers alive"]
    replicas: Annotated[int | None, "wanted; null for a global service, 0 once it is removed"]


OBSERVATIONS: dict[str, type] = {
    "begin": Begin,
    "end": End,
    "docker": Docker,
    "curl": Curl,
    "request": Request,
    "requests": Requests,
    "traffic": TrafficEnded,
    "step": Step,
    "node": Node,
    "node_gone": NodeGone,
    "service": Service,
    "service_gone": ServiceGone,
    "task": Task,
    "task_gone": TaskGone,
    "no_manager_answers": NoManagerAnswers,
    "manager_answers": ManagerAnswers,
    "busy": Busy,
    "reached": Reached,
    "not_reached": NotReached,
    "met": Met,
    "unmet": Unmet,
    "note": Note,
    "containers": Containers,
    "api_error": ApiError,
    "probe": Probe,
    "cert": Certificate,
    "file": File,
}
"""Kinds that one sees from outside."""

INTERNALS: dict[str, type] = {
    "raft.role": RaftRoleChange,
    "raft.vote": RaftVote,
    "raft.commit": RaftCommit,
    "raft.leading": RaftLeading,
    "raft.peer": RaftPeer,
    "raft.member": RaftMember,
    "raft.snapshot": RaftSnapshot,
    "raft.countdown": RaftCountdown,
    "raft.sent": RaftSent,
    "raft.message": RaftMessage,
    "session": Session,
    "session.failed": SessionFailed,
    "gossip.member": GossipMember,
    "overlay": Overlay,
    "ipvs": Ipvs,
    "agent.report": AgentReport,
    "node.silent": NodeSilent,
    "scheduler.assigned": SchedulerAssigned,
    "scheduler.pending": SchedulerPending,
    "host": Host,
    "power": Power,
    "links": Links,
    "engine.started": EngineStarted,
    "engine.ended": EngineEnded,
    "certificate.issued": CertificateIssued,
    "certificate.renewed": CertificateRenewed,
    "renewal.drawn": RenewalDrawn,
    "root": RootCertificate,
    "root.trusted": RootTrusted,
    "signing.failed": SigningFailed,
    "root.rotation": RootRotation,
    "swarm.left": SwarmLeft,
    "swarm.failed": SwarmFailed,
    "keys.encrypted": KeysEncrypted,
    "manager.locked": ManagerLocked,
    "container.started": ContainerStarted,
    "container.ended": ContainerEnded,
    "container.health": ContainerHealth,
    "image.assumed": ImageAssumed,
    "quorum": Quorum,
    "serving": Serving,
}
"""Kinds that only the model can tell."""

ROWS: dict[str, type] = {"header": Header, **OBSERVATIONS, **INTERNALS}
KINDS: dict[object, str] = {fields: kind for kind, fields in ROWS.items()}
"""The kind of each type, for who writes rows."""

FORMAT = 1
"""Version of the trace format; readers refuse others."""

MESSAGES = frozenset(("raft.message", "raft.sent", "agent.report"))
"""Kinds that are only written when asked for: they are most of a run."""


def is_internal(kind: str) -> bool:
    """Whether only the model can tell.

    >>> is_internal("raft.vote"), is_internal("task")
    (True, False)
    """
    return kind in INTERNALS


@cache
def _fields(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    """Names of a kind's fields: those that must be there, and all."""
    # As annotations are texts here, Python itself cannot tell which of them are NotRequired.
    hints = get_type_hints(ROWS[kind], include_extras=True)
    return frozenset(name for name, hint in hints.items() if get_origin(hint) is not NotRequired), frozenset(hints)


def fault_in(row: Row) -> str | None:
    """What is wrong with a row by its kind's type, in words; ``None`` if nothing is.

    >>> fault_in({"t": 1.0, "kind": "raft.leading", "host": "m1", "term": "2"})
    'raft.leading: Expected `int`, got `str` - at `$.term`'
    >>> fault_in({"t": 1.0, "kind": "raft.leading", "host": "m1"})
    'raft.leading: no field term'
    """
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in ROWS:
        return f"unknown kind {kind!r}"
    if not isinstance(row.get("t"), int | float):
        return f"{kind}: t is no number of seconds"
    required, known = _fields(kind)
    here = row.keys() - {"t", "kind"}
    if missing := required - here:
        return f"{kind}: no field {', '.join(sorted(missing))}"
    if unknown := here - known:
        return f"{kind}: unknown field {', '.join(sorted(unknown))}"
    try:
        msgspec.convert({name: row[name] for name in here}, ROWS[kind])
    except msgspec.ValidationError as problem:
        return f"{kind}: {problem}"
    return None


def header(
    scenario: str, title: str, about: str, digest: str, seed: int, version: str, profile: str, **real: Any
) -> Row:
    """The first row of a trace; ``real`` are the fields that only runs on real hosts have."""
    fields: Header = {
        "format": FORMAT,
        "scenario": scenario,
        "title": title,
        "about": about,
        "hash": digest,
        "seed": seed,
        "version": version,
        "profile": profile,
    }
    return {"t": 0.0, "kind": "header", **fields, **real}
