"""Eager and lazy runs compared event by event: the same luck in both, so that nothing may differ.

Luck is made the same by taking it away: every stream of random numbers says one number for ever, so it does not matter how many are
drawn. Latencies, periods and pauses are then constant, and what a rule draws for a component is what the component would have drawn
itself. Names and identifiers are still drawn: they are not left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

import pytest

from swarmsim.network.agent import GossipAgent
from swarmsim.sim.net.channel import Connectivity
from swarmsim.sim.quiescence import Dormant, Skippable, SkipRule
from swarmsim.sim.streams import RandomStreams
from swarmsim.swarm.manager.raftnode import RaftNode
from tests.conftest import Lab

Step = Callable[[Lab], object]

TOLERANCE = 1e-4
"""Seconds: sums of the same intervals in another order differ, and a dormant heartbeat takes no time (docs/time.md, Limits)."""

REPLACED = ("dispatcher", "grpc", "heartbeats", "reconnects", "gossip/links", "calm/gossip")
"""Streams that a rule draws from, or draws for: they say the same."""

NOISY = frozenset({"raft.message", "raft.sent"})
"""What dormant timers would have sent. Whoever asks for the first keeps Raft awake."""


class Steady(Random):
    """Says ``value`` whenever it is asked for a number between 0 and 1; identifiers (``getrandbits``) are new every time."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.value = 0.5 if name.endswith(REPLACED) else 0.1 + 0.8 * crc32(name.encode()) / 2**32

    def random(self) -> float:
        return self.value

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu


@contextmanager
def steady_luck() -> Iterator[None]:
    def stream(self: RandomStreams, name: str) -> Random:
        return self._streams.setdefault(name, Steady(name))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RandomStreams, "stream", stream)
        yield


class Schedule(NamedTuple):
    """What happens to a cluster: ``steps`` with the seconds before each. It must be long enough after the last for consequences to show."""

    name: str
    steps: list[tuple[float, Step]]
    managers: int = 3
    workers: int = 1
    gossip: bool = False


class Event(NamedTuple):
    """What happened, apart from when; ``numbers`` are the moments in it, which are compared as moments."""

    what: str
    at: float
    numbers: tuple[float, ...]


class Outcome(NamedTuple):
    events: list[Event]
    """Every row of the trace."""
    stands: list[Event]
    """Where each component stood before every step."""
    rested: dict[Callable[..., Any], float]
    """By the timer's step: seconds it was dormant."""


def run(schedule: Schedule, *, eager: bool, wake: bool = False) -> Outcome:
    """Run it with steady luck. ``wake``: wake everybody before each step, to see where they stand then; only so ``stands`` of a
    lazy run mean anything. What a step changes and forgets to say would go unnoticed then.
    """
    rows: list[dict[str, Any]] = []
    with steady_luck():
        lab = Lab(schedule.managers, schedule.workers, formed=False, eager=eager, gossip=schedule.gossip)
        rested = _watch(lab)
        lab.world.subscribe(rows.append, without=NOISY)
        lab.world.introduce()
        lab.world.observe()
        lab.world.run(lab.world.form())
        stands: list[Event] = []
        for pause, step in schedule.steps:
            lab.sleep(pause)
            if wake:
                for dormant in lab.world.clock.quiescence.dormants:
                    dormant.wake()
            stands += where_all_stand(lab)
            step(lab)
        for dormant in lab.world.clock.quiescence.dormants:
            dormant.wake()
    return Outcome([_event(row) for row in rows], stands, rested)


def _watch(lab: Lab) -> dict[Callable[..., Any], float]:
    rested: dict[Callable[..., Any], float] = {}
    quiescence, clock = lab.world.clock.quiescence, lab.world.clock

    class Watched:
        def __init__(self, step: Callable[..., Any], rule: SkipRule) -> None:
            self.step, self.rule = step, rule

        def dormant(self, timer: Skippable) -> Dormant | None:
            dormant, since = self.rule.dormant(timer), clock.now
            if dormant is not None:
                wake_up = dormant.wake_up

                def wake() -> None:
                    rested[self.step] = rested.get(self.step, 0.0) + clock.now - since
                    wake_up()

                dormant.wake_up = wake
            return dormant

    quiescence.rules = {step: Watched(step, rule) for step, rule in quiescence.rules.items()}
    return rested


def where_all_stand(lab: Lab) -> list[Event]:
    world = lab.world
    found: list[Event] = []

    def note(what: str, *numbers: float) -> None:
        found.append(Event(what, world.clock.now, numbers))

    for host in world.hosts:
        raft = world.raft_on(host)
        if raft is not None:
            _note_raft(host, raft, note)
        _note_gossip(host, world.engines[host].gossip, note)
        node = world.engines[host].node
        if node is None:
            continue
        if node.manager is not None and node.manager.dispatcher is not None:
            for node_id, registration in node.manager.dispatcher.registrations.items():
                deadline = registration.deadline
                note(f"{host} awaits {node_id} {bool(registration.session_id)}", deadline.due, deadline.seconds)
        session = node.agent.session if node.agent is not None else None
        if session is not None and session.registered:
            note(f"{host} in session with {session.manager}", session.heartbeats.due)
    return found


def _note_gossip(host: str, gossip: GossipAgent | None, note: Callable[..., None]) -> None:
    if gossip is None:
        return
    db, members = gossip.db, gossip.members
    states = sorted((member.address, str(member.state)) for member in members.members.values())
    order, place = members.round
    note(
        f"{host} knows {states}, probes {[member.address for member in order]} from {place}, doubts {members.awareness.score}, "
        f"failed {[node.address for node in db.nodes.failed.values()]}, {db.reconnecting.beat.busy}",
        *(
            timer.due
            for timer in (gossip.probing, gossip.reaping, gossip.syncing, gossip.rejoining, gossip.reconnecting)
        ),
    )


def _note_raft(host: str, raft: RaftNode, note: Callable[..., None]) -> None:
    core = raft.core
    note(
        f"{host} {core.role} in term {core.term}, countdown {core.election_elapsed} of {core.randomized_timeout}",
        raft.ticker.due,
    )
    if not raft.is_leader:
        return
    for id, peer in raft.peers.items():
        progress, state = core.progress[id], peer.channel.state
        # What was to be sent since an attempt to connect began is not made good for (docs/time.md, Limits).
        known = state is not Connectivity.CONNECTING
        note(
            f"{host} leads {peer.member.host}: {progress.state} {progress.match} {progress.next} {progress.recent_active}, "
            f"{peer.active} {state}, {len(peer.queue) if known else 'some'} wait",
            *([peer.call.deadline] if known and peer.call is not None else []),
        )


def _event(row: dict[str, Any]) -> Event:
    numbers = tuple(value for value in row.values() if isinstance(value, float))
    rest = {key: value for key, value in row.items() if not isinstance(value, float)}
    return Event(json.dumps(rest, default=str), row["t"], numbers)


def differences(eager: Collection[Event], lazy: Collection[Event]) -> list[str]:
    """What happened in one run and not in the other, or at another time. Simultaneous events may change places."""
    sides: list[dict[tuple[str, int], list[tuple[float, ...]]]] = [{}, {}]
    for events, side in zip((eager, lazy), sides, strict=True):
        for event in events:
            side.setdefault((event.what, len(event.numbers)), []).append((event.at, *event.numbers))
    found: list[tuple[float, str]] = []
    for key in dict.fromkeys((*sides[0], *sides[1])):
        what, (one, other) = key[0], (side.get(key, []) for side in sides)
        if len(one) != len(other):
            found.append(
                (min(at for at, *_ in (*one, *other)), f"{len(one)} times eagerly, {len(other)} lazily: {what}")
            )
        for here, there in zip(one, other, strict=False):
            if any(abs(a - b) > TOLERANCE for a, b in zip(here, there, strict=True)):
                found.append((min(here[0], there[0]), f"{here} eagerly, {there} lazily: {what}"))
                break
    return [text for _, text in sorted(found)]
