"""Variants of a scenario: other machines, other laws of failure, as changes at paths and as the command that runs them.

A variant is what ``swarmsim run FILE --set PATH=VALUE …`` runs, so that whoever reads a figure can have it again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from copy import deepcopy
from io import StringIO
from typing import Any, Literal, NamedTuple

from ruamel.yaml import YAML

from swarmsim.scenario.parts import fitting, is_pattern
from swarmsim.scenario.schema import Scenario

Law = dict[str, Any]
"""A fault process as a scenario file has it."""


class Layout:
    """The machines of a scenario and the laws by which they fail, to be changed. Patterns of names are followed at once.

    ``data`` is the scenario as its file has it, ``scenario`` the same checked.
    """

    def __init__(self, data: Mapping[str, Any], scenario: Scenario) -> None:
        cluster = data.get("cluster") or {}
        managers, workers = scenario.cluster.names()
        self.managers, self.workers = list(managers), list(workers)
        self.sites = {site: fitting(named, self.names) for site, named in scenario.cluster.sites.items()}
        self.hosts: dict[str, Any] = deepcopy(cluster.get("hosts") or {})
        faults = data.get("faults") or []
        self.faults: list[Law] = deepcopy(faults if isinstance(faults, list) else [faults])
        for law, process in zip(self.faults, scenario.faults, strict=True):
            if process.named:
                law["site" if process.site is not None else "hosts"] = fitting(process.named, self.names)
        self._before = self._values()

    def copy(self) -> Layout:
        return deepcopy(self)

    @property
    def names(self) -> list[str]:
        return [*self.managers, *self.workers]

    def twin(self, of: str, role: Literal["manager", "worker"]) -> str:
        """One host more, like another in all that is said of that by name: size, labels, site, laws. Its name."""
        others = self.managers if role == "manager" else self.workers
        name = self._free(others[-1] if others else of)
        others.append(name)
        said = self._said_of(of)
        if said:
            self.hosts[name] = said
        for group in self._groups():
            if of in group:
                group.append(name)
        return name

    def keep(self, names: Collection[str]) -> None:
        """No hosts but these."""
        gone = set(self.names) - set(names)
        for group in (self.managers, self.workers, *self._groups()):
            group[:] = [name for name in group if name not in gone]
        self.hosts = {name: settings for name, settings in self.hosts.items() if self._means_any(name)}
        self.sites = {site: members for site, members in self.sites.items() if members}
        self.faults = [law for law in self.faults if law.get("hosts", law.get("site"))]

    def changes(self) -> dict[str, Any]:
        """What is not as the scenario has it, by path."""
        return {path: deepcopy(value) for path, value in self._values().items() if value != self._before[path]}

    def _said_of(self, host: str) -> dict[str, Any]:
        """What is special about a host, but for its address: by patterns that fit it, and before them by its name."""
        said: dict[str, Any] = {}
        for name in [*(name for name in self.hosts if is_pattern(name) and fitting([name], [host])), host]:
            for key, value in self.hosts.get(name, {}).items():
                if key != "address":
                    said[key] = {**said.get(key, {}), **value} if isinstance(value, dict) else deepcopy(value)
        return said

    def _means_any(self, name: str) -> bool:
        """Whether a name or a pattern is that of any host there is."""
        return bool(set(fitting([name], self.names)) & set(self.names))

    def _groups(self) -> list[list[str]]:
        named = [law.get("site", law.get("hosts")) for law in self.faults]
        return [*self.sites.values(), *(group for group in named if isinstance(group, list))]

    def _values(self) -> dict[str, Any]:
        values = {
            "cluster.managers": _as_number(self.managers, "m"),
            "cluster.workers": _as_number(self.workers, "w"),
            "cluster.sites": self.sites,
            "cluster.hosts": self.hosts,
            "faults": self.faults,
        }
        return deepcopy(values)

    def _free(self, like: str) -> str:
        """A name that no host has, counted on from another.

        >>> Layout({}, Scenario(name="x"))._free("m1")
        'm2'
        """
        stem, digits = re.fullmatch(r"(.*?)(\d*)", like).groups()  # type: ignore[union-attr]
        stem, number = (stem, int(digits)) if digits else (f"{stem}-", 1)
        names = {*self.names, *self.hosts}
        while (name := f"{stem}{(number := number + 1)}") in names:
            pass
        return name


def _as_number(names: list[str], letter: str) -> int | list[str]:
    """How many, where the names are those that a number stands for."""
    return len(names) if names == [f"{letter}{number + 1}" for number in range(len(names))] else names


class Variant(NamedTuple):
    """A scenario with other values at some paths, and the seeds it is run with. ``source`` is how its file is named."""

    source: str
    changes: dict[str, Any]
    seeds: range

    @property
    def command(self) -> str:
        """What to type for the same figures.

        >>> Variant("shop.yaml", {"cluster.managers": 5, "faults": []}, range(1, 21)).command
        "swarmsim run shop.yaml --set cluster.managers=5 --set 'faults=[]' --seeds 20"
        """
        words = ["swarmsim", "run", self.source]
        for path, value in self.changes.items():
            words += ["--set", f"{path}={flow(value)}"]
        if self.seeds.start != 1:
            words += ["--seed", str(self.seeds.start)]
        if len(self.seeds) > 1:
            words += ["--seeds", str(len(self.seeds))]
        return shlex.join(words)

    def only(self, seed: int) -> Variant:
        """The run of one seed."""
        return self._replace(seeds=range(seed, seed + 1))


def flow(value: Any) -> str:
    """A value as YAML in one line.

    >>> flow([{"at": "2m", "fault": {"power-off": "w1"}}])
    '[{at: 2m, fault: {power-off: w1}}]'
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 2**30
    stream = StringIO()
    yaml.dump([value], stream)
    return stream.getvalue().strip()[1:-1]  # quoted as an entry of a list is: it will be read as one
