"""How ``docker service inspect --pretty`` shows the value of an option (docker/cli command/service/formatter.go).

A row of the table of options names one of these; each makes the lines of a value, none where there is nothing to show.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from swarmsim.apitypes.specs import ConfigReference, Driver, Mode, Mount, PlacementPreference, SecretReference, Ulimit
from swarmsim.go.duration import format_duration
from swarmsim.go.fmt import show

Lines = Callable[[Any], list[str]]


def line(form: str, text: Callable[[Any], str] = str, always: bool = False) -> Lines:
    """One line, with the value in it; ``always``, even if it is empty."""
    return lambda value: [form.format(text(value))] if value or always else []


def words(name: str) -> Lines:
    return line(f" {name}:\t\t{{}} ", " ".join)


def duration(form: str, always: bool = False) -> Lines:
    return line(form, lambda value: format_duration(value or 0), always)


def given(form: str) -> Lines:
    """Whatever it is, if it was given at all."""
    return lambda value: [] if value is None else [form.format(show(value))]


def ratio(value: Any) -> list[str]:
    return [f" Max failure ratio: {show(float(value))}"]


def cpus(value: int) -> list[str]:
    number = value / 1e9
    text = str(int(number)) if number == math.floor(number) else f"{number:g}"
    return [f"  CPU:\t\t{text}"] if value else []


def pairs(value: dict[str, str] | None, lead: str = " ", mark: str = "=") -> list[str]:
    """A line for each key, sorted; ``mark`` stands before a text that is not empty."""
    return [f"{lead}{key}{mark + text if text else ''}" for key, text in sorted((value or {}).items())]


def labels(value: dict[str, str]) -> list[str]:
    rows = pairs(value)
    return ["Labels:", *rows] if rows else []


def mode(value: Mode) -> list[str]:
    if value.replicated is not None:
        replicas = value.replicated.replicas
        return ["Service Mode:\tReplicated", *([f" Replicas:\t{replicas}"] if replicas else [])]
    # The client has no words for jobs.
    return ["Service Mode:\tGlobal" if value.global_ is not None else "Service Mode:"]


def preferences(value: list[PlacementPreference] | None) -> list[str]:
    texts = [f"spread={each.spread.spread_descriptor}" for each in value or ()]
    return [f" Preferences:   {show(texts)}"] if texts else []


def mounts(value: list[Mount] | None) -> list[str]:
    lines = []
    for mount in value or ():
        lines += [
            f" Target:\t{mount.target}",
            f"  Source:\t{mount.source}",
            f"  ReadOnly:\t{show(mount.read_only)}",
            f"  Type:\t\t{mount.type}",
        ]
    return ["Mounts:", *lines] if lines else []


def _files(title: str, references: list[tuple[Any, str]]) -> list[str]:
    lines = [f"{title}:"] if references else []
    for file, name in references:
        lines += [f" Target:\t{file.name if file is not None else ''}", f"  Source:\t{name}"]
    return lines


def secrets(value: list[SecretReference] | None) -> list[str]:
    return _files("Secrets", [(secret.file, secret.secret_name) for secret in value or ()])


def configs(value: list[ConfigReference] | None) -> list[str]:
    return _files("Configs", [(config.file, config.config_name) for config in value or ()])


def log_driver(value: Driver | None) -> list[str]:
    if value is None or not (value.name or value.options):
        return []
    options = pairs(value.options, "  ", ":       ")
    name = [f" Name:\t\t{value.name}"] if value.name else []
    return ["Log Driver:", *name, *([" LogOpts:", *options] if options else []), ""]


def sysctls(value: dict[str, str] | None) -> list[str]:
    rows = pairs(value, mark=": ")
    return ["SysCtls:", *rows] if rows else []


def ulimits(value: list[Ulimit] | None) -> list[str]:
    rows = [f" {limit.name}: {limit.soft}:{limit.hard}" for limit in sorted(value or (), key=lambda limit: limit.name)]
    return ["Ulimits:", *rows] if rows else []


def tests(value: list[str] | None) -> list[str]:
    return ["  Tests:", *(f"\t Test = {word}" for word in value[:-1]), f"\t Test = {value[-1]} "] if value else []
