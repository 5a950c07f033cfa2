"""gRPC: calls and streams over one connection, and how it is made again."""

from __future__ import annotations

import itertools

import pytest

from swarmsim.sim.method import Method, StreamMethod
from swarmsim.sim.net.channel import Channel, Connectivity
from swarmsim.sim.net.server import Server
from swarmsim.sim.net.status import RpcError
from tests.sim.net.pair import Pair

HELLO = Method("Test/Hello", str, str)
LATER = Method("Test/Later", float, float)
NOTE = Method("Test/Note", int, type(None))
NONSENSE = Method("Test/Nonsense", str, str)
WATCH = StreamMethod("Test/Watch", type(None), (str, int))
TARGET = "10.0.0.2:2377"
REFUSED = f'connection error: desc = "transport: Error while dialing dial tcp {TARGET}: connect: connection refused"'


class Talk(Pair):
    """A channel from a to b, where a server answers ``hello``."""

    def __init__(self, serve: bool = True) -> None:
        super().__init__()
        self.streams = []
        if serve:
            self.serve()
        self.channel = Channel(self.client, self.client, TARGET, max_backoff=8.0)

    def serve(self) -> None:
        self.answers = Server(self.server, self.server, "0.0.0.0:2377")
        self.answers.serve(HELLO, lambda request, call: request * 2)
        self.answers.serve(LATER, lambda request, call: self.server.spawn(self._later(request)))
        self.answers.serve_stream(WATCH, lambda request, stream: self.streams.append(stream))

    def _later(self, seconds):
        yield seconds
        return seconds

    def ask(self, method=HELLO, request="x", timeout=1.0, **options):
        """The answer or the error, and the seconds it took."""

        def caller():
            start = self.clock.now
            try:
                answer = yield self.channel.call(method, request, timeout, **options).reply
            except RpcError as error:
                answer = str(error)
            return answer, round(self.clock.now - start, 2)

        return self.clock.run(self.client.spawn(caller()))

    def restart(self) -> None:
        """The host is off for a second and its process starts anew."""
        self.b.power_off()
        self.b.power_on()
        self.server = type(self.server)(self.b, "server")
        self.serve()


def test_a_call_is_answered_after_a_round_trip():
    talk = Talk()
    assert talk.ask() == ("xx", 0.0)
    assert talk.channel.healthy


def test_a_deadline_is_the_clients_own():
    talk = Talk()
    assert talk.ask(LATER, 9.0, timeout=2.0) == (
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        2.0,
    )


def test_nobody_serves_an_unknown_method():
    assert Talk().ask(NONSENSE)[0] == "rpc error: code = Unimplemented desc = unknown method Test/Nonsense"


def test_where_nobody_listens_calls_fail_at_once_and_with_dockers_words():
    talk = Talk(serve=False)
    assert talk.ask() == (f"rpc error: code = Unavailable desc = {REFUSED}", 0.0)
    assert talk.channel.state is Connectivity.TRANSIENT_FAILURE
    assert talk.ask() == (f"rpc error: code = Unavailable desc = {REFUSED}", 0.0)


def test_a_call_may_wait_for_the_connection():
    talk = Talk(serve=False)
    talk.run(0.1)
    talk.serve()
    assert talk.ask(timeout=5.0, wait_for_ready=True) == ("xx", pytest.approx(0.9, abs=0.02))


def test_a_call_waits_while_the_channel_connects():
    """A host that says nothing: the attempt takes 20 s, and every call its own deadline."""
    talk = Talk()
    talk.b.power_off()
    assert talk.ask()[1] == 1.0


def test_pauses_between_attempts_grow_from_1_to_8_seconds():
    talk = Talk(serve=False)
    failures: list[tuple[float, RpcError]] = []
    while talk.clock.now < 60:
        talk.run(0.01)
        error = talk.channel.error
        if error is not None and (not failures or failures[-1][1] is not error):
            failures.append((talk.clock.now, error))
    pauses = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(failures)]
    for pause, expected in zip(pauses, [1, 1.6, 2.56, 4.096, 6.5536, 8, 8, 8], strict=False):
        assert 0.79 * expected <= pause <= 1.21 * expected
    assert len(pauses) >= 8


def test_what_breaks_the_connection_ends_all_calls_and_streams_on_it():
    talk = Talk()
    closed, heard = [], []
    talk.channel.stream(WATCH, None, heard.append, closed.append)
    talk.run(0.1)
    talk.streams[0].send("first")
    talk.client.after(0.5, talk.server.kill)
    assert talk.ask(LATER, 9.0, timeout=5.0) == ("rpc error: code = Unavailable desc = transport is closing", 0.5)
    assert [error.message for error in closed] == ["transport is closing"]
    assert heard == ["first"]


def test_a_call_to_a_server_that_was_away_resets_the_stream_as_well():
    """Calls and streams share a connection: the new kernel's RST ends both, and the channel is soon as good as new."""
    talk = Talk()
    closed = []
    talk.channel.stream(WATCH, None, lambda message: None, closed.append)
    talk.run(0.1)
    talk.restart()
    assert talk.ask()[0] == "rpc error: code = Unavailable desc = transport is closing"
    assert len(closed) == 1
    assert talk.ask() == ("xx", 0.0)


def test_a_stream_survives_a_cut_and_keeps_its_order():
    talk = Talk()
    heard = []
    talk.channel.stream(WATCH, None, heard.append, heard.append)
    talk.run(0.2)
    talk.fabric.cut("a", "b")
    for number in range(3):
        talk.streams[0].send(number)
    talk.run(2.0)
    assert heard == []
    talk.fabric.heal()
    talk.run(6.0)
    assert heard == [0, 1, 2]


def test_what_was_given_up_before_it_arrived_is_not_served():
    talk = Talk()
    served = []
    talk.answers.serve(NOTE, lambda request, call: served.append(request))
    talk.run(0.1)
    talk.fabric.cut("a", "b")
    assert talk.ask(NOTE, 1, timeout=1.0)[1] == 1.0
    talk.fabric.heal()
    talk.channel.call(NOTE, 2, 5.0)
    talk.run(5)
    assert served == [2]


def test_the_server_hears_that_a_client_cancelled_or_died():
    talk = Talk()
    gone = []
    streams = [talk.channel.stream(WATCH, number, lambda message: None, gone.append) for number in range(2)]
    talk.run(0.1)
    for stream in talk.streams:
        stream.on_client_gone = lambda stream=stream: gone.append(stream.request)
    streams[0].cancel()
    talk.run(0.1)
    assert gone == [0]
    talk.client.kill()
    talk.run(0.1)
    assert gone == [0, 1]


def test_goaway_lets_calls_end_and_sends_new_ones_elsewhere():
    talk = Talk()
    talk.run(0.1)
    stopped = []
    talk.client.after(
        1.0, lambda: talk.answers.graceful_stop().callbacks.append(lambda _: stopped.append(talk.clock.now))
    )
    assert talk.ask(LATER, 3.0, timeout=9.0) == (3.0, pytest.approx(3.0, abs=0.01))
    talk.run(0.1)
    assert stopped == [pytest.approx(3.1, abs=0.02)]
    assert talk.ask()[0].endswith('connect: connection refused"')


def test_a_closed_channel_fails_what_is_open_and_what_comes():
    talk = Talk()
    talk.client.after(0.5, talk.channel.close)
    closing = "rpc error: code = Canceled desc = grpc: the client connection is closing"
    assert talk.ask(LATER, 3.0, timeout=9.0) == (closing, 0.5)
    assert talk.ask() == (closing, 0.0)


def test_a_channel_ends_with_its_scope():
    talk = Talk()
    scope = talk.client.child("session")
    Channel(talk.client, scope, TARGET)
    talk.run(0.1)
    assert len(talk.answers.transports) == 2
    scope.end()
    talk.run(0.1)
    assert len(talk.answers.transports) == 1
