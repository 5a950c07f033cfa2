"""Names as the sheet has them: which name has which answer, in which order, and what is left out."""

from random import Random

from swarmsim.apitypes.specs import PortConfig
from swarmsim.network.bindings import ServiceBindings
from swarmsim.network.records import EndpointRecord
from swarmsim.network.resolver import TTL, Membership, Names, resolve

VIP = "10.0.1.2"


def task(number: int, vip: str = VIP, aliases: tuple[str, ...] = (), service: str = "web") -> EndpointRecord:
    return EndpointRecord(
        f"e{number}", f"{service}.{number}.x", f"10.0.1.{number}", service, f"{service}'s id", vip, (), aliases, ("id",)
    )


def daemon(*tasks: EndpointRecord) -> ServiceBindings:
    bindings = ServiceBindings()
    bindings.open("shop", "10.0.1.100")
    for each in tasks:
        bindings.add("shop", each)
    return bindings


def ask(bindings: ServiceBindings, name: str, seed: int = 0) -> list[str]:
    return list(resolve(name, [Membership("shop", bindings.sandboxes["shop"].names)], Random(seed)).addresses)


def test_a_service_has_its_virtual_address_and_tasks_have_theirs() -> None:
    shop = daemon(task(3, aliases=("www",)), task(4, aliases=("www",)))
    assert ask(shop, "web") == ask(shop, "www") == ask(shop, "WEB") == ask(shop, "web.shop") == [VIP]
    assert sorted(ask(shop, "tasks.web")) == sorted(ask(shop, "tasks.www")) == ["10.0.1.3", "10.0.1.4"]
    assert ask(shop, "web.3.x") == ["10.0.1.3"]
    assert ask(shop, "db") == ask(shop, "web.other") == []


def test_round_robin_by_names_gives_the_addresses_of_the_tasks() -> None:
    shop = daemon(task(3, vip=""), task(4, vip=""))
    assert sorted(ask(shop, "web")) == sorted(ask(shop, "tasks.web")) == ["10.0.1.3", "10.0.1.4"]


def test_a_task_that_is_to_stop_loses_its_names_at_once_and_the_service_keeps_its_own_to_the_last() -> None:
    shop = daemon(task(3), task(4))
    shop.disable("shop", task(3))
    assert ask(shop, "tasks.web") == ["10.0.1.4"]
    assert ask(shop, "web.3.x") == []
    shop.disable("shop", task(4))
    assert ask(shop, "tasks.web") == []
    assert ask(shop, "web") == [VIP]
    shop.remove("shop", task(3))
    assert ask(shop, "web") == [VIP]
    shop.remove("shop", task(4))
    assert ask(shop, "web") == []


def test_answers_are_shuffled_and_may_be_kept_for_ten_minutes() -> None:
    names = Names()
    for number in range(3, 9):
        names.add("tasks.web", "web's id", f"10.0.1.{number}")
    on, rng = [Membership("shop", names)], Random(1)
    answers = [resolve("tasks.web", on, rng) for _ in range(20)]
    assert len({answer.addresses for answer in answers}) > 10
    assert {answer.addresses[0] for answer in answers} == {f"10.0.1.{number}" for number in range(3, 9)}
    assert {answer.ttl for answer in answers} == {TTL} == {600}


def test_an_answer_that_does_not_fit_is_cut_and_says_so() -> None:
    names = Names()
    for number in range(3, 60):
        names.add("tasks.web", "web's id", f"10.0.1.{number}")
    answer = resolve("tasks.web", [Membership("shop", names)], Random(0))
    # 12 + 15 bytes of question; 25 bytes each.
    assert answer.truncated
    assert len(answer.addresses) == (512 - 27) // 25 == 19
    assert not resolve("tasks.web", [Membership("shop", names)], Random(0), size=4096).truncated


def test_networks_of_users_are_asked_before_local_ones() -> None:
    mine, bridge, ingress = Names(), Names(), Names()
    mine.add("web", "a", "10.0.1.2")
    bridge.add("web", "b", "172.18.0.9")
    on = [Membership("docker_gwbridge", bridge, "local"), Membership("ingress", ingress, ingress=True)]
    assert resolve("web", [*on, Membership("shop", mine)], Random(0)).addresses == ("10.0.1.2",)
    assert resolve("web", on, Random(0)).addresses == ("172.18.0.9",)


def test_nobody_has_a_name_on_the_ingress_network() -> None:
    bindings = ServiceBindings()
    bindings.open("ingress", "10.0.0.2", ingress=True)
    bindings.add("ingress", task(6))
    assert bindings.sandboxes["ingress"].names.find("web") == []


def test_a_published_port_is_open_from_the_first_endpoint_to_the_last() -> None:
    port = PortConfig(protocol="tcp", target_port=80, published_port=8888, publish_mode="ingress")
    one, two = (EndpointRecord(f"e{n}", "", f"10.0.0.{n}", "web", "id", "10.0.0.5", (port,)) for n in (6, 7))
    bindings = ServiceBindings()
    ingress = bindings.open("ingress", "10.0.0.2", ingress=True)
    bindings.add("ingress", one)
    bindings.add("ingress", two)
    assert ingress.ports == {("tcp", 8888): 256}
    bindings.disable("ingress", one)
    bindings.disable("ingress", two)
    bindings.remove("ingress", one)
    assert ("tcp", 8888) in ingress.ports
    bindings.remove("ingress", two)
    assert not ingress.ports
    assert not ingress.load_balancer.services
    bindings.add("ingress", one)
    assert ingress.ports == {("tcp", 8888): 257}, "marks are counted on"


def test_an_address_given_out_again_too_early_is_kept_for_the_other() -> None:
    old, new = task(3), EndpointRecord("new", "web.9.x", "10.0.1.3", "web", "web's id", VIP)
    shop = daemon(old, new)
    shop.remove("shop", old)
    service = shop.sandboxes["shop"].load_balancer.services[256]
    assert [each.address for each in service.destinations] == ["10.0.1.3"]
    shop.remove("shop", new)
    assert not shop.sandboxes["shop"].load_balancer.services
