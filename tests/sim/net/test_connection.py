"""TCP: order, sending again, the end of a connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swarmsim.sim.net.connection import Address, Listener, Socket
from swarmsim.sim.net.dialer import NEIGHBOUR, Dialer, DialError
from swarmsim.sim.net.tls import ANONYMOUS, Anonymous
from tests.sim.net.pair import Pair

PORT = Address("tcp", "10.0.0.2", 2377)
ALICE, BOB = Anonymous(), Anonymous()


class Connected(Pair):
    """A connection from a to b, and what each end heard: (when, what)."""

    def __init__(self, loss: float = 0.0) -> None:
        super().__init__(loss)
        self.heard: dict[str, list[tuple[float, object]]] = {"a": [], "b": []}
        self.far: Socket
        self.near: Socket
        Listener(self.b, self.server, PORT, BOB, self._accepted)
        Dialer(self.a, self.client, PORT, ALICE, 20.0, self._dialed)
        self.run(1.0)

    def _accepted(self, socket: Socket) -> None:
        self.far = socket
        socket.on_close = lambda why: self.hear("b", why)
        self.server.on_end(socket.close)

    def _dialed(self, socket: Socket) -> None:
        self.near = socket
        socket.on_close = lambda why: self.hear("a", why)
        self.client.on_end(socket.close)

    def hear(self, who: str, what: object) -> None:
        self.heard[who].append((round(self.clock.now, 2), what))

    def say(self, what: object) -> None:
        self.near.send(self.hear, "b", what)

    def what(self, who: str) -> list[object]:
        return [what for _, what in self.heard[who]]


def test_segments_arrive_in_order_whatever_each_takes():
    net = Connected()
    net.fabric.link("a", "switch", lambda rng: rng.random())
    for number in range(50):
        net.say(number)
    net.run(10)
    assert net.what("b") == list(range(50))


def test_each_end_sees_who_the_other_is():
    net = Connected()
    assert (net.near.peer.identity, net.far.peer.identity) == (BOB, ALICE)


@pytest.mark.parametrize(
    ("cut", "answered"), [(0.1, 0.21), (0.5, 0.63), (3.0, 3.15), (20.0, 26.8), (47.0, 53.8), (48.0, 53.8)]
)
def test_what_a_cut_swallowed_is_sent_again_after_pauses_that_double(cut, answered):
    """Measured on Linux: 26.8 s for a cut of 20 s, 53-54 s for cuts of 47-48 s."""
    net = Connected()
    net.fabric.cut("a", "b")
    net.say("first")
    start = net.clock.now
    net.run(cut / 2)
    net.say("second")
    net.run(cut / 2)
    net.fabric.heal()
    net.say("third")
    net.run(100)
    assert net.what("b") == ["first", "second", "third"]
    assert net.heard["b"][0][0] - start == pytest.approx(answered, abs=0.03)


def test_after_a_quarter_of_an_hour_the_kernel_gives_up():
    net = Connected()
    net.fabric.cut("a", "b")
    net.say("nothing")
    start = net.clock.now
    net.run(2000)
    ((when, why),) = net.heard["a"]
    assert why == "connection timed out"
    assert 924.6 <= when - start <= 924.6 + 120


def test_a_process_that_is_killed_ends_its_connections():
    net = Connected()
    net.server.kill()
    net.run(0.1)
    assert net.what("a") == ["EOF"]


def test_the_end_is_sent_again_like_everything_else():
    net = Connected()
    net.fabric.cut("a", "b")
    net.server.kill()
    net.run(5)
    net.fabric.heal()
    assert net.what("a") == []
    net.run(2)
    assert net.what("a") == ["EOF"]


def test_power_off_is_silent_and_the_kernel_that_comes_back_resets():
    """The connection is unknown to the host that has booted: RST answers what is sent again."""
    net = Connected()
    net.say("hello")
    net.b.power_off()
    net.run(3)
    assert net.what("a") == []
    net.b.power_on()
    net.run(10)
    assert net.what("a") == ["connection reset by peer"]
    assert net.what("b") == []


def test_what_is_sent_to_a_host_that_was_away_is_reset_at_once():
    net = Connected()
    net.b.power_off()
    net.b.power_on()
    net.run(1)
    net.say("hello")
    net.run(0.1)
    assert net.what("a") == ["connection reset by peer"]


def test_an_idle_connection_asks_every_15_seconds_and_ends_after_nine_silences():
    net = Connected()
    net.run(100)
    net.fabric.cut("a", "b")
    start = net.clock.now
    net.run(300)
    ((when, why),) = net.heard["a"]
    assert why == "connection timed out"
    assert 9 * 15 <= when - start <= 10 * 15


def test_an_idle_connection_notices_that_its_host_came_back():
    net = Connected()
    net.b.power_off()
    net.run(5)
    net.b.power_on()
    net.run(20)
    assert net.what("a") == ["connection reset by peer"]


def test_an_idle_connection_survives_a_cut_of_two_minutes():
    net = Connected()
    net.fabric.cut("a", "b")
    net.run(120)
    net.fabric.heal()
    net.run(300)
    net.say("still here")
    net.run(1)
    assert net.what("b") == ["still here"]


def test_loss_is_delay():
    net = Connected(loss=0.1)
    delays = []
    for _ in range(300):
        start = net.clock.now
        net.near.send(lambda start=start: delays.append(net.clock.now - start))
        net.run(20)
    assert len(delays) == 300
    late = sum(1 for delay in delays if delay > 0.1)
    assert 30 <= late <= 85  # two links, each loses a tenth
    assert min(delay for delay in delays if delay > 0.1) >= 0.2


def test_a_healthy_connection_costs_one_event_a_segment():
    net = Connected()
    before = len(net.clock.env._queue)
    for number in range(100):
        net.say(number)
    assert len(net.clock.env._queue) - before == 100
    assert net.near.healthy


def dial(net: Pair, to: Address = PORT, timeout: float = 20.0, ago: float = 0.0):
    results = []
    Dialer(net.a, net.client, to, ALICE, timeout, lambda result: results.append((result, net.clock.now)), ago)
    net.run(200)
    ((result, when),) = results
    return result, when


@pytest.mark.parametrize(
    ("ago", "mended", "connected"),
    [(0.0, 0.5, 1.0), (0.0, 1.5, 3.0), (0.0, 4.0, 7.0), (5.0, 0.5, 2.0), (10.0, 0.5, 5.0)],
)
def test_a_syn_is_sent_again_after_1_3_7_15_seconds(ago, mended, connected):
    """``ago`` seconds of the attempt have passed already."""
    net = Pair()
    Listener(net.b, net.server, PORT, ANONYMOUS, lambda socket: None)
    net.fabric.cut("a", "b")
    net.client.after(mended, net.fabric.heal)
    result, when = dial(net, ago=ago)
    assert isinstance(result, Socket)
    assert when == pytest.approx(connected, abs=0.1)


def test_where_nobody_listens_a_connection_is_refused():
    net = Pair()
    result, when = dial(net)
    assert isinstance(result, DialError)
    assert str(result) == "dial tcp 10.0.0.2:2377: connect: connection refused"
    assert when < 0.1


def test_a_dialer_has_a_limit_and_the_kernel_too():
    net = Pair()
    net.b.power_off()
    result, when = dial(net)
    assert (str(result), when) == ("dial tcp 10.0.0.2:2377: i/o timeout", 20.0)
    net = Pair()
    net.b.power_off()
    result, when = dial(net, timeout=1000.0)
    assert (str(result), when) == ("dial tcp 10.0.0.2:2377: connect: connection timed out", 127.0)


def test_there_is_no_route_to_an_address_nobody_has():
    result, _ = dial(Pair(), Address("tcp", "10.9.9.9", 2377))
    assert str(result) == "dial tcp 10.9.9.9:2377: connect: no route to host"


def test_a_listener_may_answer_at_every_address_of_its_host_and_ends_with_its_scope():
    net = Pair()
    lifetime = net.server.child("service")
    Listener(net.b, lifetime, PORT._replace(address="0.0.0.0"), ANONYMOUS, lambda socket: None)
    assert isinstance(dial(net)[0], Socket)
    lifetime.end()
    assert isinstance(dial(net)[0], DialError)


def test_what_waits_for_a_host_without_power_is_sent_soon_after_its_return():
    """No backoff: the kernel asks for its neighbour every 3 s (RFC 6069)."""
    net = Connected()
    net.b.power_off()
    net.say("hello")
    net.run(40)
    net.b.power_on()
    net.run(3.1)
    assert net.what("a") == ["connection reset by peer"]


def test_whoever_is_asked_where_it_is_learns_where_the_asker_is_and_sends_what_waits():
    net = Connected()
    Listener(net.a, net.client, PORT._replace(address="10.0.0.1"), ALICE, lambda socket: None)
    net.fabric.cut("a", "b")
    ends: dict[str, float] = {}

    def done(name: str) -> Callable[[object], object]:
        return lambda end: ends.setdefault(name, round(net.clock.now, 2))

    begun = net.clock.now
    Dialer(net.a, net.client, PORT, ALICE, 20.0, done("a"), patience=NEIGHBOUR)
    net.run(0.6)
    to_a = PORT._replace(address="10.0.0.1")
    Dialer(net.b, net.server, to_a, BOB, 20.0, done("b"), patience=NEIGHBOUR)
    net.fabric.heal()
    net.run(2.0)
    assert ends == {"a": begun + 1.0, "b": begun + 1.0}, "a asks again after a second; b would after 1.6 s"


def test_a_firewall_drops_what_comes_to_the_servers_port_and_not_what_it_says():
    net = Connected()
    net.b.close_port("tcp", PORT.port)
    net.say("dropped")
    net.far.send(net.hear, "a", "out")
    net.run(5.0)
    assert (net.what("a"), net.what("b")) == (["out"], [])
    net.b.open_port("tcp", PORT.port)
    net.run(10.0)
    assert net.what("b") == ["dropped"], "it was sent again and again"


def test_who_dials_a_port_that_a_firewall_closes_waits_in_vain():
    net = Connected()
    net.b.close_port("tcp", PORT.port)
    ends: list[object] = []
    Dialer(net.a, net.client, PORT, ALICE, 20.0, ends.append)
    net.run(21.0)
    assert [str(end) for end in ends] == ["dial tcp 10.0.0.2:2377: i/o timeout"]


def test_a_connection_that_a_firewall_silences_ends_when_keep_alive_has_asked_nine_times():
    net = Connected()
    net.b.close_port("tcp", PORT.port)
    net.run(170.0)
    assert net.what("a") == ["connection timed out"]
