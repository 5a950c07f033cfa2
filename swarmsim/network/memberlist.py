"""Who is there: SWIM with Lifeguard, as HashiCorp's memberlist 0.4 has it.

- Once a second a member probes another, in a shuffled round over all (:mod:`.probe`). Who does not answer is *suspect*, and *dead* when
  that has lasted long enough (:mod:`.suspicion`).
- What is learnt is handed on, every 0.2 s to three others, also to the dead for 30 s, and with every ping.
- Who hears that it is suspect refutes with a greater *incarnation*. Of two messages about a member the greater incarnation counts; of
  equal ones, dead over suspect over alive.
- Every 30 s, more rarely among more than 32, two members tell each other all they know (push/pull).

The driver calls :meth:`Memberlist.probe_tick` every second, :meth:`Memberlist.gossip` every 0.2 s while it is wanted, and
:meth:`Memberlist.push_pull` as it returns; and :meth:`Memberlist.receive`, :meth:`Memberlist.serve` with what arrives.

Not here, since nothing in a swarm can show it: conflicting addresses of one name (names are random), protocol versions, and that
messages which arrive within microseconds of each other are taken last come, first served.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol, TypeVar

from swarmsim.network.beat import Beat
from swarmsim.network.broadcasts import Broadcasts
from swarmsim.network.digest import Digest
from swarmsim.network.member import Member
from swarmsim.network.messages import (
    COMPOUND_EACH,
    COMPOUND_HEADER,
    ENCRYPTION,
    PACKET_SIZE,
    USER_OVERHEAD,
    Ack,
    Alive,
    BulkSync,
    Dead,
    IndirectPing,
    Message,
    Nack,
    NetworkEvent,
    NetworkPushPull,
    NodeEvent,
    NodeState,
    Packet,
    Ping,
    PushPull,
    Reply,
    Request,
    State,
    Suspect,
    TableEvents,
    UserMessage,
)
from swarmsim.network.ports import Cancellable, Transport
from swarmsim.network.probe import PROBE_TIMEOUT, Awareness, Probe
from swarmsim.network.suspicion import Suspicion

GOSSIP_INTERVAL = 0.2  # seconds, DefaultLANConfig
GOSSIP_NODES = 3  # DefaultLANConfig
GOSSIP_TO_THE_DEAD = 30.0  # seconds, DefaultLANConfig
PUSH_PULL_INTERVAL = 30.0  # seconds, DefaultLANConfig
PUSH_PULL_SCALE = 32  # members, util.go pushPullScaleThreshold
TCP_TIMEOUT = 10.0  # seconds, DefaultLANConfig
TAKES_IN = 0.001
"""Seconds from a push/pull's answer until what was asked with it is known (net.go handleConn: read, answered, merged; about what the recorded
engines' logs show). Two that call each other at the same moment so tell each other what they knew before."""
LEAVE_TIMEOUT = 1.0  # seconds, networkdb/cluster.go clusterLeave
ROOM = PACKET_SIZE - COMPOUND_HEADER - ENCRYPTION  # bytes for messages in one packet
ROUNDS = 256
"""Rounds of probes that are shuffled one by one when they are made up for."""

T = TypeVar("T")


def push_pull_interval(members: int) -> float:
    """Seconds between two push/pulls of one member.

    >>> [push_pull_interval(members) for members in (2, 32, 33, 64, 65, 1000)]
    [30.0, 30.0, 60.0, 60.0, 90.0, 180.0]
    """
    if members <= PUSH_PULL_SCALE:
        return PUSH_PULL_INTERVAL
    return (math.ceil(math.log2(members) - math.log2(PUSH_PULL_SCALE)) + 1) * PUSH_PULL_INTERVAL


def pick(rng: Random, count: int, among: Sequence[T], wanted: Callable[[T], bool]) -> list[T]:
    """Up to ``count`` different ones, by 3·n draws, so that of a few some may be missed (util.go kRandomNodes)."""
    chosen: list[T] = []
    size, random = len(among), rng.random
    for _ in range(3 * size):
        if len(chosen) == count:
            break
        one = among[int(random() * size)]
        if one not in chosen and wanted(one):
            chosen.append(one)
    return chosen


class Delegate(Protocol):
    """Whoever uses the membership: networkdb."""

    def notify_join(self, member: Member) -> None: ...

    def notify_leave(self, member: Member) -> None: ...

    def notify_message(self, message: UserMessage) -> None: ...

    def heeds(self, message: UserMessage) -> bool: ...

    @property
    def broadcasting(self) -> bool: ...

    def broadcasts(self, overhead: int, limit: int) -> list[UserMessage]: ...

    def local_state(self, join: bool) -> NetworkPushPull: ...

    def merge_remote_state(self, state: NetworkPushPull) -> None: ...


class Memberlist:
    """One member's list. ``on_change(member, before)`` is called when the state of one changes here."""

    def __init__(self, name: str, address: str, transport: Transport, rng: Random, delegate: Delegate) -> None:
        self.name = name
        self.address = address
        self.transport = transport
        self.rng = rng
        self.delegate = delegate
        self.on_change: Callable[[Member, State], object] = lambda member, before: None
        self.gossip_wanted: Callable[[], object] = lambda: None
        """Called when there is something to hand on."""
        self.awareness = Awareness()
        self.suspicions: dict[str, Suspicion] = {}
        self.left = False
        self._list: list[Member] = []
        self._members: dict[str, Member] = {}
        self._broadcasts: Broadcasts[Message] = Broadcasts(lambda: len(self._list), lambda: self.gossip_wanted())
        self._seq = 0
        self._incarnation = 1
        self._known = Digest()
        """Of names and incarnations."""
        self._troubled = 0
        """How many members are not alive."""
        self._next = 0
        self._beat = Beat(self._probe_next)
        self._exchanging = False
        self.probe: Probe | None = None
        self._relayed: dict[int, tuple[IndirectPing, Cancellable]] = {}
        self.alive(Alive(name, address, self._incarnation), bootstrap=True)

    # -- what there is

    @property
    def members(self) -> dict[str, Member]:
        """All this member knows of, itself and the dead of late too, by name."""
        return self._members

    @property
    def gossips(self) -> bool:
        """Whether there is something to hand on."""
        return bool(self._broadcasts) or self.delegate.broadcasting

    @property
    def round(self) -> tuple[list[Member], int]:
        """The members in the order of this round's probes, and the place of the next."""
        return self._list, self._next

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def random_members(self, count: int, wanted: Callable[[Member], bool]) -> list[Member]:
        """Up to ``count`` others of those ``wanted``."""
        return pick(self.rng, count, self._list, lambda each: each.name != self.name and wanted(each))

    # -- what comes round again and again

    def probe_tick(self) -> None:
        """A second has passed."""
        self._beat.tick()

    def _probe_next(self) -> None:
        member = self._next_to_probe()
        if member is not None:
            self.probe = Probe(self, member)
        else:
            self._beat.done()

    def _next_to_probe(self) -> Member | None:
        """The next in the list that is there; a new round when it is through.

        ``None`` if there is nobody, and, as in real ones, among three or fewer also if this member is the last of one round and the
        first of the next: no more are looked at than there are.
        """
        looked_at = 0
        while looked_at < len(self._list):
            looked_at += 1
            if self._next >= len(self._list):
                self._new_round()
                self._next = 0
                continue
            member = self._list[self._next]
            self._next += 1
            if member.name != self.name and not member.gone:
                return member
        return None

    def _new_round(self) -> None:
        """Forget those that have been dead for long, and shuffle (resetNodes)."""
        now = self.transport.now
        if self._troubled:
            for member in [m for m in self._list if m.gone and now - m.changed_at > GOSSIP_TO_THE_DEAD]:
                self._list.remove(member)
                del self._members[member.name]
                self._known.toggle(member.name, member.incarnation)
                self._troubled -= 1
        for i in range(len(self._list) - 1, 0, -1):
            j = int(self.rng.random() * (i + 1))
            self._list[i], self._list[j] = self._list[j], self._list[i]

    def probed(self, probe: Probe, awareness: int) -> None:
        """A probe is over."""
        self.probe = None
        self.awareness.apply(awareness)
        self._beat.done()

    def gossip(self) -> None:
        """Hand on what there is to three others, perhaps dead."""
        if not self.gossips:
            return
        now = self.transport.now

        def hears(member: Member) -> bool:
            if member.state is State.DEAD:
                return now - member.changed_at <= GOSSIP_TO_THE_DEAD
            return member.state is not State.LEFT

        for member in self.random_members(GOSSIP_NODES, hears):
            messages = self._take(ROOM)
            if not messages:
                return
            self.transport.send(member.address, tuple(messages))
        if self.gossips:
            self.gossip_wanted()

    def push_pull(self, then: Callable[[float], object]) -> None:
        """Exchange all there is with one random other. When that is over ``then`` is told after how many seconds to do it again."""

        def again() -> None:
            self._exchanging = False
            then(push_pull_interval(len(self._list)))

        self._exchanging = True

        found = self.random_members(1, lambda member: member.state is State.ALIVE)
        if not found:
            again()
            return
        self._exchange(found[0].address, False, again, again)

    def _exchange(
        self, address: str, join: bool, merged: Callable[[], object], failed: Callable[[], object], ago: float = 0.0
    ) -> None:
        def answered(reply: Reply) -> None:
            assert isinstance(reply, PushPull)
            self._merge(reply)
            merged()

        self.transport.call(address, lambda: self._state(join), TCP_TIMEOUT, answered, failed, ago)

    def drop_news(self) -> None:
        """Tell nobody what was learnt until now."""
        self._broadcasts.clear()

    # -- rest

    @property
    def settled(self) -> bool:
        """Whether all this member knows of are there, nothing is under way and it has nothing to tell anybody."""
        alone = len(self._list) == 1
        return (
            self.probe is None
            and not (self._exchanging or self.left or self.suspicions or self._relayed or self.awareness.score)
            and not self._troubled
            and (alone or not self.gossips)
        )

    def agrees_with(self, other: Memberlist) -> bool:
        """Whether two who are :attr:`settled` know the same."""
        return self._known.value == other._known.value

    def fast_forward(self, probes: int) -> None:
        """As if so many probes had been answered at once, by members that are all there.

        After :data:`ROUNDS` rounds the order is as random as it will be.
        """
        rounds = 0
        while probes:
            own = next(place for place, member in enumerate(self._list) if member.name == self.name)
            left = len(self._list) - self._next - (own >= self._next)
            steps = min(probes, left)
            self._next += steps + (steps > 0 and self._next <= own < self._next + steps)
            probes -= steps
            if probes:
                self._next_to_probe()
                probes -= 1
                rounds += 1
            if rounds == ROUNDS:
                probes %= len(self._list)

    # -- coming and going

    def join(self, addresses: Sequence[str], then: Callable[[int], object], ago: float = 0.0) -> None:
        """Exchange all there is with members at these addresses, one after the other; ``then`` gets how many answered. ``ago``: the
        first was called so many seconds before."""

        def following(index: int, answered: int) -> None:
            if index == len(addresses):
                then(answered)
                return
            self._exchange(
                addresses[index],
                True,
                lambda: following(index + 1, answered + 1),
                lambda: following(index + 1, answered),
                0.0 if index else ago,
            )

        following(0, 0)

    def leave(self, then: Callable[[], object]) -> None:
        """Say that one is gone; ``then`` when it has been said often enough, or after 1 s."""
        self.left = True
        over = False

        def done() -> None:
            nonlocal over
            if not over:
                over = True
                then()

        me = self._members[self.name]
        self.dead(Dead(self.name, me.incarnation, self.name), finished=done)
        if any(not member.gone for member in self._list if member is not me):
            self.transport.after(LEAVE_TIMEOUT, done)
        else:
            done()

    # -- what arrives

    def receive(self, packet: Packet) -> None:
        """A datagram."""
        for message in packet:
            if isinstance(message, Alive):
                self.alive(message)
            elif isinstance(message, (NetworkEvent, TableEvents, NodeEvent)):
                self.delegate.notify_message(message)
            elif isinstance(message, Ping):
                if message.node == self.name:
                    self.say(message.address, Ack(message.seq))
            elif isinstance(message, Ack):
                self._acked(message.seq)
            elif isinstance(message, Suspect):
                self.suspect(message)
            elif isinstance(message, Dead):
                self.dead(message)
            elif isinstance(message, IndirectPing):
                self._relay(message)
            elif isinstance(message, Nack):
                if self.probe is not None and self.probe.seq == message.seq:
                    self.probe.nacks += 1
            else:
                self.delegate.notify_message(message)

    def heeds(self, packet: Packet) -> bool:
        """Whether a datagram could change anything here. What was heard before does not: it is not even told on."""
        members, delegate = self._members, self.delegate
        for message in packet:
            if isinstance(message, Alive):
                member = members.get(message.node)
                if member is None or member.incarnation < message.incarnation:
                    return True
            elif not isinstance(message, (NetworkEvent, TableEvents, NodeEvent)) or delegate.heeds(message):
                return True
        return False

    def serve(self, request: Request) -> Reply:
        """Somebody connects and says this: the answer, if there is one."""
        if isinstance(request, Ping):
            return Ack(request.seq) if request.node == self.name else None
        if isinstance(request, BulkSync):
            self.delegate.notify_message(request)
            return None
        self.transport.after(TAKES_IN, self._merge, request)
        return self._state(request.join)

    def _acked(self, seq: int) -> None:
        if self.probe is not None and self.probe.seq == seq:
            self.probe.acked()
            return
        relayed = self._relayed.pop(seq, None)
        if relayed is not None:
            request, timer = relayed
            timer.cancel()
            self.say(request.address, Ack(request.seq))

    def _relay(self, request: IndirectPing) -> None:
        """Ping somebody for another; if there is no answer in half a second, say so."""
        seq = self.next_seq()
        timer = self.transport.after(PROBE_TIMEOUT, self._not_relayed, seq)
        self._relayed[seq] = (request, timer)
        self.say(request.target, Ping(seq, request.node, self.address))

    def _not_relayed(self, seq: int) -> None:
        request, _ = self._relayed.pop(seq)
        self.say(request.address, Nack(request.seq))

    # -- sending

    def say(self, address: str, message: Ping | Ack | Nack | IndirectPing) -> None:
        """Send a message, and with it what is to be handed on anyway."""
        if self.gossips:
            self.transport.send(address, (message, *self._take(ROOM - message.SIZE)))
        else:
            self.transport.send(address, (message,))

    def _take(self, room: int) -> list[Message]:
        found = self._broadcasts.take(COMPOUND_EACH, room)
        messages = [message for message, _ in found]
        room -= sum(size + COMPOUND_EACH for _, size in found)
        if room > COMPOUND_EACH + USER_OVERHEAD and self.delegate.broadcasting:
            messages += self.delegate.broadcasts(COMPOUND_EACH + USER_OVERHEAD, room)
        return messages

    def _broadcast(self, message: Alive | Suspect | Dead, finished: Callable[[], object] | None = None) -> None:
        self._broadcasts.queue(message, message.SIZE, message.node, finished)

    # -- what is known of members

    def alive(self, message: Alive, bootstrap: bool = False) -> None:
        """Somebody is there."""
        own = message.node == self.name
        if own and self.left:
            return
        member = self._members.get(message.node)
        if member is None:
            member = self._add(message)
        elif message.incarnation < member.incarnation or (message.incarnation == member.incarnation and not own):
            return
        self._end_suspicion(message.node)
        before = member.state
        if own and not bootstrap:
            if message.incarnation > member.incarnation:
                self._refute(member, message.incarnation)
            return
        self._broadcast(message)
        self._renew(member, message.incarnation)
        if before is not State.ALIVE:
            self._change(member, State.ALIVE)
        if before is State.DEAD or before is State.LEFT:
            self.delegate.notify_join(member)

    def _add(self, message: Alive) -> Member:
        """At a random place in the list, so that on average it is soon probed."""
        member = self._members[message.node] = Member(message.node, message.address)
        member.incarnation = message.incarnation
        self._known.toggle(member.name, member.incarnation)
        self._troubled += 1
        last = len(self._list)
        offset = int(self.rng.random() * last)
        self._list.append(member)
        self._list[offset], self._list[last] = self._list[last], self._list[offset]
        return member

    def suspect(self, message: Suspect) -> None:
        """Somebody did not answer somebody."""
        member = self._members.get(message.node)
        if member is None or message.incarnation < member.incarnation:
            return
        suspicion = self.suspicions.get(message.node)
        if suspicion is not None:
            if suspicion.confirm(message.sender):
                self._broadcast(message)
            return
        if member.state is not State.ALIVE:
            return
        if message.node == self.name:
            self._refute(member, message.incarnation)
            return
        self._broadcast(message)
        self._renew(member, message.incarnation)
        self._change(member, State.SUSPECT)
        self.suspicions[message.node] = Suspicion(
            self.transport, message.sender, len(self._list), lambda: self._suspected_for_long(member)
        )

    def _suspected_for_long(self, member: Member) -> None:
        if member.state is State.SUSPECT:
            self.dead(Dead(member.name, member.incarnation, self.name))

    def dead(self, message: Dead, finished: Callable[[], object] | None = None) -> None:
        """Somebody is dead, or has left."""
        member = self._members.get(message.node)
        if member is None or message.incarnation < member.incarnation:
            return
        self._end_suspicion(message.node)
        if member.gone:
            return
        if message.node == self.name and not self.left:
            self._refute(member, message.incarnation)
            return
        self._broadcast(message, finished)
        self._renew(member, message.incarnation)
        self._change(member, State.LEFT if message.sender == message.node else State.DEAD)
        self.delegate.notify_leave(member)

    def _end_suspicion(self, name: str) -> None:
        suspicion = self.suspicions.pop(name, None)
        if suspicion is not None:
            suspicion.end()

    def _change(self, member: Member, state: State) -> None:
        before, member.state = member.state, state
        self._troubled += (before is State.ALIVE) - (state is State.ALIVE)
        member.changed_at = self.transport.now
        self.on_change(member, before)

    def _renew(self, member: Member, incarnation: int) -> None:
        if member.incarnation == incarnation:
            return
        self._known.toggle(member.name, member.incarnation)
        self._known.toggle(member.name, incarnation)
        member.incarnation = incarnation

    def _refute(self, me: Member, accused: int) -> None:
        """Say with a greater incarnation that one is there, and doubt that one hears well."""
        self._incarnation = max(self._incarnation, accused) + 1
        self._renew(me, self._incarnation)
        self.awareness.apply(1)
        self._broadcast(Alive(me.name, me.address, me.incarnation))

    # -- push/pull

    def _state(self, join: bool) -> PushPull:
        nodes = tuple([member.told for member in self._list])
        networks = self.delegate.local_state(join)
        return PushPull(join, nodes, networks, None if self._troubled else self._known.value)

    def _merge(self, remote: PushPull) -> None:
        """What another member knows. Who is dead there is only suspect here: it may refute."""
        if self._troubled or remote.known != self._known.value:  # else nothing in it can be news
            for node in remote.nodes:
                self._merge_node(node)
        self.delegate.merge_remote_state(remote.networks)

    def _merge_node(self, remote: NodeState) -> None:
        name, incarnation = remote.node, remote.incarnation
        if remote.state is State.ALIVE:
            self.alive(Alive(name, remote.address, incarnation))
        elif remote.state is State.LEFT:
            self.dead(Dead(name, incarnation, name))
        else:
            self.suspect(Suspect(name, incarnation, self.name))
