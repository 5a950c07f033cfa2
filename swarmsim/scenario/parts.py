"""Parts of a scenario's form that other forms are made of: names, and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from swarmsim.scenario.duration import PositiveDuration

NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        raise ValueError(f"{value!r} is no name: use lower-case letters, digits and '-'")
    if value in ("leader", "follower"):
        raise ValueError(f"{value!r} has a meaning of its own: choose another name")
    return value


Name = Annotated[str, BeforeValidator(_name, json_schema_input_type=str)]


def is_pattern(name: str) -> bool:
    """Whether a name stands for all hosts that fit it, as in a shell: ``w*``, ``w?``, ``w[1-5]``."""
    return any(letter in name for letter in "*?[")


def fitting(names: Iterable[str], hosts: Sequence[str]) -> list[str]:
    """The hosts that names and patterns mean, each once: in the order of the names, those of a pattern in the order of the cluster.

    >>> fitting(["w3", "w*"], ["m1", "w1", "w2", "w3"])
    ['w3', 'w1', 'w2']
    """
    found: dict[str, None] = {}
    for name in names:
        found.update(dict.fromkeys([host for host in hosts if fnmatchcase(host, name)] if is_pattern(name) else [name]))
    return list(found)


def _name_or_pattern(value: Any) -> str:
    return value if isinstance(value, str) and is_pattern(value) else _name(value)


NameOrPattern = Annotated[str, BeforeValidator(_name_or_pattern, json_schema_input_type=str)]


class Condition(Strict):
    """What must be true. One subject (service, settled, node, leader, task, command, containers, traffic, internal) and its facts."""

    service: str | None = Field(None, description="name of a service; with running, alive, replicas or update")
    running: int | None = Field(None, ge=0, description="tasks that a manager shows as running and that shall run")
    alive: int | None = Field(None, ge=0, description="containers that really run, whatever managers believe")
    replicas: int | None = Field(None, ge=0, description="how many the service wants")
    image: str | None = Field(None, description="its image, as the service names it")
    update: str | None = Field(None, description="the update's state: updating, completed, paused, …")
    settled: PositiveDuration | None = Field(
        None, description="for so long, every service has what it wants, and what managers show is what runs"
    )
    node: str | None = Field(None, description="a host; with status, availability, role, reachability or leader")
    status: Literal["unknown", "down", "ready", "disconnected"] | None = Field(None, description="of the node")
    availability: Literal["active", "pause", "drain"] | None = Field(None, description="of the node")
    role: Literal["worker", "manager"] | None = Field(None, description="of the node, as it is by now")
    reachability: Literal["reachable", "unreachable", "none"] | None = Field(
        None, description="of a manager, to the leader; none: it is no manager"
    )
    leader: str | bool | None = Field(None, description="elected, none, or a host; with node: true or false")
    task: str | None = Field(None, description="SERVICE.SLOT")
    state: str | None = Field(None, description="what the task is: running, failed, …")
    desired: str | None = Field(None, description="what the task shall be: running, shutdown, …")
    error: str | None = Field(None, description="part of the task's error, or of the command's stderr")
    command: str | None = Field(None, description="the name a docker or curl step was given with as")
    output: str | None = Field(None, description="part of the command's stdout")
    code: int | None = Field(None, description="the command's exit code")
    containers: str | None = Field(None, description="a host; with running")
    traffic: str | None = Field(None, description="the name of traffic; with success, lost, …")
    success: float | None = Field(None, ge=0, le=1, description="which share of its requests is answered at least")
    lost: int | None = Field(None, ge=0, description="how many of its requests are not answered at most")
    fails: float | None = Field(None, ge=0, le=1, description="which share of its requests is not answered at least")
    tasks: int | None = Field(None, ge=0, description="how many tasks have answered its requests, exactly")
    median: PositiveDuration | None = Field(None, description="how long half of its answers take at most")
    internal: str | None = Field(None, description="a kind of internal trace row; simulated worlds only")
    count: int | None = Field(None, ge=0, description="how many such rows")

    @model_validator(mode="after")
    def _one_subject(self) -> Condition:
        given = self.model_fields_set
        subjects = [name for name in SUBJECTS if name in given]
        if "node" in subjects and "leader" in subjects:
            subjects.remove("leader")
        if len(subjects) != 1:
            raise ValueError(f"name exactly one of {', '.join(SUBJECTS)}")
        facts = SUBJECTS[subjects[0]]
        wrong = sorted(given - {subjects[0], *facts})
        if wrong:
            raise ValueError(
                f"{wrong[0]!r} says nothing about a {subjects[0]}; possible: {', '.join(facts) or 'nothing more'}"
            )
        if facts and not given & set(facts):
            raise ValueError(f"say what is expected of the {subjects[0]}: {', '.join(facts)}")
        if subjects == ["node"] and "leader" in given and not isinstance(self.leader, bool):
            raise ValueError("with node, leader is true or false")
        return self

    @property
    def subject(self) -> str:
        given = [name for name in SUBJECTS if name in self.model_fields_set]
        return "node" if "node" in given else given[0]


SUBJECTS: dict[str, tuple[str, ...]] = {
    "service": ("running", "alive", "replicas", "image", "update"),
    "settled": (),
    "node": ("status", "availability", "role", "reachability", "leader"),
    "leader": (),
    "task": ("state", "desired", "error"),
    "command": ("output", "error", "code"),
    "containers": ("running",),
    "traffic": ("success", "lost", "fails", "tasks", "median"),
    "internal": ("count",),
}
"""Subjects of a condition and the facts that can be expected of each."""
