"""Hosts that are somebody's: looked at before anything is done to them, refused if they are in use, and asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from swarmsim.real.consent import Consents, Radius, ask_on_terminal, must_agree
from swarmsim.real.doctor import Examined, examine, failures, judge, size
from swarmsim.real.machine import Machine, MachineError
from swarmsim.real.ports import latency
from swarmsim.world import HostSpec


def to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr)


class Terms(NamedTuple):
    """On which terms hosts are used: what will be done, whether that was agreed to beforehand, and who is asked if not; ``tell`` is told what is
    otherwise at the end than before."""

    radius: Radius | None = None
    yes: bool = False
    consents: Consents | None = None
    ask: Callable[[Sequence[str]], bool | None] = ask_on_terminal
    tell: Callable[[str], None] = to_stderr


def chosen(place: str, machines: Sequence[Machine], specs: Sequence[HostSpec]) -> list[Machine]:
    """The machines that a scenario's hosts are, by name. Raises :class:`MachineError` if there are too few, or they are called otherwise."""
    by_name = {machine.name: machine for machine in machines}
    lacking = [spec.name for spec in specs if spec.name not in by_name]
    if len(specs) > len(machines):
        raise MachineError(
            f"{place} has {len(machines)} hosts, and the scenario wants {len(specs)}: {', '.join(lacking)} more; "
            "add hosts, or take a smaller cluster with --set cluster.workers=N"
        )
    if lacking:
        raise MachineError(
            f"{place} has no {', '.join(lacking)}, which the scenario wants; it has {', '.join(by_name)}: call them so there, or in the scenario"
        )
    return [by_name[spec.name] for spec in specs]


async def admitted(place: str, machines: Sequence[Machine], terms: Terms) -> Examined:
    """Examine hosts, and have it agreed to what will be done to them. Raises :class:`MachineError` if a scenario cannot run there, or nobody agrees."""
    examined = await examine(machines)
    refuse(place, examined)
    if terms.radius is not None:
        cluster = next((facts.cluster_id for facts in examined.asked if facts.cluster_id), "")
        must_agree(place, terms.radius, cluster, yes=terms.yes, consents=terms.consents, ask=terms.ask)
    return examined


def refuse(place: str, examined: Examined) -> None:
    """Raises :class:`MachineError` with the first reason why no scenario can run, and its remedy."""
    broken = failures(judge(examined))
    if broken:
        first = broken[0]
        more = f" (and {len(broken) - 1} more: swarmsim doctor {place})" if len(broken) > 1 else ""
        hosts = ", ".join(first.hosts) or place
        raise MachineError(f"{hosts}: {first.found()}; {first.remedy()}{more}")


def told_in_header(examined: Examined) -> dict[str, Any]:
    """The fields of a trace's header that tell of real hosts."""
    hosts = {
        facts.name: f"engine {facts.engine}, client {facts.client}, Linux {facts.kernel}, {facts.info.get('Driver')}, "
        f"{facts.info.get('NCPU')} cpus, {size(facts.memory)}"
        for facts in examined.asked
    }
    took = latency(examined.ways)
    return {"hosts": hosts} | ({} if took is None else {"latency": round(took * 1000, 4)})
