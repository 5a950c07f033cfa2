"""Variables in stack files: ``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME-default}``, ``${NAME:?message}``, ``$$``.

As docker/cli's cli/compose/template and interpolation. A default reaches to the next ``}`` and is not looked into; a variable
that is not set is empty; a text with a mistake is refused only if the last variable in it is wrong: Go's closure keeps
one error and each variable writes its own over it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from swarmsim.go.strconv import atoi, parse_float

_PATTERN = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>SUBST)|\{(?P<braced>SUBST)\}|(?P<invalid>))".replace(
        "SUBST", r"[_a-z][_a-z0-9]*(?::?[-?][^}]*)?"
    ),
    re.IGNORECASE,
)


class BadVariable(ValueError):
    """The message is what docker shows as the text."""


def substitute(text: str, environment: Mapping[str, str]) -> str:
    """``text`` with its variables filled in. Raises :class:`BadVariable`.

    >>> substitute("mini:${TAG:-1}", {})
    'mini:1'
    """
    problem: BadVariable | None = None

    def value(match: re.Match[str]) -> str:
        nonlocal problem
        if match["escaped"]:
            return "$"
        inside = match["named"] or match["braced"]
        if not inside:
            problem = BadVariable(text)
            return ""
        problem = None
        try:
            return _value(inside, environment)
        except BadVariable as found:
            problem = found
            return ""

    filled = _PATTERN.sub(value, text)
    if problem is not None:
        raise problem
    return filled


def _value(inside: str, environment: Mapping[str, str]) -> str:
    """The first of these separators in the text counts, wherever it stands."""
    for separator in (":-", "-", ":?", "?"):
        name, found, rest = inside.partition(separator)
        if not found:
            continue
        there = environment.get(name)
        if there is None or (separator[0] == ":" and not there):
            if "?" in separator:
                raise BadVariable(f"required variable {name} is missing a value: {rest}")
            return rest
        return there
    return environment.get(inside, "")


def _boolean(text: str) -> bool:
    if text.lower() in ("y", "yes", "true", "on"):
        return True
    if text.lower() in ("n", "no", "false", "off"):
        return False
    raise ValueError(f"invalid boolean: {text}")


CASTS: dict[Callable[[str], Any], tuple[str, ...]] = {
    atoi: (
        "services.*.configs.[].mode",
        "services.*.secrets.[].mode",
        "services.*.healthcheck.retries",
        "services.*.deploy.replicas",
        "services.*.deploy.update_config.parallelism",
        "services.*.deploy.rollback_config.parallelism",
        "services.*.deploy.restart_policy.max_attempts",
        "services.*.deploy.placement.max_replicas_per_node",
        "services.*.ports.[].target",
        "services.*.ports.[].published",
        "services.*.ulimits.*",
        "services.*.ulimits.*.hard",
        "services.*.ulimits.*.soft",
        "services.*.oom_score_adj",
    ),
    parse_float: (
        "services.*.deploy.update_config.max_failure_ratio",
        "services.*.deploy.rollback_config.max_failure_ratio",
    ),
    _boolean: (
        "services.*.healthcheck.disable",
        "services.*.privileged",
        "services.*.read_only",
        "services.*.stdin_open",
        "services.*.tty",
        "services.*.volumes.[].read_only",
        "services.*.volumes.[].volume.nocopy",
        "networks.*.external",
        "networks.*.internal",
        "networks.*.attachable",
        "volumes.*.external",
        "secrets.*.external",
        "configs.*.external",
    ),
}
"""Where a filled-in value is not text (cli/compose/loader/interpolate.go)."""
_CASTS = {pattern: cast for cast, patterns in CASTS.items() for pattern in patterns}


def cast(path: tuple[Any, ...], text: str) -> Any:
    """A filled-in value as what its place wants. Raises :class:`ValueError`."""
    parts = ["[]" if isinstance(part, int) else str(part) for part in path]
    for pattern, to in _CASTS.items():
        wanted = pattern.split(".")
        if len(wanted) == len(parts) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=True)):
            return to(text)
    return text


def shown(path: tuple[Any, ...]) -> str:
    """A path in a complaint about a variable: lists have no numbers."""
    return ".".join("[]" if isinstance(part, int) else str(part) for part in path)
