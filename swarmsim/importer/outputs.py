"""What docker printed, recognised by its form: JSON, tables, and stack files; one after the other in a text, or in several.

=========================================  ====================================================
what                                       tells of
=========================================  ====================================================
``node inspect NODE…``                     hosts, roles, availability, labels, resources, addresses
``node ls`` (table, ``--format json``)     hosts, roles, availability
``service inspect SERVICE…``               services
``service ls`` (likewise)                  services: name, mode, replicas, image, ports
``network inspect``, ``network ls``        networks
``secret ls|inspect``, ``config ls|inspect``  names of secrets and configs
``stack config``, or a stack file          services, networks, secrets, configs of a stack
=========================================  ====================================================

Lines with the command itself in them (``$ docker node ls``) are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, NamedTuple

from swarmsim.apitypes.base import Json, from_json
from swarmsim.apitypes.swarm import Node, Service

KNOWN = "docker node ls or inspect, service ls or inspect, network, secret and config ls or inspect, stack config"


class ImportFailed(Exception):
    """Nothing can be made of a text; ``file:line: what is wrong and what would be right``."""


class ListedNode(NamedTuple):
    """A line of ``node ls``; ``manager`` is empty for a worker, else Leader, Reachable or Unreachable."""

    id: str
    hostname: str
    status: str
    availability: str
    manager: str


class ListedService(NamedTuple):
    """A line of ``service ls``."""

    name: str
    mode: str
    replicas: str
    image: str
    ports: str


class Network(NamedTuple):
    """``subnets`` are pairs of subnet and gateway; ``options`` are the driver's."""

    id: str
    name: str
    driver: str
    scope: str
    subnets: tuple[tuple[str, str], ...] = ()
    attachable: bool = False
    internal: bool = False
    ingress: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()


class StackFile(NamedTuple):
    """``name`` is the stack's."""

    name: str
    text: str


class Outputs:
    """All that was read, in order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.listed_nodes: list[ListedNode] = []
        self.services: list[Service] = []
        self.listed_services: list[ListedService] = []
        self.networks: dict[str, Network] = {}
        """By id; what ``inspect`` said goes before what ``ls`` did."""
        self.secrets: dict[str, None] = {}
        self.configs: dict[str, None] = {}
        self.stacks: list[StackFile] = []

    def add_network(self, network: Network) -> None:
        """A network; of one that ``ls`` shows, the id may be shortened."""
        same = next((id for id in self.networks if id.startswith(network.id) or network.id.startswith(id)), None)
        if same is None or len(network.id) > len(same) or network.subnets:
            if same is not None:
                del self.networks[same]
            self.networks[network.id] = network

    def network_of(self, id: str) -> Network | None:
        """The network of an id, or of a name."""
        by_id = (network for known, network in self.networks.items() if id.startswith(known))
        return next(by_id, None) or next((each for each in self.networks.values() if each.name == id), None)


def read_outputs(texts: list[tuple[str, str]]) -> Outputs:
    """What is in texts, each with the name of its file. Raises :class:`ImportFailed`."""
    outputs = Outputs()
    for name, text in texts:
        _Reader(name, text.removeprefix("\ufeff"), outputs).read()
    return outputs


# -- objects of JSON


def _node(outputs: Outputs, body: Json) -> None:
    outputs.nodes.append(from_json(body, Node))


def _service(outputs: Outputs, body: Json) -> None:
    outputs.services.append(from_json(body, Service))


def _network(outputs: Outputs, body: Json) -> None:
    ipam = (body.get("IPAM") or {}).get("Config") or []
    options = {k: v for k, v in (body.get("Options") or {}).items() if not k.endswith("vxlanid_list")}
    outputs.add_network(
        Network(
            body["Id"],
            body["Name"],
            body["Driver"],
            body["Scope"],
            tuple((each.get("Subnet", ""), each.get("Gateway", "")) for each in ipam),
            bool(body.get("Attachable")),
            bool(body.get("Internal")),
            bool(body.get("Ingress")),
            tuple(sorted((body.get("Labels") or {}).items())),
            tuple(sorted(options.items())),
        )
    )


def _listed_node(outputs: Outputs, body: Json) -> None:
    fields = ("ID", "Hostname", "Status", "Availability", "ManagerStatus")
    node = ListedNode(*(str(body.get(field, "")) for field in fields))
    if node.manager not in ("", "Leader", "Reachable", "Unreachable") or not node.hostname:
        raise ValueError(f"the manager status of {node.hostname or 'a node without a name'} is {node.manager!r}")
    outputs.listed_nodes.append(node)


def _listed_service(outputs: Outputs, body: Json) -> None:
    fields = ("Name", "Mode", "Replicas", "Image", "Ports")
    outputs.listed_services.append(ListedService(*(str(body.get(field, "")) for field in fields)))


def _listed_network(outputs: Outputs, body: Json) -> None:
    outputs.add_network(Network(body["ID"], body["Name"], body["Driver"], body["Scope"]))


def _secret(outputs: Outputs, body: Json) -> None:
    outputs.secrets[body["Spec"]["Name"] if "Spec" in body else body["Name"]] = None


def _config(outputs: Outputs, body: Json) -> None:
    outputs.configs[body["Spec"]["Name"] if "Spec" in body else body["Name"]] = None


Take = Callable[[Outputs, Json], None]
OBJECTS: tuple[tuple[Callable[[Json], bool], Take], ...] = (
    (lambda body: "Description" in body and "Spec" in body, _node),
    (lambda body: "TaskTemplate" in (body.get("Spec") or {}), _service),
    (lambda body: "IPAM" in body and "Scope" in body, _network),
    (lambda body: {"Hostname", "Availability"} <= body.keys(), _listed_node),
    (lambda body: {"Mode", "Replicas", "Image"} <= body.keys(), _listed_service),
    (lambda body: {"Scope", "Driver", "Name"} <= body.keys(), _listed_network),
    (lambda body: "Data" in (body.get("Spec") or {}), _config),
    (lambda body: "Name" in (body.get("Spec") or {}), _secret),
    (lambda body: {"Driver", "UpdatedAt", "Name"} <= body.keys(), _secret),
    (lambda body: {"UpdatedAt", "Name"} <= body.keys(), _config),
)
"""Which object of JSON is what: the first that fits."""


# -- tables

TABLES: tuple[tuple[tuple[str, ...], dict[str, str], Take], ...] = (
    (
        ("ID", "HOSTNAME", "STATUS", "AVAILABILITY", "MANAGER STATUS"),
        {"MANAGER STATUS": "ManagerStatus", "HOSTNAME": "Hostname", "STATUS": "Status", "AVAILABILITY": "Availability"},
        _listed_node,
    ),
    (
        ("ID", "NAME", "MODE", "REPLICAS", "IMAGE"),
        {"NAME": "Name", "MODE": "Mode", "REPLICAS": "Replicas", "IMAGE": "Image", "PORTS": "Ports"},
        _listed_service,
    ),
    (("NETWORK ID", "NAME", "DRIVER", "SCOPE"), {"NETWORK ID": "ID", "NAME": "Name", "DRIVER": "Driver", "SCOPE": "Scope"}, _listed_network),
    (("ID", "NAME", "DRIVER", "CREATED", "UPDATED"), {"NAME": "Name"}, _secret),
    (("ID", "NAME", "CREATED", "UPDATED"), {"NAME": "Name"}, _config),
)  # fmt: skip
"""Headings a table begins with, what they are in JSON, and what is told."""
_HEADING = re.compile(r"[A-Z]+(?: [A-Z]+)*")
_BETWEEN = re.compile(r"\s{2,}")


def _columns(line: str) -> list[tuple[str, int]]:
    """Headings and where they begin."""
    found, at = [], 0
    for part in _BETWEEN.split(line.rstrip()):
        at = line.index(part, at)
        found.append((part, at))
        at += len(part)
    return found


def _table_of(line: str) -> tuple[list[tuple[str, int]], dict[str, str], Take] | None:
    columns = _columns(line) if _HEADING.match(line) else []
    headings = tuple(heading for heading, _ in columns)
    for begins, names, take in TABLES:
        if headings[: len(begins)] == begins:
            return columns, names, take
    return None


def _cells(columns: list[tuple[str, int]], line: str) -> dict[str, str]:
    ends = [at for _, at in columns[1:]] + [None]
    return {name: line[at:end].strip() for (name, at), end in zip(columns, ends, strict=True)}


# -- texts

_TYPED = re.compile(r"(\S*[$>%]|\S+#)?\s*(sudo )?docker ")
"""A line that was typed, with its prompt."""
_STACK = re.compile(r"(version|name|services|networks|volumes|secrets|configs|x-[\w.-]+)\s*:")
_OF_STACK = re.compile(r"[\w.-]+\s*:|[ \t#-]|\s*$")


class _Reader:
    """Reads one text, piece by piece."""

    def __init__(self, name: str, text: str, outputs: Outputs) -> None:
        self.name = name
        self.outputs = outputs
        self.lines = text.splitlines(keepends=True)
        self.at = 0

    def read(self) -> None:
        found = False
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip() or _TYPED.match(line) or line.startswith("#"):
                self.at += 1
                continue
            found = True
            if line.lstrip()[0] in "[{":
                self._json()
            elif (table := _table_of(line)) is not None:
                self._table(*table)
            elif _STACK.match(line):
                self._stack()
            else:
                raise self._failure(f"{line.strip()[:60]!r} is no output of {KNOWN}")
        if not found:
            raise ImportFailed(f"{self.name}: empty; it should have output of {KNOWN}")

    def _failure(self, what: str, line: int | None = None) -> ImportFailed:
        return ImportFailed(f"{self.name}:{(self.at if line is None else line) + 1}: {what}")

    def _json(self) -> None:
        rest = "".join(self.lines[self.at :])
        try:
            value, end = json.JSONDecoder().raw_decode(rest.lstrip())
        except json.JSONDecodeError as problem:
            raise self._failure(f"not JSON: {problem.msg}", self.at + problem.lineno - 1) from None
        end += len(rest) - len(rest.lstrip())
        tail = rest[end:].partition("\n")[0]
        if tail.strip():
            self.lines[self.at :] = rest[end:].splitlines(keepends=True)  # the next object stands on the same line
            begun = self.at
        else:
            begun = self.at
            self.at += rest[:end].count("\n") + 1
        for body in value if isinstance(value, list) else [value]:
            self._object(body, begun)

    def _object(self, body: Any, line: int) -> None:
        take = next((take for fits, take in OBJECTS if isinstance(body, dict) and fits(body)), None)
        if take is None:
            raise self._failure(f"this JSON is no output of {KNOWN}", line)
        try:
            take(self.outputs, body)
        except (KeyError, TypeError, AttributeError, ValueError) as problem:
            raise self._failure(f"this JSON is not as docker prints it: {problem}", line) from None

    def _table(self, columns: list[tuple[str, int]], names: dict[str, str], take: Take) -> None:
        self.at += 1
        while self.at < len(self.lines) and self.lines[self.at].strip():
            line = self.lines[self.at]
            if line[0] in "[{" or _TYPED.match(line) or _table_of(line) is not None or _STACK.match(line):
                return
            cells = _cells(columns, line)
            try:
                take(self.outputs, {names.get(heading, heading): cell for heading, cell in cells.items()})
            except (KeyError, ValueError):
                raise self._failure(
                    "this line does not stand under the headings; copy the table as docker prints it"
                ) from None
            self.at += 1

    def _stack(self) -> None:
        begun = self.at
        while self.at < len(self.lines) and self._is_of_stack(self.lines[self.at]):
            self.at += 1
        text = "".join(self.lines[begun : self.at])
        named = re.search(r"^name:\s*[\"']?([\w.-]+)", text, re.M)
        stem = PurePath(self.name).name.partition(".")[0]
        ordinary = stem in ("", "-", "stdin", "stack", "docker-compose", "compose")
        name = named[1] if named else "stack" if ordinary else stem
        self.outputs.stacks.append(StackFile(re.sub(r"[^a-z0-9_-]", "-", name.lower()), text))

    def _is_of_stack(self, line: str) -> bool:
        return _TYPED.match(line) is None and _OF_STACK.match(line) is not None


def each_line(outputs: Outputs) -> Iterator[ListedService]:
    """Services that ``ls`` shows and ``inspect`` does not."""
    inspected = {service.spec.name for service in outputs.services}
    yield from (service for service in outputs.listed_services if service.name not in inspected)
