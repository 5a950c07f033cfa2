"""IPVS as a textbook has it: turns, quiescing, the connection table."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from swarmsim.network.icmp import RateLimit
from swarmsim.network.loadbalancer import NOBODY, UNKNOWN, Flag, Flow, LoadBalancer, State

MARK = 256
A, B, C = "10.0.0.6", "10.0.0.7", "10.0.0.8"


def balanced(*addresses: str) -> LoadBalancer:
    balancer = LoadBalancer()
    service = balancer.add_service(MARK)
    for address in addresses:
        service.add(address)
    return balancer


def flow(port: int, protocol: str = "tcp") -> Flow:
    return Flow(protocol, "10.98.1.254", port, "172.18.0.2", 8888)


def test_new_flows_take_turns_and_the_newest_destination_is_first() -> None:
    balancer = balanced(A, B, C)
    assert [balancer.arrive(0.0, MARK, flow(port)) for port in range(6)] == [C, B, A, C, B, A]


def test_a_destination_that_comes_later_gets_its_turn_after_the_round() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1)) == B
    balancer.services[MARK].add(C)
    assert [balancer.arrive(0.0, MARK, flow(port)) for port in (2, 3, 4)] == [A, C, B]


def test_a_flow_stays_with_its_destination() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1)) == B
    assert balancer.arrive(0.1, MARK, flow(2)) == A
    assert balancer.arrive(0.2, MARK, flow(1), Flag.ACK) == B


def test_weight_0_keeps_old_connections_and_gets_no_new_ones() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1)) == B
    balancer.services[MARK].quiesce(B)
    assert [balancer.arrive(1.0, MARK, flow(port)) for port in (2, 3, 4)] == [A, A, A]
    assert balancer.arrive(1.0, MARK, flow(1), Flag.ACK) == B


def test_a_reused_port_goes_to_the_same_destination_even_at_weight_0() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1)) == B
    balancer.services[MARK].quiesce(B)
    assert balancer.arrive(1.0, MARK, flow(1), Flag.SYN) == B


def test_when_all_have_weight_0_there_is_nobody() -> None:
    balancer = balanced(A)
    balancer.services[MARK].quiesce(A)
    assert balancer.arrive(0.0, MARK, flow(1)) is NOBODY
    assert balancer.arrive(0.0, 257, flow(2)) is NOBODY


def test_a_removed_destination_ends_its_connections_and_a_syn_is_scheduled_anew() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1)) == B
    assert balancer.arrive(0.0, MARK, flow(2)) == A
    assert balancer.arrive(0.0, MARK, flow(3)) == B
    balancer.arrive(0.1, MARK, flow(3), Flag.ACK)
    balancer.services[MARK].remove(B)
    assert balancer.arrive(1.0, MARK, flow(1), Flag.SYN) == A
    assert balancer.arrive(1.0, MARK, flow(3), Flag.ACK) is UNKNOWN


def test_a_destination_that_returns_finds_its_connections() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1)) == B
    balancer.services[MARK].remove(B)
    balancer.services[MARK].add(B)
    assert balancer.arrive(1.0, MARK, flow(1), Flag.ACK) == B


def test_an_idle_connection_is_forgotten_after_900_seconds() -> None:
    balancer = balanced(A)
    balancer.arrive(0.0, MARK, flow(1))
    balancer.answer(0.0, flow(1), Flag.SYN)
    balancer.arrive(0.0, MARK, flow(1), Flag.ACK)
    assert balancer.arrive(899.0, MARK, flow(1), Flag.ACK) == A
    assert balancer.arrive(899.0 + 900.0, MARK, flow(1), Flag.ACK) is UNKNOWN


def test_the_life_of_an_entry() -> None:
    balancer = balanced(A)
    states = []

    def see() -> None:
        ((_, entry),) = balancer.table(0.0)
        states.append((entry.state, entry.expires))

    balancer.arrive(0.0, MARK, flow(1), Flag.SYN)
    see()
    balancer.answer(0.0, flow(1), Flag.SYN)
    balancer.arrive(0.0, MARK, flow(1), Flag.ACK)
    see()
    balancer.answer(0.0, flow(1), Flag.FIN)
    see()
    balancer.arrive(0.0, MARK, flow(1), Flag.FIN)
    see()
    assert states == [
        (State.SYN_RECV, 60.0),
        (State.ESTABLISHED, 900.0),
        (State.FIN_WAIT, 120.0),
        (State.TIME_WAIT, 120.0),
    ]


def test_datagrams_are_a_flow_for_300_seconds() -> None:
    balancer = balanced(A, B)
    assert balancer.arrive(0.0, MARK, flow(1, "udp")) == B
    assert balancer.arrive(299.0, MARK, flow(1, "udp")) == B
    assert balancer.arrive(299.0 + 300.0, MARK, flow(1, "udp")) == A


def test_who_keeps_sending_datagrams_stays_with_a_destination_of_weight_0() -> None:
    balancer = balanced(A, B)
    balancer.arrive(0.0, MARK, flow(1, "udp"))
    balancer.services[MARK].quiesce(B)
    assert {balancer.arrive(float(second), MARK, flow(1, "udp")) for second in range(1000)} == {B}


def test_errors_come_six_at_once_and_then_one_a_second() -> None:
    limit = RateLimit()
    allowed = [tenth / 10 for tenth in range(50) if limit.allows(tenth / 10, "10.98.1.254")]
    assert allowed[:6] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert [round(at) for at in allowed[6:]] == [1, 2, 3, 4]


# -- laws

ADDRESSES = st.lists(st.integers(1, 60).map(lambda n: f"10.0.0.{n}"), min_size=1, unique=True)


@given(ADDRESSES, st.integers(1, 20))
def test_whole_rounds_give_all_the_same(addresses: list[str], rounds: int) -> None:
    balancer = balanced(*addresses)
    shares = Counter(balancer.arrive(0.0, MARK, flow(port)) for port in range(rounds * len(addresses)))
    assert shares == dict.fromkeys(addresses, rounds)


DEEDS = st.lists(
    st.tuples(st.sampled_from(("add", "quiesce", "remove", "flow")), st.integers(1, 6).map(lambda n: f"10.0.0.{n}"))
)


@given(DEEDS)
def test_whatever_comes_and_goes_new_flows_go_to_live_destinations_in_turn(actions: list[tuple[str, str]]) -> None:
    balancer = balanced()
    service = balancer.services[MARK]
    weights: dict[str, int] = {}
    for number, (action, address) in enumerate(actions):
        if action == "add":
            service.add(address)
            weights.setdefault(address, 1)
        elif action == "quiesce":
            service.quiesce(address)
            weights.update({address: 0} if address in weights else {})
        elif action == "remove":
            service.remove(address)
            weights.pop(address, None)
        else:
            found = balancer.arrive(0.0, MARK, flow(number))
            assert weights.get(found) == 1 if any(weights.values()) else found is NOBODY
    alive = [address for address, weight in weights.items() if weight]
    shares = Counter(balancer.arrive(0.0, MARK, flow(1000 + port)) for port in range(3 * len(alive)))
    assert shares == dict.fromkeys(alive, 3)


@given(DEEDS)
def test_an_old_connection_goes_on_until_its_destination_is_removed(actions: list[tuple[str, str]]) -> None:
    balancer = balanced("10.0.0.1")
    balancer.arrive(0.0, MARK, flow(1))
    balancer.arrive(0.0, MARK, flow(1), Flag.ACK)
    for action, address in actions:
        if action == "flow" or (action, address) == ("remove", "10.0.0.1"):
            continue
        getattr(balancer.services[MARK], action)(address)
        assert balancer.arrive(1.0, MARK, flow(1), Flag.ACK) == "10.0.0.1"
