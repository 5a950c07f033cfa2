"""Faults as a scenario writes them: their hosts by the names of the moment, their words, what a world is given to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from swarmsim.scenario.duration import UNITS
from swarmsim.scenario.parts import fitting
from swarmsim.scenario.schema import AnyContainer, Fault
from swarmsim.trace import rows
from swarmsim.world import ContainerChoice

Resolve = Callable[[str], str]

OF_HOSTS = ("power-off", "kill-host", "power-on", "kill-engine", "stop-engine", "start-engine", "partition")
"""Verbs that may be given patterns of names."""

OF_ONE_HOST = ("latency", "loss", "block", "unblock", "mtu", "clock", "authority")
"""Verbs whose argument begins with a host."""
OF_CONTAINERS = ("kill-container", "fail-healthcheck")


def resolved(fault: Fault, host: Resolve, hosts: Sequence[str] = ()) -> Any:
    """The argument of a fault as :meth:`swarmsim.world.World.fault` takes it; ``host`` tells which host a name means now, ``hosts`` are
    all that a pattern may fit."""
    argument = fault.argument
    if fault.verb == "latency":
        return host(argument.host), argument.by
    if fault.verb == "loss":
        return host(argument.host), argument.percent / 100
    if fault.verb in ("block", "unblock"):
        return host(argument.host), argument.ports
    if fault.verb == "mtu":
        return host(argument.host), argument.bytes
    if fault.verb == "clock":
        return host(argument.host), argument.by, argument.drift
    if fault.verb == "authority":
        return argument.host, argument.answers, argument.after
    if fault.verb in OF_CONTAINERS:
        if isinstance(argument, AnyContainer):
            return ContainerChoice(on=host(argument.on), service=argument.service)
        return ContainerChoice(task=argument)
    if fault.verb == "partition":
        return [fitting([host(name) for name in group], hosts) for group in argument]
    if argument == "all":
        return []
    return fitting([host(name) for name in ([argument] if isinstance(argument, str) else argument)], hosts)


def in_words(verb: str, argument: Any) -> str:
    """A fault and its resolved argument, as the timeline shows them."""
    words = verb.replace("-", " ")
    if verb == "latency":
        return f"latency {argument[0]} {argument[1]:g} s"
    if verb == "loss":
        return f"loss {argument[0]} {100 * argument[1]:g} %"
    if verb in ("block", "unblock"):
        return f"{verb} {argument[0]} {' '.join(f'{port}/{protocol}' if port else protocol for protocol, port in argument[1])}"
    if verb == "mtu":
        return f"mtu {argument[0]} {f'{argument[1]} bytes' if argument[1] is not None else 'as usual'}"
    if verb == "clock":
        name, seconds, drift = argument
        drifting = f", {'gaining' if drift > 0 else 'losing'} {abs(1e6 * drift):g} ppm" if drift else ""
        return f"clock {name} {_off(seconds)}{drifting}"
    if verb == "authority":
        name, answers, after = argument
        return f"authority {name} answers {answers}" + ("" if after is None else f" after {after:g} s")
    if verb == "partition":
        return "partition " + " | ".join(" ".join(group) for group in argument)
    if verb in OF_CONTAINERS:
        return f"{words} {argument}"
    return f"{words} {' '.join(argument) or 'all'}"


def _off(seconds: float) -> str:
    """``2 h behind``, ``90 s ahead``, ``right``."""
    if not seconds:
        return "right"
    size = abs(seconds)
    unit, length = next(((unit, UNITS[unit]) for unit in ("d", "h", "m") if not size % UNITS[unit]), ("s", 1.0))
    return f"{size / length:g} {unit} {'behind' if seconds < 0 else 'ahead'}"


def fault_row(fault: Fault, argument: Any) -> rows.Step:
    """The row of a fault with its resolved argument."""
    row: rows.Step = {"what": in_words(fault.verb, argument), "verb": fault.verb, "hosts": _named(fault.verb, argument)}
    if isinstance(fault.argument, str) and len(row["hosts"]) == 1:
        row["node"] = row["hosts"][0]
    return row


def _named(verb: str, argument: Any) -> list[str]:
    """The hosts that a fault names; none where it means all, or a container wherever that is."""
    if verb in OF_ONE_HOST:
        return [argument[0]]
    if verb in OF_CONTAINERS:
        return [argument.on] if argument.on is not None else []
    if verb == "partition":
        return [host for group in argument for host in group]
    return list(argument)
