"""One look at another member (memberlist state.go probeNode).

=======  =========================================================================================================
second   what is done
=======  =========================================================================================================
0        a ping, by UDP
0.5      no answer: three others are asked to ping it, and it is called by TCP
interval no answer by then: it is suspected. Who was asked and did not even say "no answer yet" makes one doubt
         oneself (*awareness*)
=======  =========================================================================================================

The interval is 1 s times one more than the awareness score, which is 0 for a member that hears well, and at most 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from swarmsim.network.member import Member
from swarmsim.network.messages import Ack, IndirectPing, Ping, Reply, State, Suspect
from swarmsim.network.ports import Transport
from swarmsim.network.suspicion import PROBE_INTERVAL

PROBE_TIMEOUT = 0.5  # seconds, DefaultLANConfig
INDIRECT_CHECKS = 3  # DefaultLANConfig
AWARENESS_MAX_MULTIPLIER = 8  # DefaultLANConfig


class Awareness:
    """How much a member doubts that it hears well: 0 not at all, at most 7."""

    __slots__ = ("score",)

    def __init__(self) -> None:
        self.score = 0

    def apply(self, delta: int) -> None:
        self.score = min(max(self.score + delta, 0), AWARENESS_MAX_MULTIPLIER - 1)

    def scale(self, seconds: float) -> float:
        return seconds * (self.score + 1)


class Members(Protocol):
    """Whose probe it is: what a probe needs of the list it belongs to."""

    name: str
    address: str
    transport: Transport
    awareness: Awareness

    def next_seq(self) -> int: ...

    def say(self, address: str, message: Ping | IndirectPing) -> None: ...

    def random_members(self, count: int, wanted: Callable[[Member], bool]) -> list[Member]: ...

    def suspect(self, message: Suspect) -> None: ...

    def probed(self, probe: Probe, delta: int) -> None:
        """It is over; ``delta`` is what it says of one's own hearing."""


class Probe:
    """A probe under way."""

    __slots__ = ("_deadline", "_timer", "asked", "members", "nacks", "reached", "seq", "target")

    def __init__(self, members: Members, target: Member) -> None:
        self.members = members
        self.target = target
        self.asked = 0
        self.nacks = 0
        self.reached = False
        """By TCP."""
        self.seq = members.next_seq()
        transport = members.transport
        interval = members.awareness.scale(PROBE_INTERVAL)
        self._deadline = transport.now + interval
        ping = Ping(self.seq, target.name, members.address)
        if target.state is State.ALIVE:
            members.say(target.address, ping)
        else:  # so that it can refute at once
            suspect = Suspect(target.name, target.incarnation, members.name)
            transport.send(target.address, (ping, suspect))
        self._timer = transport.after(PROBE_TIMEOUT, self._no_answer)

    def _no_answer(self) -> None:
        members, target = self.members, self.target
        helpers = members.random_members(INDIRECT_CHECKS, lambda each: each.state is State.ALIVE and each is not target)
        self.asked = len(helpers)
        for helper in helpers:
            members.say(helper.address, IndirectPing(self.seq, target.name, target.address, members.address))
        left = self._deadline - members.transport.now
        ping = Ping(self.seq, target.name, members.address)
        members.transport.call(target.address, lambda: ping, left, self._called, lambda: None)
        self._timer = members.transport.after(left, self._over)

    def _called(self, answer: Reply) -> None:
        self.reached = isinstance(answer, Ack)

    def acked(self) -> None:
        self._timer.cancel()
        self.members.probed(self, -1)

    def _over(self) -> None:
        if self.reached:
            self.members.probed(self, -1)
            return
        delta = max(0, self.asked - self.nacks) if self.asked else 1
        self.members.probed(self, delta)
        self.members.suspect(Suspect(self.target.name, self.target.incarnation, self.members.name))

    def stop(self) -> None:
        self._timer.cancel()
