"""Profiles: how long the physical world takes. A YAML of distributions, all in seconds.

The model says what happens, a profile says how long it takes. Protocol constants (heartbeats, ticks,
time-outs) are not in profiles: they belong to Swarm, not to the machine. ``lab`` is fitted to the
recorded five-host cluster, ``vm`` describes the course's VirtualBox machines.
"""

from __future__ import annotations

from functools import cache, cached_property
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from swarmsim.distribution import Distribution, DistributionField, Sampler, Uniform


class Profile(BaseModel):
    """Distributions of one kind of environment; durations in seconds, ``pull`` in seconds per megabyte."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str
    hosts_per_machine: int = Field(ge=1, description="hosts that share one computer and slow each other")
    processors: int = Field(ge=1, description="of that computer, which all container work under way on it shares")
    link: DistributionField = Field(description="one way between a host and its switch")
    disk: DistributionField = Field(description="one fsync of the Raft log")
    cli: DistributionField = Field(description="starting the docker client and printing its answer")
    api: DistributionField = Field(description="one request handled by a Docker engine")
    container_create: DistributionField
    container_start: DistributionField
    container_first_start: DistributionField = Field(
        description="added to an engine's first start: cold caches, networks"
    )
    speed_factor: DistributionField = Field(
        Distribution(always=1.0),
        description="a factor (no time) of all container work, drawn once for a machine and a run",
    )
    cold_factor: DistributionField = Field(
        Distribution(always=1.0),
        description="a factor (no time) of every engine's first start, drawn once for a machine and a run",
    )
    container_stop: DistributionField = Field(description="bookkeeping after a container's process ended")
    container_exit: DistributionField = Field(
        description="from the end of a container's process to the engine's knowing it"
    )
    health_probe: DistributionField = Field(
        description="running a health check's command in a container, besides what the command itself takes"
    )
    container_status: DistributionField = Field(description="the executor's step from one task state to the next")
    pull: DistributionField = Field(description="per megabyte of an image that is not on the host")
    look: DistributionField = Field(description="one look of an observer at a manager's API")
    kill_host: DistributionField = Field(description="killing every process of one host")
    registry: DistributionField = Field(description="one query of the registry")
    boot: DistributionField = Field(
        Distribution(always=0.0), description="from power to a kernel that answers, before dockerd is started"
    )
    engine_start: DistributionField = Field(description="dockerd from exec to a working API")
    node_start: DistributionField = Field(
        description="the swarm node inside the engine, from there to its first session"
    )
    manager_start: DistributionField = Field(description="a manager's start: certificates, log, listeners")
    certificate: DistributionField = Field(description="key pair, signing request, signature")
    join: DistributionField = Field(
        description="a host's own work to join a swarm: root certificate, key pair, signing request, first session"
    )
    leader_start: DistributionField = Field(description="a new leader, from its first writes to taking registrations")
    ingress_setup: DistributionField = Field(
        Distribution(uniform=Uniform(low=0.8, high=1.6)),
        description="making a node's end of the ingress network: sandbox, rules, load balancer; recorded nodes had it 1–2 s after they joined",
    )
    ingress_remove: DistributionField = Field(description="taking down a leaving node's end of the ingress network")
    cluster_init: DistributionField = Field(description="a new swarm: root CA, first manager")

    @cached_property
    def samplers(self) -> dict[str, Sampler]:
        """Every law as a function of a random stream, by field name."""
        return {
            name: distribution.sampler()
            for name in type(self).model_fields
            if isinstance(distribution := getattr(self, name), Distribution)
        }


FILES = (".yaml", ".yml")
"""How the name of a profile ends that is a file of one's own."""


class ProfileError(Exception):
    """A profile cannot be had; the message says what would be right."""


@cache
def load_profile(name: str) -> Profile:
    """A shipped profile by name, or one in a file of one's own by its path, read once: it is frozen, and no file changes while it is in use.

    Raises :class:`ProfileError`.
    """
    if name.endswith(FILES):
        return read_profile(Path(name))
    source = resources.files("swarmsim") / "profiles" / f"{name}.yaml"
    if not source.is_file():
        known = ", ".join(profile_names())
        raise ProfileError(f"unknown profile {name!r}; there are {known}, and files of your own (my-vms.yaml)")
    return Profile.model_validate(YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8")))


def read_profile(path: Path) -> Profile:
    """A profile in a file. Raises :class:`ProfileError` with all mistakes in it."""
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ProfileError(f"the profile {path} cannot be read: {problem.strerror}") from None
    except (YAMLError, UnicodeDecodeError) as problem:
        raise ProfileError(f"the profile {path} is not YAML: {' '.join(str(problem).split())}") from None
    try:
        return Profile.model_validate(document)
    except ValidationError as problem:
        told = (f"{'.'.join(map(str, error['loc'])) or 'it'}: {error['msg']}" for error in problem.errors())
        raise ProfileError(f"the profile {path}: {'; '.join(told)}") from None


def profile_names() -> list[str]:
    folder = resources.files("swarmsim") / "profiles"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
