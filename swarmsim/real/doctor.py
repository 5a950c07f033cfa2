"""``swarmsim doctor``: whether a scenario can run on some hosts, line by line, each with a remedy.

:func:`examine` asks the hosts (:mod:`~swarmsim.real.facts`, :mod:`~swarmsim.real.ports`), :func:`judge` says what is to be thought of the answers. A run
on real hosts is refused by the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from swarmsim.real.doctortexts import CHECKS, SAID
from swarmsim.real.facts import Facts, ask_all
from swarmsim.real.machine import Machine
from swarmsim.real.ports import PORTS, Way, latency, try_all

MB, GB = 1024**2, 1024**3
FULL, LOW = 200 * MB, 2 * GB
"""Bytes of a disk below which it is as good as full, or soon will be."""
LITTLE = 256 * MB
"""Bytes of free memory below which a host is slow."""
OFF, UNUSABLE = 1.0, 3600.0
"""Seconds a clock may be off: more is told; with more, certificates (back-dated an hour, as swarmkit/ca has it) are refused."""
NAMED = 4
"""How many names a line tells before it says how many more there are."""
MANAGERS = 2377


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Something to know."""
    WARN = "warning"
    """A scenario can run, but what it shows may not be what was meant."""
    FAIL = "failure"
    """No scenario can run."""


class Line(NamedTuple):
    """What one check found on some hosts (none named: on all). ``what`` is a row of :data:`~swarmsim.real.doctortexts.SAID`."""

    check: str
    hosts: tuple[str, ...]
    verdict: Verdict
    what: str
    fields: Mapping[str, Any] = {}

    def found(self, lang: str = "en") -> str:
        said = SAID[self.what]
        return (said.en if lang == "en" else said.zh).format(**self.fields)

    def remedy(self, lang: str = "en") -> str:
        said = SAID[self.what]
        return (said.remedy_en if lang == "en" else said.remedy_zh).format(**self.fields)


class Examined(NamedTuple):
    """What hosts told, and which ports of each other they reach; ``roles`` are what they are meant to become."""

    facts: Mapping[str, Facts]
    ways: Sequence[Way]
    roles: Mapping[str, str]

    @property
    def asked(self) -> list[Facts]:
        """Those that answered."""
        return [facts for facts in self.facts.values() if not facts.trouble]


async def examine(machines: Sequence[Machine], *, ports: bool = True) -> Examined:
    """Ask hosts what they are; with ``ports`` they also try each other's."""
    facts = await ask_all(machines)
    there = [machine for machine in machines if not facts[machine.name].trouble]
    ways = await try_all(there, facts) if ports else []
    return Examined(facts, ways, {machine.name: machine.role for machine in machines})


def judge(examined: Examined, *, adopt: bool = False) -> list[Line]:
    """A line or more for every check, in the order of :data:`CHECKS`. With ``adopt`` hosts are only looked at: they may be in use."""
    lines = [line for check in JUDGES.values() for line in check(examined)]
    if adopt:
        return [line._replace(verdict=Verdict.NOTE) if line.check in IN_USE else line for line in lines]
    return lines


def failures(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.verdict is Verdict.FAIL]


IN_USE: Collection[str] = ("swarm", "containers")
Judge = Callable[[Examined], Iterator[Line]]
Each = Callable[[Facts], "tuple[Verdict, str, Mapping[str, Any]] | None"]


def _each(
    check: str,
    bad: Each,
    good: str,
    fields: Callable[[list[Facts]], Mapping[str, Any]] | None = None,
    told_before: Each | None = None,
) -> Judge:
    """A check of each host for itself: what ``bad`` says of it, else one line ``good`` of all others. Hosts of which ``told_before`` has said why this
    cannot be well are left out."""

    def judged(examined: Examined) -> Iterator[Line]:
        well = []
        for facts in examined.asked:
            if told_before is not None and told_before(facts) is not None:
                continue
            if (found := bad(facts)) is None:
                well.append(facts)
            else:
                yield Line(check, (facts.name,), *found)
        if well:
            yield Line(check, _hosts(well, examined), Verdict.OK, good, fields(well) if fields is not None else {})

    return judged


def _hosts(found: Sequence[Facts], examined: Examined) -> tuple[str, ...]:
    """Their names; none if it is all of them."""
    return () if len(found) == len(examined.facts) else tuple(facts.name for facts in found)


def _reach(examined: Examined) -> Iterator[Line]:
    for facts in examined.facts.values():
        if facts.trouble:
            fields = {"trouble": facts.trouble, "address": facts.address}
            yield Line("reach", (facts.name,), Verdict.FAIL, "not reached", fields)
    if examined.asked:
        yield Line("reach", _hosts(examined.asked, examined), Verdict.OK, "reached")


def _docker(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    if not facts.client and not facts.engine:
        return Verdict.FAIL, "docker absent", {}
    if "permission denied" in facts.engine_trouble.lower():
        return Verdict.FAIL, "docker denied", {}
    return None


def _engine(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    if facts.engine:
        return None
    return Verdict.FAIL, "engine silent", {"trouble": facts.engine_trouble}


def _versions(examined: Examined) -> Iterator[Line]:
    asked = [facts for facts in examined.asked if facts.engine]
    engines, clients = (_hosts_by(asked, lambda facts: facts.engine), _hosts_by(asked, lambda facts: facts.client))
    kernels = _hosts_by(asked, lambda facts: facts.kernel)
    if len(engines) > 1:
        yield Line("versions", (), Verdict.FAIL, "versions differ", {"engines": _by(engines)})
    if len(clients) > 1:
        yield Line("versions", (), Verdict.WARN, "clients differ", {"clients": _by(clients)})
    if len(kernels) > 1:
        yield Line("versions", (), Verdict.NOTE, "kernels differ", {"kernels": _by(kernels)})
    if len(engines) == len(clients) == 1:
        yield Line(
            "versions", (), Verdict.OK, "versions ok", {"engine": next(iter(engines)), "client": next(iter(clients))}
        )


def _storage(examined: Examined) -> Iterator[Line]:
    asked = [facts for facts in examined.asked if facts.info.get("Driver")]
    drivers = _hosts_by(asked, lambda facts: f"{facts.info['Driver']}/{facts.info.get('CgroupDriver')}")
    for facts in asked:
        if facts.info["Driver"] not in ("overlay2", "overlayfs", "btrfs", "zfs"):
            yield Line("storage", (facts.name,), Verdict.WARN, "storage slow", {"driver": facts.info["Driver"]})
    if len(drivers) > 1:
        yield Line("storage", (), Verdict.WARN, "storage differs", {"drivers": _by(drivers)})
    elif asked:
        fields = {"driver": asked[0].info["Driver"], "cgroup": asked[0].info.get("CgroupDriver")}
        yield Line("storage", (), Verdict.OK, "storage ok", fields)


def _live_restore(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    return (Verdict.FAIL, "live-restore on", {}) if facts.info.get("LiveRestoreEnabled") else None


def _swarm(examined: Examined) -> Iterator[Line]:
    free = []
    for facts in examined.asked:
        if facts.in_foreign_swarm:
            fields = {"state": facts.swarm_state, "node": facts.node_id[:12] or "unknown"}
            yield Line("swarm", (facts.name,), Verdict.FAIL, "swarm foreign", fields)
        elif facts.swarm_state != "inactive":
            yield Line("swarm", (facts.name,), Verdict.NOTE, "swarm ours")
        else:
            free.append(facts)
    if free:
        yield Line("swarm", _hosts(free, examined), Verdict.OK, "swarm none")


def _containers(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    if not facts.foreign:
        return None
    return Verdict.FAIL, "containers foreign", {"n": len(facts.foreign), "names": _some(facts.foreign)}


def _names(examined: Examined) -> Iterator[Line]:
    by = _hosts_by(examined.asked, lambda facts: facts.hostname)
    well = True
    for hostname, hosts in by.items():
        if len(hosts) > 1:
            well = False
            fields = {"hosts": ", ".join(hosts), "hostname": hostname}
            yield Line("names", tuple(hosts), Verdict.FAIL, "names twice", fields)
        elif hosts[0] != hostname:
            well = False
            fields = {"hostname": hostname, "host": hosts[0]}
            yield Line("names", tuple(hosts), Verdict.FAIL, "name other", fields)
    if well and by:
        yield Line("names", (), Verdict.OK, "names ok")


def _hosts_file(examined: Examined) -> Iterator[Line]:
    well = True
    for facts in examined.asked:
        others = [other for other in examined.asked if other is not facts and other.hostname]
        lacks = [other for other in others if other.hostname not in facts.resolved]
        wrong = [other for other in others if facts.resolved.get(other.hostname, other.address) != other.address]
        for what, found in (("hosts lacks", lacks), ("hosts wrong", wrong)):
            if found:
                well = False
                lines = "; ".join(f"{other.address} {other.hostname}" for other in found)
                fields = {"names": ", ".join(other.hostname for other in found), "lines": lines}
                yield Line("hosts", (facts.name,), Verdict.NOTE if found is lacks else Verdict.WARN, what, fields)
    if well and examined.asked:
        yield Line("hosts", (), Verdict.OK, "hosts ok")


def _address(examined: Examined) -> Iterator[Line]:
    for facts in examined.asked:
        own = next((each for each in facts.interfaces if each.address == facts.address), None)
        others = [f"{each.address} ({each.name})" for each in facts.interfaces if each is not own]
        shared = [
            other.name
            for other in examined.asked
            if other is not facts and facts.address in [each.address for each in other.interfaces]
        ]
        fields = {"address": facts.address, "others": ", ".join(shared or others) or "none"}
        if shared:
            yield Line("address", (facts.name,), Verdict.FAIL, "address nat", fields)
        elif own is None:
            yield Line("address", (facts.name,), Verdict.FAIL, "address not its", fields)
        else:
            what = "address several" if others else "address ok"
            verdict = Verdict.NOTE if others else Verdict.OK
            yield Line("address", (facts.name,), verdict, what, {**fields, "interface": own.name})


def _ports(examined: Examined) -> Iterator[Line]:
    for facts in examined.asked:
        if facts.python is None:
            yield Line("ports", (facts.name,), Verdict.WARN, "ports untried")
    asked = [way for way in examined.ways if way.port != MANAGERS or examined.roles[way.to] == "manager"]
    for kind, port in PORTS:
        for to in examined.facts:
            shut = [way for way in asked if (way.to, way.kind, way.port) == (to, kind, port) and not way.ok]
            if shut:
                how = ", ".join(dict.fromkeys(HOW.get(way.how, way.how) for way in shut))
                fields = {"ways": _some([str(way) for way in shut]), "how": how, "to": to, "port": port, "kind": kind}
                yield Line("ports", (to,), Verdict.FAIL, "port closed", fields)
    used = list(dict.fromkeys(f"{way.to} {way.port}/{way.kind}" for way in asked if way.how == "used"))
    if used:
        yield Line("ports", (), Verdict.NOTE, "ports used", {"ways": _some(used)})
    tried = [way for way in asked if way.how != "used"]
    if tried and all(way.ok for way in tried):
        yield Line("ports", (), Verdict.OK, "ports ok", {"n": len(tried)})


HOW = {"silence": "no answer", "ECONNREFUSED": "refused", "EHOSTUNREACH": "no route", "EPERM": "its own firewall"}
"""What an answer that is none means."""


def _mtu(examined: Examined) -> Iterator[Line]:
    mtus = _hosts_by([facts for facts in examined.asked if facts.mtu], lambda facts: str(facts.mtu))
    if len(mtus) > 1:
        yield Line("mtu", (), Verdict.WARN, "mtu differs", {"mtus": _by(mtus)})
    lost = [way for way in examined.ways if way.full is not None and way.full != "ok"]
    if lost:
        mtu = examined.facts[lost[0].source].mtu
        yield Line("mtu", (), Verdict.WARN, "mtu vanishes", {"mtu": mtu, "ways": _some([str(way) for way in lost])})
    elif len(mtus) == 1 and any(way.full for way in examined.ways):
        yield Line("mtu", (), Verdict.OK, "mtu ok", {"mtu": next(iter(mtus))})


def _latency(examined: Examined) -> Iterator[Line]:
    found = latency(examined.ways)
    if found is not None:
        yield Line("latency", (), Verdict.OK, "latency", {"ms": f"{found * 1000:.2g}"})


def _clock(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    off = max(0.0, abs(facts.ahead) - facts.give_or_take)
    fields = {"ahead": f"{facts.ahead:+.1f}"}
    if off >= UNUSABLE:
        return Verdict.FAIL, "clock unusable", fields
    return (Verdict.WARN, "clock off", fields) if off >= OFF else None


def _disk(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    fields = {"free": size(facts.disk_free)}
    if facts.disk_free < FULL:
        return Verdict.FAIL, "disk full", fields
    return (Verdict.WARN, "disk low", fields) if facts.disk_free < LOW else None


def _memory(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    if facts.memory_free >= LITTLE:
        return None
    return Verdict.WARN, "memory low", {"free": size(facts.memory_free), "whole": size(facts.memory)}


def _firewall(examined: Examined) -> Iterator[Line]:
    none = []
    for facts in examined.asked:
        if not facts.firewalls:
            none.append(facts)
            continue
        there = [way for way in examined.ways if way.to == facts.name]
        passed = bool(there) and all(way.ok for way in there)
        what = "firewall open" if passed else "firewall active"
        verdict = Verdict.OK if passed else Verdict.NOTE
        yield Line("firewall", (facts.name,), verdict, what, {"names": ", ".join(facts.firewalls)})
    if none:
        yield Line("firewall", _hosts(none, examined), Verdict.OK, "firewall none")


def _tools(facts: Facts) -> tuple[Verdict, str, Mapping[str, Any]] | None:
    if "nft" in facts.tools:
        return None
    if "iptables" in facts.tools:
        return Verdict.NOTE, "tools iptables", {}
    return Verdict.WARN, "tools lack", {}


JUDGES: dict[str, Judge] = {
    "reach": _reach,
    "docker": _each("docker", _docker, "docker ok"),
    "engine": _each("engine", _engine, "engine ok", told_before=_docker),
    "versions": _versions,
    "storage": _storage,
    "live-restore": _each("live-restore", _live_restore, "live-restore off"),
    "swarm": _swarm,
    "containers": _each("containers", _containers, "containers none"),
    "names": _names,
    "hosts": _hosts_file,
    "address": _address,
    "ports": _ports,
    "mtu": _mtu,
    "latency": _latency,
    "clock": _each(
        "clock",
        _clock,
        "clock ok",
        lambda well: {"most": f"{max(abs(facts.ahead) + facts.give_or_take for facts in well):.2f}"},
    ),
    "disk": _each("disk", _disk, "disk ok", lambda well: {"free": size(min(facts.disk_free for facts in well))}),
    "memory": _each(
        "memory", _memory, "memory ok", lambda well: {"free": size(min(facts.memory_free for facts in well))}
    ),
    "firewall": _firewall,
    "tools": _each("tools", _tools, "tools ok"),
}
assert list(JUDGES) == list(CHECKS)


def _hosts_by(asked: Sequence[Facts], key: Callable[[Facts], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for facts in asked:
        found.setdefault(key(facts), []).append(facts.name)
    return found


def _by(found: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{value} on {', '.join(hosts)}" for value, hosts in found.items())


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" (+{more})" if more > 0 else "")


def size(count: int) -> str:
    """
    >>> size(300 * 1024**2), size(5 * 1024**3)
    ('300 MB', '5.0 GB')
    """
    return f"{count / GB:.1f} GB" if count >= GB else f"{count / MB:.0f} MB"
