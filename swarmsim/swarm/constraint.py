"""Placement constraints (manager/constraint/constraint.go): ``key==value`` and ``key!=value`` over a node.

Values compare without case. A constraint on a key that does not exist fits no node, whatever the operator.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from swarmsim.swarm.objects import Node

_KEY = re.compile(r"^(?i:[a-z_][a-z0-9\-_.]+)$")
_VALUE = re.compile(r"^(?i:[a-z0-9:\-_\s.*()?+\[\]\\^$|/]+)$")


class NoConstraints(ValueError):
    """The text is no constraint; the message is SwarmKit's."""


class Constraint(NamedTuple):
    key: str
    equal: bool
    value: str


def parse(texts: list[str]) -> list[Constraint]:
    """``["node.role == manager"]`` → constraints. Raises :class:`NoConstraints`."""
    constraints = []
    for text in texts:
        found = False
        for operator in ("==", "!="):
            if operator not in text:
                continue
            key, _, value = text.partition(operator)
            key, value = key.strip(), value.strip()
            if not _KEY.match(key):
                raise NoConstraints(f"key '{key}' is invalid")
            if not value or not _VALUE.match(value):
                raise NoConstraints(f"value '{value}' is invalid")
            constraints.append(Constraint(key, operator == "==", value))
            found = True
            break
        if not found:
            raise NoConstraints("constraint expected one operator from ==, !=")
    return constraints


@lru_cache(maxsize=1024)
def parsed(texts: tuple[str, ...]) -> list[Constraint] | None:
    """As :func:`parse`; ``None`` where that refuses. The same texts are asked for with every node."""
    try:
        return parse(list(texts))
    except NoConstraints:
        return None


def _fits(constraint: Constraint, node: Node) -> bool:
    key = constraint.key.lower()

    def same(*values: str) -> bool:
        wanted = constraint.value.lower()
        return any(value.lower() == wanted for value in values) == constraint.equal

    if key == "node.id":
        return same(node.id)
    if key == "node.hostname":
        return same(node.hostname)
    if key == "node.ip":
        return _ip_fits(constraint, node.status.addr)
    if key == "node.role":
        return same(node.role)
    if key == "node.platform.os":
        return same(node.description.os if node.description else "")
    if key == "node.platform.arch":
        return same(node.description.architecture if node.description else "")
    for prefix, labels in (
        ("node.labels.", node.spec.labels),
        ("engine.labels.", node.description.engine_labels if node.description else {}),
    ):
        if key.startswith(prefix) and len(key) > len(prefix):
            return same(labels.get(constraint.key[len(prefix) :], ""))
    return False


def _ip_fits(constraint: Constraint, address: str) -> bool:
    try:
        network = ipaddress.ip_network(constraint.value, strict=False)
        inside = ipaddress.ip_address(address) in network
    except ValueError:
        return False
    return inside == constraint.equal


def node_matches(constraints: list[Constraint], node: Node) -> bool:
    """Whether the node fits all constraints."""
    return all(_fits(constraint, node) for constraint in constraints)
