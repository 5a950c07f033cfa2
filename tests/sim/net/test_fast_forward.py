"""Attempts to connect that are left out, against a channel that makes every one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim.sim.net.channel import CONNECT_TIMEOUT, Channel, Connectivity
from swarmsim.sim.quiescence import Dormant, Phase
from tests.sim.net.pair import Pair

ROUND_TRIP = 0.002  # seconds: two links each way of half a millisecond


class LeaveOut:
    """The channel reconnects in vain, attempts of ``duration`` seconds. Luck is the channel's own."""

    def __init__(self, duration: float) -> None:
        self.duration = duration

    def dormant(self, timer):
        channel, now = timer.owner, timer.scope.clock.now
        if not channel.patient:
            return None
        pause = timer.due - now
        known = Phase(now - self.duration, pause, timer.due)

        def wake() -> None:
            rng = channel.process.host.rng("grpc")
            attempt = channel.attempts(self.duration).phase(known, timer.scope.clock.now, rng)
            channel.fast_forward(attempt, self.duration)

        return Dormant(timer.scope.clock.quiescence, (timer.scope,), wake)


def reconnecting(duration: float, cut: bool, until: float, skip: bool) -> tuple[Connectivity, float, int]:
    """The channel's state at ``until``, when that changes, and how many attempts were really made."""
    pair = Pair()
    if skip:
        pair.clock.quiescence.rules[Channel.redial] = LeaveOut(duration)
    if cut:
        pair.fabric.cut("a", "b")
    dials = 0
    dial = Channel.dial

    def counted(self, ago=0.0):
        nonlocal dials
        dials += 1
        dial(self, ago)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "dial", counted)
        channel = Channel(pair.client, pair.client, "10.0.0.2:2377", max_backoff=8.0)
        pair.run(until)
        for dormant in pair.clock.quiescence.dormants:
            dormant.wake()
        state, counted_dials = channel.state, dials
        while channel.state is state:
            pair.clock.run(pair.clock.peek() + 1e-9)
    return state, pair.clock.now, counted_dials


@given(cut=st.booleans(), until=st.floats(130, 1800))
def test_a_channel_is_where_every_attempt_would_have_left_it(cut, until):
    duration = CONNECT_TIMEOUT if cut else ROUND_TRIP
    state, following, dials = reconnecting(duration, cut, until, skip=False)
    skipped_state, skipped_following, skipped_dials = reconnecting(duration, cut, until, skip=True)
    assert (skipped_state, skipped_following) == (state, pytest.approx(following, abs=1e-6))
    assert skipped_dials <= min(7, dials)
