"""Variables in compose files: ``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}``, ``${NAME:+other}``, ``$$``.

As docker/cli's cli/compose/template and interpolation: values only, not keys; a value that is wanted as a number or
a boolean is read as one after its variables were filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from swarmsim.go.strconv import parse_bool

_NAME = r"[_a-zA-Z][_a-zA-Z0-9]*"
_PATTERN = re.compile(
    rf"\$(?:(?P<escaped>\$)|(?P<plain>{_NAME})|\{{(?P<braced>{_NAME})(?:(?P<operator>:?[-?+])(?P<rest>[^}}]*))?\}}|(?P<bad>))"
)


class BadVariable(ValueError):
    """The text is no template, or a variable that must be there is not."""


def substitute(text: str, environment: Mapping[str, str], unset: Callable[[str], object]) -> str:
    """``text`` with its variables filled in; ``unset(name)`` is told of those that are not set.

    >>> substitute("mini:${TAG:-1}", {}, print)
    'mini:1'
    """

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["plain"] or match["braced"]
        if not name:
            raise BadVariable("invalid")
        there = environment.get(name)
        operator, rest = match["operator"] or "", match["rest"] or ""
        given = there is not None and not (operator.startswith(":") and not there)
        if operator.endswith("-"):
            return there if given and there is not None else substitute(rest, environment, unset)
        if operator.endswith("+"):
            return substitute(rest, environment, unset) if given else ""
        if operator.endswith("?") and not given:
            raise BadVariable(f"required variable {name} is missing a value: {rest}")
        if there is None:
            unset(name)
            return ""
        return there

    return _PATTERN.sub(value, text)


# Where values are not strings: the last parts of the path, "*" for any key (cli/compose/loader/interpolate.go).
CASTS: tuple[tuple[tuple[str, ...], type], ...] = (
    (("deploy", "replicas"), int),
    (("deploy", "placement", "max_replicas_per_node"), int),
    (("deploy", "update_config", "parallelism"), int),
    (("deploy", "update_config", "max_failure_ratio"), float),
    (("deploy", "rollback_config", "parallelism"), int),
    (("deploy", "rollback_config", "max_failure_ratio"), float),
    (("deploy", "restart_policy", "max_attempts"), int),
    (("deploy", "resources", "limits", "pids"), int),
    (("configs", "*", "mode"), int),
    (("secrets", "*", "mode"), int),
    (("healthcheck", "retries"), int),
    (("healthcheck", "disable"), bool),
    (("ports", "*", "target"), int),
    (("ulimits", "*"), int),
    (("ulimits", "*", "hard"), int),
    (("ulimits", "*", "soft"), int),
    (("privileged",), bool),
    (("read_only",), bool),
    (("stdin_open",), bool),
    (("tty",), bool),
    (("init",), bool),
    (("volumes", "*", "read_only"), bool),
    (("external",), bool),
    (("internal",), bool),
    (("attachable",), bool),
)


def cast(path: tuple[Any, ...], text: str) -> Any:
    """A filled-in value as what its place wants. Raises :class:`ValueError`."""
    for pattern, kind in CASTS:
        tail = path[-len(pattern) :]
        if len(tail) == len(pattern) and all(p in ("*", str(t)) for p, t in zip(pattern, tail, strict=True)):
            if kind is bool:
                return parse_bool(text)
            try:
                return kind(text)
            except ValueError:
                parser = "Atoi" if kind is int else "ParseFloat"
                raise ValueError(f'strconv.{parser}: parsing "{text}": invalid syntax') from None
    return text
