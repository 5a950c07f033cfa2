"""The form of a scenario file. ``swarmsim schema`` prints it as JSON Schema for editors.

The same file can run on any world (:mod:`swarmsim.world`). What not every world can do (``internal`` conditions, ``seed``,
fault verbs) is asked for by name, and refused with its place in the file where there is no such thing. A host may be named by its name, as ``leader`` or ``follower``, or by the name an earlier step gave
(``as: lost``).
"""

from __future__ import annotations

import ipaddress
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from swarmsim.go.units import ram_in_bytes
from swarmsim.image import UnknownImages
from swarmsim.scenario.distribution import DurationDistribution
from swarmsim.scenario.duration import Drift, Duration, Offset, PositiveDuration, Span
from swarmsim.scenario.exercise import Exercise, Session
from swarmsim.scenario.images import ImageEntry
from swarmsim.scenario.parts import Condition, Name, NameOrPattern, Strict, fitting, is_pattern
from swarmsim.scenario.traffic import CurlStep, Traffic, TrafficStep
from swarmsim.world import OUTSIDE

MAX_HOSTS = 20_000


def _memory(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return ram_in_bytes(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no amount of memory: write 2g, 512m or a number of bytes") from None


def _address(value: Any) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError(f"{value!r} is no IPv4 address") from None


class HostSettings(Strict):
    """What is special about one host."""

    address: Annotated[str, BeforeValidator(_address)] | None = Field(
        None, description="its IPv4 address; default: one of 10.97.0.0/16"
    )
    cpus: float = Field(2.0, gt=0, le=1024, description="processors, as the scheduler counts them")
    memory: Annotated[int, BeforeValidator(_memory, json_schema_input_type=int | str), Field(gt=0)] = Field(
        4 * 1024**3, description="2g, 512m or a number of bytes"
    )
    labels: dict[str, str] = Field({}, description="node labels, for constraints node.labels.X")
    engine_labels: dict[str, str] = Field({}, description="labels of the engine, for constraints engine.labels.X")
    resources: dict[str, int | list[str]] = Field(
        {}, description="generic resources: how many, or their names (GPU: [a, b])"
    )
    plugins: list[str] = Field([], description="plugins besides the built-in ones: Volume/NAME, Network/NAME, Log/NAME")
    arch: str = Field("x86_64", description="what node.platform.arch says")
    os: str = Field("linux", description="what node.platform.os says")
    paths: list[str] = Field([], description="files and directories to bind, besides those of every Debian host")
    profile: str | None = Field(
        None, description="how quick this host is: lab, uml, vm, or a file; default: as the cluster"
    )

    def changed_by(self, other: HostSettings) -> HostSettings:
        """These with what others say; what is a mapping or a list is added."""
        said = {name: getattr(other, name) for name in other.model_fields_set}
        for name, value in said.items():
            here = getattr(self, name)
            if isinstance(value, dict):
                said[name] = {**here, **value}
            elif isinstance(value, list):
                said[name] = [*here, *(each for each in value if each not in here)]
        return self.model_copy(update=said)


class AuthoritySettings(Strict):
    """A certificate authority outside the swarm, a host that signs as cfssl does: https://NAME:8888/…"""

    address: str | None = Field(None, description="its IPv4 address; default: one of 10.97.255.0/24")
    takes: PositiveDuration = Field(0.02, description="how long it needs for a signature")
    expiry: PositiveDuration = Field(
        90 * 86_400.0, description="how long its certificates live, whatever the swarm wants"
    )


Hosts = Annotated[int, Field(ge=0, le=MAX_HOSTS)] | list[Name]


class ClusterLayout(Strict):
    """The machines, and which of them are meant to be managers."""

    managers: Hosts = Field(1, description="how many (m1, m2, …), or their names")
    workers: Hosts = Field(0, description="how many (w1, w2, …), or their names")
    profile: str = Field(
        "lab", description="how quick machines and network are: lab, uml, vm, or a file of one's own (my-vms.yaml)"
    )
    sites: dict[Name, list[NameOrPattern]] = Field(
        {}, description="which hosts stand together, for maps of the cluster: names, or patterns such as w*"
    )
    formed: bool = Field(True, description="false: the scenario types swarm init and join itself")
    gossip: bool = Field(False, description="true: engines gossip about networks, packet by packet (members, tables)")
    hosts: dict[str, HostSettings] = Field(
        {}, description="what is special about hosts, by name, or by a pattern such as w* for all that fit it"
    )

    def names(self) -> tuple[list[str], list[str]]:
        """Names of managers and of workers; m1, m2, … and w1, w2, … where only numbers are given."""
        managers = [f"m{n + 1}" for n in range(self.managers)] if isinstance(self.managers, int) else self.managers
        workers = [f"w{n + 1}" for n in range(self.workers)] if isinstance(self.workers, int) else self.workers
        return managers, workers

    def all_names(self) -> list[str]:
        """Names of all hosts, managers first."""
        managers, workers = self.names()
        return [*managers, *workers]

    def settings(self, host: str) -> HostSettings:
        """What is so about a host: what patterns say that fit it, the later before the earlier, and before all what its name says.

        Of labels, resources and plugins it has all that are said.
        """
        found = HostSettings()
        said = [settings for name, settings in self.hosts.items() if is_pattern(name) and fnmatchcase(host, name)]
        for settings in [*said, *([self.hosts[host]] if host in self.hosts else [])]:
            found = found.changed_by(settings)
        return found

    def site_of(self) -> dict[str, str]:
        """The site of each host that has one."""
        hosts = self.all_names()
        return {host: site for site, named in self.sites.items() for host in fitting(named, hosts)}

    authorities: dict[Name, AuthoritySettings] = Field(
        {},
        description="certificate authorities outside the swarm; docker commands find the files NAME.crt and NAME.key of each",
    )

    @model_validator(mode="after")
    def _sound(self) -> ClusterLayout:
        managers, workers = self.names()
        names = [*managers, *workers]
        if not managers:
            raise ValueError("a cluster needs at least one manager")
        if OUTSIDE in names:
            raise ValueError(f"{OUTSIDE!r} is where clients are that are on no host: choose another name")
        if len(names) > MAX_HOSTS:
            raise ValueError(f"{len(names)} hosts: at most {MAX_HOSTS} are possible")
        twice = sorted({name for name in names if names.count(name) > 1}) if len(names) < 2000 else []
        if twice:
            raise ValueError(f"host {twice[0]!r} is named twice")
        both = sorted(self.authorities.keys() & set(names))
        if both:
            raise ValueError(f"{both[0]!r} is a host of the cluster and an authority outside it")
        return self


class Between(Strict):
    """Where a link fault applies (one host's link, or the path between two) and how much."""

    host: str = Field(description="the host whose link it is")
    by: PositiveDuration | None = Field(None, description="added latency, one way")
    percent: float | None = Field(None, ge=0, lt=100, description="lost packets")


class Port(Strict):
    """A port of a host's own firewall."""

    host: str = Field(description="the host whose firewall it is")
    port: int | None = Field(None, ge=1, le=65535, description="2377: the managers; 7946: gossip; 4789: overlays")
    proto: Literal["tcp", "udp", "both", "esp"] = Field(
        "both",
        description="tcp, udp or both; esp: IP protocol 50, which encrypted overlays are, and which has no ports",
    )

    @model_validator(mode="after")
    def _has_port(self) -> Port:
        if (self.port is None) != (self.proto == "esp"):
            raise ValueError("esp has no ports: leave out port" if self.port else "say which port: 2377, 7946, 4789, …")
        return self

    @property
    def ports(self) -> tuple[tuple[str, int], ...]:
        protocols = ("tcp", "udp") if self.proto == "both" else (self.proto,)
        return tuple((protocol, self.port or 0) for protocol in protocols)


class PacketSize(Strict):
    """What a host's link takes."""

    host: str = Field(description="the host whose link it is")
    bytes: int | None = Field(
        None, ge=576, lt=1500, description="larger packets of overlays vanish; default: as usual, 1500"
    )


class AnyContainer(Strict):
    """Some running container: of a service, on a host."""

    on: str = Field(description="the host")
    service: str | None = Field(None, description="name of its service; default: any")


class WrongClock(Strict):
    """What a host takes for the time of day."""

    host: str = Field(description="the host whose clock it is")
    by: Offset = Field(
        0.0, description="how far it is ahead from now on, -2h: behind; default: right, as after a step of NTP"
    )
    drift: Drift = Field(0.0, description="how much faster it runs from then on: 20ppm, -20ppm; default: not at all")


class AuthorityFault(Strict):
    """What a certificate authority outside the swarm does from now on when it is asked."""

    host: str = Field(description="the authority")
    answers: Literal["sign", "refuse", "garbage", "busy", "never"] = Field(
        "sign", description="signs; refuses for good; answers no JSON; says 503; says nothing"
    )
    after: PositiveDuration | None = Field(None, description="how long it takes; default: as usual")


HostOrHosts = str | list[str]


FORMER_VERBS = {"sicken": "fail-healthcheck"}


class Fault(Strict):
    """One fault; the verbs are the keys."""

    power_off: HostOrHosts | None = Field(
        None, alias="power-off", description="silence: no packet comes back; hosts, or patterns such as w*"
    )
    kill_host: HostOrHosts | None = Field(
        None, alias="kill-host", description="every process dies at once; the kernel stays and resets connections"
    )
    power_on: HostOrHosts | None = Field(None, alias="power-on", description="power and boot, or the engine again")
    kill_engine: HostOrHosts | None = Field(
        None, alias="kill-engine", description="SIGKILL to dockerd; containers run on"
    )
    stop_engine: HostOrHosts | None = Field(None, alias="stop-engine", description="systemctl stop docker")
    start_engine: HostOrHosts | None = Field(None, alias="start-engine", description="systemctl start docker")
    cut: list[str] | None = Field(
        None, min_length=2, max_length=2, description="no packet between these two hosts, either way"
    )
    heal: Literal["all"] | list[str] | None = Field(
        None, description="undo cuts: all, those of one host, or the one between two"
    )
    partition: list[list[str]] | None = Field(
        None, min_length=1, description="groups that do not hear each other; hosts not named are a group of their own"
    )
    latency: Between | None = Field(None, description="packets of a host's link take longer, one way")
    loss: Between | None = Field(None, description="packets of a host's link are lost")
    block: Port | None = Field(
        None, description="a host's firewall drops what comes to a port, without a word; published ports go past it"
    )
    unblock: Port | None = Field(None, description="and no longer does")
    mtu: PacketSize | None = Field(
        None, description="a host's link takes smaller packets: full ones of overlays, 50 bytes larger, vanish"
    )
    clock: WrongClock | None = Field(None, description="a host's time of day is wrong, or right again")
    authority: AuthorityFault | None = Field(
        None, description="what an authority outside the swarm answers, or that it signs again"
    )
    fail_healthcheck: str | AnyContainer | None = Field(
        None,
        alias="fail-healthcheck",
        description="its health checks fail from now on: SERVICE.SLOT, or {on: HOST, service: NAME}",
    )
    kill_container: str | AnyContainer | None = Field(
        None, alias="kill-container", description="SERVICE.SLOT, or {on: HOST, service: NAME}"
    )

    @model_validator(mode="before")
    @classmethod
    def _former_words(cls, given: Any) -> Any:
        """What a verb was called before is still read."""
        return {FORMER_VERBS.get(key, key): value for key, value in given.items()} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _one_verb(self) -> Fault:
        if len(self.model_fields_set) != 1:
            verbs = ", ".join(field.alias or name for name, field in type(self).model_fields.items())
            raise ValueError(f"name exactly one fault of {verbs}")
        if self.latency is not None and self.latency.by is None:
            raise ValueError("latency needs by: a duration")
        if self.loss is not None and self.loss.percent is None:
            raise ValueError("loss needs percent: 0 to 99")
        return self

    @property
    def verb(self) -> str:
        (field,) = self.model_fields_set
        return field.replace("_", "-")

    @property
    def argument(self) -> Any:
        (field,) = self.model_fields_set
        return getattr(self, field)


CTRL_C = 300.0
"""Seconds after which nobody waits for a command any more."""


class DockerStep(Strict):
    """Type a docker command on a host (default: a manager that answers)."""

    docker: str = Field(description="the command, as typed after docker")
    on: str | None = Field(None, description="the host to type on; default: a manager that answers")
    as_: Name | None = Field(None, alias="as", description="a name for its result, usable as {name} in later commands")
    within: PositiveDuration = Field(CTRL_C, description="Ctrl-C after this long")
    input: str = Field(
        "", description="what is piped in, for commands that read '-' and for swarm unlock; {name} as in commands"
    )


class FaultStep(Strict):
    """Break or mend something."""

    fault: Fault = Field(description="a verb and what it is about")
    as_: Name | None = Field(None, alias="as", description="a name for the host that was hit")


class BackupStep(Strict):
    """Copy a host's swarm directory as docker's manual says: its engine is stopped for it, then started again."""

    backup: str = Field(description="the host")
    as_: Name = Field("backup", alias="as", description="a name for the copy")


class RestoreStep(Strict):
    """Put a copy in the place of a host's swarm directory: its engine is stopped for it, then started."""

    restore: Name = Field(description="the name of an earlier backup")
    on: str | None = Field(None, description="the host that gets it; default: the one it was taken of")


class WaitStep(Strict):
    """Look every 0.1 s until the condition holds; it is an unmet expectation if it does not in time."""

    wait: Condition = Field(description="what to wait for")
    within: PositiveDuration = Field(60.0, description="how long at most")
    as_: str | None = Field(None, alias="as", description="what the milestone is called")


class ExpectStep(Strict):
    """The condition must hold now, or within the given time."""

    expect: Condition = Field(description="what must hold")
    within: PositiveDuration | None = Field(None, description="at the latest after so long; default: now")


class FinalExpectation(Condition):
    """What must hold when all is done: a condition, and how long it may take, side by side as a scenario file has them."""

    within: PositiveDuration | None = Field(None, description="at the latest after so long; default: at once")


class SleepStep(Strict):
    """Let time pass."""

    sleep: Duration = Field(description="how long: 5s, 1m30s, 250ms or seconds")


class NoteStep(Strict):
    """A remark in the timeline."""

    note: str = Field(description="the remark")


class MeanwhileStep(Strict):
    """Something done at a set time, whatever the steps are at: a docker command, a fault, or another seed.

    With ``every`` and ``times`` it is done again and again, whether or not what was begun before is over.
    """

    at: PositiveDuration = Field(description="when: from the beginning of the scenario, once the cluster is built")
    docker: str | None = Field(None, description="the command, as typed after docker")
    curl: str | None = Field(None, description="what is typed after curl")
    traffic: Traffic | None = Field(None, description="who asks whom, how often")
    as_: Name | None = Field(None, alias="as", description="with traffic: its name")
    on: str | None = Field(None, description="the host to type on; default: a manager that answers, of curl outside")
    within: PositiveDuration = Field(CTRL_C, description="with docker and curl: Ctrl-C after this long")
    input: str = Field("", description="with docker: what is piped in")
    fault: Fault | None = Field(None, description="a verb and what it is about")
    seed: int | None = Field(None, description="from here on all random streams go on as under this seed")
    note: str | None = Field(None, description="a remark in the timeline")
    every: PositiveDuration | None = Field(None, description="from one time to the next, with times")
    times: int = Field(1, ge=1, le=10_000, description="how often, with every")

    @model_validator(mode="after")
    def _one_action(self) -> MeanwhileStep:
        possible = ("docker", "curl", "traffic", "fault", "seed", "note")
        actions = [name for name in possible if getattr(self, name) is not None]
        if len(actions) != 1:
            raise ValueError(f"do exactly one of {', '.join(possible)}")
        typed = self.docker is not None or self.curl is not None
        if self.on is not None and not typed:
            raise ValueError("'on' goes with docker and curl")
        if "within" in self.model_fields_set and not typed:
            raise ValueError("'within' goes with docker and curl")
        if self.as_ is not None and self.traffic is None:
            raise ValueError("'as' goes with traffic")
        if self.input and self.docker is None:
            raise ValueError("'input' goes with docker")
        if (self.every is None) != ("times" not in self.model_fields_set):
            raise ValueError("'every' and 'times' go together")
        return self

    @property
    def moments(self) -> list[float]:
        """When it is done: seconds from the beginning of the scenario."""
        return [self.at + (self.every or 0.0) * number for number in range(self.times)]

    @property
    def step(self) -> DockerStep | CurlStep | TrafficStep | FaultStep | NoteStep | None:
        """The step it amounts to; ``None`` for another seed."""
        if self.docker is not None:
            return DockerStep(docker=self.docker, on=self.on, within=self.within, input=self.input)
        if self.curl is not None:
            return CurlStep(curl=self.curl, on=self.on or OUTSIDE, within=self.within)
        if self.traffic is not None:
            return TrafficStep(traffic=self.traffic, as_=self.as_ or "traffic")
        if self.fault is not None:
            return FaultStep(fault=self.fault)
        return NoteStep(note=self.note) if self.note is not None else None


STEPS: dict[str, type[Strict]] = {
    "docker": DockerStep,
    "curl": CurlStep,
    "traffic": TrafficStep,
    "fault": FaultStep,
    "backup": BackupStep,
    "restore": RestoreStep,
    "wait": WaitStep,
    "expect": ExpectStep,
    "sleep": SleepStep,
    "note": NoteStep,
}
Step = (
    DockerStep
    | CurlStep
    | TrafficStep
    | FaultStep
    | BackupStep
    | RestoreStep
    | WaitStep
    | ExpectStep
    | SleepStep
    | NoteStep
)


class FaultProcess(Strict):
    """Hosts that fail again and again: well for a time drawn from ``every``, broken for one drawn from ``for``."""

    hosts: Literal["all", "managers", "workers"] | list[str] | None = Field(
        None, description="each fails on its own: names, or patterns such as w*"
    )
    site: list[str] | None = Field(None, min_length=1, description="these fail together: names, or patterns such as w*")
    fault: Literal["power-off", "kill-engine", "cut"] = Field("power-off", description="what happens to them")
    every: DurationDistribution = Field(description="from the end of one fault to the beginning of the next")
    for_: DurationDistribution = Field(alias="for", description="how long a fault lasts")

    @model_validator(mode="after")
    def _one_target(self) -> FaultProcess:
        if (self.hosts is None) == (self.site is None):
            raise ValueError("say who fails: either hosts (each on its own) or site (all of them together)")
        return self

    def victims(self, cluster: ClusterLayout) -> list[list[str]]:
        """Groups of hosts that fail together."""
        managers, workers = cluster.names()
        everybody = [*managers, *workers]
        if self.site is not None:
            return [fitting(self.site, everybody)]
        groups = {"all": everybody, "managers": managers, "workers": workers}
        named = groups[self.hosts] if isinstance(self.hosts, str) else fitting(self.hosts or [], everybody)
        return [[host] for host in named]

    @property
    def named(self) -> list[str]:
        """Names and patterns, as they are written."""
        return [] if isinstance(self.hosts, str) else self.site or self.hosts or []


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


FaultProcesses = Annotated[
    list[FaultProcess], BeforeValidator(_one_or_more, json_schema_input_type=FaultProcess | list[FaultProcess])
]


_as_final = BeforeValidator(lambda value: value, json_schema_input_type=list[FinalExpectation])
"""The loader puts condition and time into a step of their own."""


class Scenario(Strict):
    """A whole scenario."""

    name: Name = Field(description="lower-case letters, digits and '-'; runs and traces are called so")
    title: str = Field("", description="one line")
    about: str = Field("", description="what there is to see")
    cluster: ClusterLayout = Field(ClusterLayout(), description="the machines")
    duration: Span | None = Field(None, description="how long it goes on, at least, once the cluster is built")
    faults: FaultProcesses = Field([], description="hosts or sites that fail again and again, at random")
    steps: list[Step] = Field([], description="what is done, one after the other")
    meanwhile: list[MeanwhileStep] = Field([], description="what is done beside the steps, at set times")
    expect: Annotated[list[ExpectStep], _as_final] = Field([], description="what must hold when all is done")
    files: dict[str, str] = Field({}, description="texts by name, for commands that read files (stack.yml, secret.txt)")
    environment: dict[str, str] = Field({}, description="variables of the shell, for compose files")
    exercise: Exercise | None = Field(None, description="a task for students, and how it is judged")
    session: Session | None = Field(None, description="written by swarmsim watch: who did an exercise, and the answers")
    images: list[ImageEntry] = Field([], description="images of one's own, and what is different about others")
    unknown_images: UnknownImages = Field(
        UnknownImages.ASSUMED_IN_STACKS,
        description="what is done about other images: assumed (they are taken for servers that every host has), missing (no such "
        "image), assumed-in-stacks (those that a stack file names are assumed)",
    )

    @property
    def gossips(self) -> bool:
        """Whether engines gossip about networks: where it is said so, and where somebody asks a server."""
        typed = [step.docker for step in self.steps if isinstance(step, DockerStep)]
        typed += [beside.docker for beside in self.meanwhile if beside.docker]
        asked = any(isinstance(step, CurlStep | TrafficStep) for step in self.steps) or any(map(_asks, typed))
        return self.cluster.gossip or asked or any(beside.curl or beside.traffic for beside in self.meanwhile)

    def gossiping(self) -> Scenario:
        """The same, with engines that gossip in any case."""
        return self.model_copy(update={"cluster": self.cluster.model_copy(update={"gossip": True})})


def _asks(line: str) -> bool:
    """Whether a docker command runs a program that may ask others."""
    return not {"exec", "run"}.isdisjoint(line.removeprefix("docker ").split()[:2])
