"""The gossip of one engine on its host's network (libnetwork agent.go): UDP and TCP, port 7946.

It begins when the node's first session tells of the managers, under a name that is new each time, and ends with the engine's process,
without a word, or when the node leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, NamedTuple

from swarmsim.network.keyring import Keyring, Keys
from swarmsim.network.member import Member
from swarmsim.network.memberlist import GOSSIP_INTERVAL, PUSH_PULL_INTERVAL, push_pull_interval
from swarmsim.network.messages import BulkSync, Packet, Reply, Request, State
from swarmsim.network.networkdb import NetworkDB
from swarmsim.network.nodes import NODE_REAP_PERIOD, RETRY_INTERVAL
from swarmsim.network.suspicion import PROBE_INTERVAL
from swarmsim.network.tables import REAP_PERIOD
from swarmsim.sim.clock import Timer
from swarmsim.sim.host import Process
from swarmsim.sim.net.connection import Address, Listener, Socket
from swarmsim.sim.net.datagrams import DatagramSocket
from swarmsim.sim.net.dialer import NEIGHBOUR, SYN, Dialer, DialError
from swarmsim.sim.net.fabric import Carrier
from swarmsim.sim.quiescence import Dormant, Subject
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import AlignedTicker, PeriodicTimer
from swarmsim.trace import rows

PORT = 7946  # UDP and TCP, DefaultLANConfig BindPort
SYNC_INTERVAL = PUSH_PULL_INTERVAL  # seconds, networkdb/cluster.go: not scaled
REJOIN_INTERVAL = 60.0  # seconds, networkdb/cluster.go rejoinInterval


class Sealed(NamedTuple):
    """A packet as it goes over the wire: only who has the key can read it."""

    key: int
    packet: Packet


class GossipAgent(Subject):
    """One engine's part in the gossip. ``bootstrap`` are the other managers' addresses. Once they have answered, or did not, ``joined`` may join networks: who joins one
    compares with the members it knows (networks of the swarm are made after that, executor.go Configure).

    What changes in it, for whoever rests with it, is that it does or hears something.

    Its timers tick from its start: the random wait that libnetwork puts before the first tick is shorter than the period, and
    the ticker runs meanwhile, so it changes nothing, except for push/pull, which has no ticker.
    """

    def __init__(
        self,
        process: Process,
        bootstrap: tuple[str, ...],
        keys: Keys,
        joined: Callable[[NetworkDB], object] = lambda db: None,
    ) -> None:
        self.process = process
        self.host = process.host
        self.scope = process.child("gossip")
        self.journal = process.ctx.journal
        rng: Random = self.host.rng("gossip/members")
        self.carrier: Carrier = self.host.fabric.with_luck(process.ctx.streams.stream("gossip/links"))
        self.keyring = Keyring(keys)
        self.primaries: Counter[int] = Counter((self.keyring.primary,))
        """How many of those this one rests with, or last did, encrypt with which key: one object of all of them."""
        self._udp: DatagramSocket[Sealed] = DatagramSocket(
            self.host, self.scope, PORT, self._receive, self.carrier, self._heeds
        )
        self._sockets: dict[Socket, None] = {}
        self.dialing: dict[_Call, None] = {}
        """Calls that nobody has answered yet."""
        at = Address("tcp", self.host.address, PORT)
        Listener(self.host, self.scope, at, process.identity, self._accept)
        self.scope.on_end(self._close_all)
        self._tables = AlignedTicker(self.scope, GOSSIP_INTERVAL, self.gossip_tables)
        self._gossip = AlignedTicker(self.scope, GOSSIP_INTERVAL, self.gossip)
        name = f"{rng.getrandbits(48):012x}"
        self.db = NetworkDB(name, self.host.address, _Surroundings(self), rng, self._tables.request)
        self.members = self.db.members
        self.members.gossip_wanted = self._gossip.request
        self.members.on_change = self._changed
        self.db.before_change = self.disturb
        self.probing = PeriodicTimer(self.scope, PROBE_INTERVAL, self.probe)
        self.reconnecting = PeriodicTimer(self.scope, RETRY_INTERVAL, self.reconnect)
        self.reaping = PeriodicTimer(self.scope, REAP_PERIOD, self.reap)
        self.syncing = PeriodicTimer(self.scope, SYNC_INTERVAL, self.sync)
        self.rejoining = PeriodicTimer(self.scope, REJOIN_INTERVAL, self.rejoin)
        self.forgetting = PeriodicTimer(self.scope, NODE_REAP_PERIOD, self.forget_nodes)
        self.exchanging = PeriodicTimer(self.scope, PUSH_PULL_INTERVAL * (1 + rng.random()), self.push_pull)
        self.looking = PeriodicTimer(self.scope, PROBE_INTERVAL / 2, self.look)
        if bootstrap:
            self.db.join(bootstrap, partial(joined, self.db))
        else:
            joined(self.db)

    def leave(self, then: Callable[[], object] = lambda: None) -> None:
        """Say that this node goes; once that is said nothing is heard of it any more, and ``then`` is called."""

        def left() -> None:
            self.scope.end()
            then()

        self.db.leave(left)

    # -- what comes round again and again

    def gossip(self) -> None:
        self.members.gossip()

    def gossip_tables(self) -> None:
        self.db.gossip()

    def probe(self) -> float:
        self.members.probe_tick()
        return PROBE_INTERVAL

    def push_pull(self) -> None:
        """The next follows its interval after this one's end."""
        self.members.push_pull(self.exchanging.again)

    def reconnect(self) -> float:
        self.db.reconnect()
        return RETRY_INTERVAL

    def reap(self) -> float:
        self.db.reap()
        return REAP_PERIOD

    def sync(self) -> float:
        self.db.sync()
        return SYNC_INTERVAL

    def rejoin(self) -> float:
        self.db.rejoin()
        return REJOIN_INTERVAL

    def look(self) -> float | None:
        """Half a second after each probe: is there anything to do at all (:mod:`.resting`)? Where nothing rests nobody asks."""
        return PROBE_INTERVAL if self.scope.clock.quiescence.rule_of(self.look) is not None else None

    def forget_nodes(self) -> float:
        self.db.forget_nodes()
        return NODE_REAP_PERIOD

    # -- rest

    def disturb(self) -> None:
        """Something comes that is not as in any other second."""
        self.scope.clock.quiescence.invalidate(self)

    def sleep(self, dormant: Dormant) -> float | None:
        """Rest. The second at which the call to one that failed began, if one is under way: it is no longer waited for."""
        for timer in (
            self.probing,
            self.reconnecting,
            self.reaping,
            self.syncing,
            self.rejoining,
            self.forgetting,
            self.exchanging,
            self.looking,
        ):
            timer.sleep(dormant)
        began = None
        for call in self.dialing:
            began = self.scope.clock.now - call.dialer.elapsed
            call.dialer.abandon()
        self.dialing.clear()
        return began

    def fast_forward(self, called: float | None, exchange: float) -> None:
        """As if nothing had been skipped. ``called``: the second at which a call began that nobody answers, and after it another, and so
        on; ``exchange``: how many seconds a push/pull takes."""
        self.looking.fast_forward(PROBE_INTERVAL)
        self.members.fast_forward(self.probing.fast_forward(PROBE_INTERVAL))
        self.db.reap(self.reaping.fast_forward(REAP_PERIOD))
        self.syncing.fast_forward(SYNC_INTERVAL)
        self.rejoining.fast_forward(REJOIN_INTERVAL)
        self.db.forget_nodes(self.forgetting.fast_forward(NODE_REAP_PERIOD))
        self.exchanging.fast_forward(push_pull_interval(len(self.members.members)) + exchange)
        self.reconnecting.fast_forward(RETRY_INTERVAL)
        if called is not None:
            self.db.reconnecting.resume((self.scope.clock.now - called) % NEIGHBOUR.give_up)

    # -- the wire

    def send(self, address: str, packet: Packet) -> None:
        self._udp.send(Address("udp", address, PORT), Sealed(self.keyring.primary, packet))

    def _heeds(self, sealed: Sealed) -> bool:
        """What was heard before is heard often: each of n members is told some 4·log n times, or three times that, whatever it knows."""
        return self.members.heeds(sealed.packet)

    def _receive(self, sealed: Sealed, sender: Address) -> None:
        if self.keyring.opens(sealed.key):
            self.disturb()
            self.members.receive(sealed.packet)

    def change_keys(self, keys: Keys) -> None:
        """The managers tell of these."""
        before = self.keyring.primary
        self.keyring.change(keys)
        self.primaries[before] -= 1
        self.primaries[self.keyring.primary] += 1
        if any(members and not self.keyring.opens(key) for key, members in self.primaries.items()):
            self.disturb()

    def _accept(self, socket: Socket) -> None:
        socket.application = self
        self.keep(socket)

    def keep(self, socket: Socket) -> None:
        """A connection of this agent's: it ends with it."""
        self._sockets[socket] = None
        socket.on_close = lambda why: self.drop(socket)

    def drop(self, socket: Socket) -> None:
        self._sockets.pop(socket, None)
        socket.close()

    def _close_all(self) -> None:
        for socket in list(self._sockets):
            socket.close()

    def is_silent(self, address: str) -> bool:
        """Whether the kernel has lost sight of a neighbour."""
        other = self.host.by_address.get(address)
        return other is not None and not (other.powered and self.host.fabric.reaches(self.host.name, other.name))

    # -- what is noted

    def _changed(self, member: Member, before: State) -> None:
        if member.name == self.db.name:
            return
        peer = self.host.ctx.by_address.get(member.address)
        self.journal.note(
            rows.GossipMember,
            host=self.host.name,
            peer=peer.name if peer is not None else member.address,
            name=member.name,
            state=str(member.state),
        )


class _Surroundings:
    """What an agent's cores may use of the host."""

    __slots__ = ("_agent", "_scope")

    def __init__(self, agent: GossipAgent) -> None:
        self._agent = agent
        self._scope: Scope = agent.scope

    @property
    def now(self) -> float:
        return self._scope.clock.now

    def after(self, delay: float, fn: Callable[..., object], *args: Any) -> Timer:
        return self._scope.after(delay, fn, *args)

    def send(self, address: str, packet: Packet) -> None:
        self._agent.send(address, packet)

    def call(
        self,
        address: str,
        request: Callable[[], Request],
        timeout: float,
        answered: Callable[[Reply], object],
        failed: Callable[[], object],
        ago: float = 0.0,
    ) -> None:
        _Call(self._agent, address, request, timeout, answered, failed, ago)


class _Call:
    """One connection: what it begins with, and the answer."""

    __slots__ = ("_agent", "_answered", "_failed", "_request", "_socket", "_timeout", "_timer", "dialer")

    def __init__(
        self,
        agent: GossipAgent,
        address: str,
        request: Callable[[], Request],
        timeout: float,
        answered: Callable[[Reply], object],
        failed: Callable[[], object],
        ago: float,
    ) -> None:
        self._agent = agent
        self._request = request
        self._timeout = timeout
        self._answered = answered
        self._failed = failed
        self._socket: Socket | None = None
        self._timer: Timer | None = None
        to = Address("tcp", address, PORT)
        identity = agent.process.identity
        patience = NEIGHBOUR if agent.is_silent(address) else SYN
        agent.dialing[self] = None
        self.dialer = Dialer(
            agent.host, agent.scope, to, identity, timeout, self._connected, ago, agent.carrier, patience
        )

    def _connected(self, result: Socket | DialError) -> None:
        del self._agent.dialing[self]
        if isinstance(result, DialError):
            self._failed()
            return
        self._agent.disturb()
        request = self._request()
        result.send(_serve, result.peer, self._agent.keyring.primary, request)
        if isinstance(request, BulkSync):
            result.close()
            self._answered(None)
            return
        self._socket = result
        result.application = self
        self._agent.keep(result)
        result.on_close = self._broken
        self._timer = self._agent.scope.after(self._timeout, self._broken, "i/o timeout")

    def take(self, key: int, reply: Reply) -> None:
        """The answer, if one can read it."""
        self._over()
        if self._agent.keyring.opens(key):
            self._answered(reply)
        else:
            self._failed()

    def _broken(self, why: str) -> None:
        self._over()
        self._failed()

    def _over(self) -> None:
        assert self._socket is not None
        assert self._timer is not None
        self._timer.cancel()
        self._agent.drop(self._socket)


def _serve(socket: Socket, key: int, request: Request) -> None:
    """At the other end: answer, if one can read it."""
    agent: GossipAgent = socket.application
    if not agent.keyring.opens(key):
        agent.drop(socket)
        return
    agent.disturb()
    reply = agent.members.serve(request)
    if reply is not None:
        socket.send(_answer, socket.peer, agent.keyring.primary, reply)


def _answer(socket: Socket, key: int, reply: Reply) -> None:
    call: _Call = socket.application
    call.take(key, reply)
