"""Hosts before and after: what is compared, so that nobody has to believe that a run left nothing behind."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from swarmsim.real.facts import MARK
from swarmsim.real.machine import Change, Machine, MachineError

PATIENCE = 60.0
"""Seconds a host gets to tell, and an engine to answer again."""
CLOCK = 1.0
"""Seconds by which a clock may drift in a run without being told."""

LOOK = """\
s() { echo "== $1"; }
s rules; nft list ruleset 2>/dev/null; iptables-save 2>/dev/null; iptables-legacy-save 2>/dev/null
s links; ip -o link show | sed 's/@[^:]*:/:/'
s addresses; ip -o addr show scope global
s shaping; tc qdisc show 2>/dev/null | grep netem
s services; systemctl list-units --type=service --state=running --plain --no-legend 2>/dev/null | cut -d' ' -f1
n=0; until docker version >/dev/null 2>&1 || [ $n -ge 150 ]; do sleep 0.2; n=$((n+1)); done
s engine; docker version --format '{{.Server.Version}}' 2>&1
s swarm; docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}' 2>/dev/null
s containers; docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' 2>/dev/null
s networks; docker network ls --format '{{.Name}} {{.Driver}}' 2>/dev/null
s volumes; docker volume ls --format '{{.Name}} {{.Driver}}' 2>/dev/null
s end
"""
PARTS = [line.split(";")[0].split()[1] for line in LOOK.splitlines() if line.startswith("s ")][:-1]
"""What is compared, besides clocks."""
COUNTERS = re.compile(r"\s*(counter packets \d+ bytes \d+|\[\d+:\d+\])")


class Seen(NamedTuple):
    """A host at one moment: lines by what they tell of, and how far its clock is ahead of this machine's in seconds."""

    parts: Mapping[str, tuple[str, ...]]
    ahead: float
    give_or_take: float


async def look_at(machines: Sequence[Machine]) -> dict[str, Seen]:
    """Raises :class:`MachineError` if a host does not tell."""
    seen = await asyncio.gather(*map(_look, machines))
    return {machine.name: one for machine, one in zip(machines, seen, strict=True)}


async def _look(machine: Machine) -> Seen:
    try:
        async with asyncio.timeout(PATIENCE):
            told = await machine.shell(machine.inside(LOOK))
            began = time.time()
            clock = await machine.shell(machine.inside("date +%s.%N"))
            ended = time.time()
    except TimeoutError:
        raise MachineError(f"{machine.name}: does not tell what it is like within {PATIENCE:g} s") from None
    if "== end" not in told.out:
        raise MachineError(f"{machine.name}: does not tell what it is like: {told.err.strip() or told.code}")
    return Seen(read(told.out), _float(clock.out, began) - (began + ended) / 2, (ended - began) / 2)


def _float(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


def read(told: str) -> dict[str, tuple[str, ...]]:
    """Lines by part, without counters, numbers of links and what comes and goes by itself."""
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    part = ""
    for line in told.splitlines():
        if line.startswith("== "):
            part = line[3:]
        elif part in parts and (clean := _clean(part, line)):
            parts[part].append(clean)
    return {name: tuple(lines) for name, lines in parts.items()}


def _clean(part: str, line: str) -> str:
    if part == "rules":
        return COUNTERS.sub("", line.rstrip()) if not line.startswith("#") else ""
    if part in ("links", "addresses"):
        words = line.split()
        if len(words) < 4 or words[1].startswith("veth"):
            return ""
        if part == "addresses":
            return f"{words[1].rstrip(':')} {words[3]}"
        up = "up" if "UP" in words[2].strip("<>").split(",") else "down"
        mtu = next((words[n + 1] for n, word in enumerate(words[:-1]) if word == "mtu"), "?")
        return f"{words[1].rstrip(':')} {up} mtu {mtu}"
    return line.strip()


def differences(before: Mapping[str, Seen], after: Mapping[str, Seen]) -> list[str]:
    """What is otherwise than it was, a sentence each; none if all is as before."""
    return [sentence for host, seen in before.items() for sentence in _of_host(host, seen, after.get(host))]


def _of_host(host: str, before: Seen, after: Seen | None) -> Iterator[str]:
    if after is None:
        yield f"{host}: cannot be asked any more"
        return
    for part in PARTS:
        was, now = before.parts[part], after.parts[part]
        if sorted(was) == sorted(now):
            continue
        yield from (f"{host}: {part}: gone: {line.strip()}" for line in _less(was, now))
        yield from (f"{host}: {part}: new: {line.strip()}" for line in _less(now, was))
    moved = after.ahead - before.ahead
    if abs(moved) > CLOCK + before.give_or_take + after.give_or_take:
        yield f"{host}: clock: moved by {moved:+.1f} s"


def _less(these: Sequence[str], those: Sequence[str]) -> list[str]:
    """The lines of these that those do not have, as often as they are more."""
    left = list(those)
    found = []
    for line in these:
        if line in left:
            left.remove(line)
        else:
            found.append(line)
    return found


def as_before(machine: Machine, seen: Seen) -> Change:
    """Nothing; but what undoes it makes a host leave the swarm that it is in by then, and removes containers, networks and volumes that it did not have.

    To be made before a host of :func:`look_at`, which is in no swarm, is brought into one.
    """
    kept = {
        part: " ".join(line.split()[0] for line in seen.parts[part]) for part in ("containers", "networks", "volumes")
    }
    chains = "" if any("DOCKER-INGRESS" in line for line in seen.parts["rules"]) else NO_INGRESS
    undo = UNDO.format(chains=chains, mark=MARK, **kept)
    return Change(machine.name, f"swarm {machine.name}", ":", machine.inside(undo))


UNDO = """\
n=0; until docker version >/dev/null 2>&1 || [ $n -ge 300 ]; do sleep 0.2; n=$((n+1)); done
docker version >/dev/null || exit 1
[ "$(docker info --format '{{{{.Swarm.LocalNodeState}}}}')" = inactive ] || docker swarm leave --force || exit 1
new() {{ for each in $1; do case " $2 " in *" $each "*) ;; *) echo $each ;; esac; done; }}
for each in $(new "$(docker ps -aq --no-trunc)" "{containers}"); do docker rm -f $each; done
for each in $(new "$(docker network ls --format '{{{{.Name}}}}')" "{networks}"); do
  n=0; until docker network rm $each || [ $n -ge 10 ]; do sleep 0.5; n=$((n+1)); done
done
for each in $(new "$(docker volume ls -q)" "{volumes}"); do docker volume rm $each; done
{chains}rm -f {mark}
true
"""
NO_INGRESS = """\
for table in filter nat; do
  iptables -t $table -S 2>/dev/null | grep -- '-j DOCKER-INGRESS' | sed 's/^-A/-D/' | while read -r rule; do iptables -t $table $rule; done
  iptables -t $table -F DOCKER-INGRESS 2>/dev/null; iptables -t $table -X DOCKER-INGRESS 2>/dev/null
done
"""
"""What an engine leaves behind in the packet filter when it leaves a swarm."""


def mark_node(machine: Machine) -> str:
    """A line of shell that notes on a host that its node is in a swarm of ours."""
    return machine.inside(f"mkdir -p $(dirname {MARK}); docker info --format '{{{{.Swarm.NodeID}}}}' >{MARK}")
