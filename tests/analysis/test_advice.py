"""Advice: what every course says of managers, sites, constraints and capacity, found by experiments; and the commands that show it again."""

from __future__ import annotations

import itertools
import json
import shlex

import pytest
from typer.testing import CliRunner

from swarmsim.analysis import advice as rooms
from swarmsim.analysis.advice import Adviser
from swarmsim.analysis.advicetext import fewest, page
from swarmsim.analysis.sweep import parse_changes
from swarmsim.analysis.variant import Layout, flow
from swarmsim.cli import app
from swarmsim.scenario.loader import parse_scenario, shipped_scenarios
from swarmsim.yamldoc import Document

OFTEN = "faults: {hosts: all, every: {exponential: 100m}, for: {exponential: 10m}}\n"
"""Failures so frequent that short runs tell."""
SERVICE = "service create -d --no-resolve-image --name"


def cluster(text: str, *commands: str, more: str = OFTEN) -> str:
    steps = "".join(f"  - docker: {command}\n" for command in commands)
    return f"name: c\ncluster: {text}\n{more}" + (f"steps:\n{steps}" if steps else "")


def ask(text: str, seeds: int = 2) -> Adviser:
    return Adviser(text, "c.yaml", range(1, seeds + 1), jobs=2)


@pytest.fixture
def few(monkeypatch):
    """Short runs."""
    monkeypatch.setattr(rooms, "FAILURES_OF_A_MANAGER", 3)
    monkeypatch.setattr(rooms, "FAILURES_THAT_COUNT", 3)
    monkeypatch.setattr(rooms, "FAILURES_OF_A_CLUSTER", 20)


# -- how many managers


@pytest.fixture(scope="module")
def counts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "FAILURES_OF_A_MANAGER", 10)
        return {each.managers: each for each in ask(cluster("{managers: 3}"), seeds=3).managers}


def test_two_managers_are_worse_than_one(counts):
    assert counts[2].no_quorum.minutes > 1.5 * counts[1].no_quorum.minutes


def test_three_managers_are_better_than_one_and_a_fourth_adds_nothing(counts):
    assert counts[3].no_quorum.minutes < 0.6 * counts[1].no_quorum.minutes
    assert counts[4].no_quorum.minutes >= counts[3].no_quorum.minutes
    assert counts[5].no_quorum.minutes < counts[3].no_quorum.minutes


def test_one_manager_is_missing_as_long_as_its_host(counts):
    """Ten minutes in a hundred and ten, give or take what so short a time tells."""
    alone = counts[1].no_quorum
    assert abs(alone.minutes - 365 * 24 * 60 / 11) < 2 * alone.half_width


def test_the_fewest_managers_is_never_a_number_that_fewer_beat(counts):
    assert fewest(list(counts.values())).managers in (3, 5)


def test_three_sites_hold_out_where_two_do_not(few):
    """Whole sites fail. With two, one of them has the majority; with three, none."""
    laws = "faults:\n" + "".join(
        f"  - {{site: [{site}], every: {{exponential: 100m}}, for: {{exponential: 10m}}}}\n"
        for site in ("m1", "m2", "m3, w1")
    )
    three = "{managers: 3, workers: 1, sites: {a: [m1], b: [m2], c: [m3, w1]}}"
    spread = {each.managers: each for each in ask(cluster(three, more=laws)).managers}
    assert spread[3].sites == {"a": 1, "b": 1, "c": 1}
    assert spread[5].sites == {"a": 2, "b": 2, "c": 1}
    laws = laws.replace("[m2]", "[m2, m1]").replace(
        "  - {site: [m1], every: {exponential: 100m}, for: {exponential: 10m}}\n", ""
    )
    two = "{managers: 3, workers: 1, sites: {a: [m1, m2], c: [m3, w1]}}"
    paired = {each.managers: each for each in ask(cluster(two, more=laws)).managers}
    assert spread[3].no_quorum.minutes < paired[3].no_quorum.minutes


def test_managers_on_one_site_of_three_are_compared_with_as_many_spread(few):
    text = "{managers: 3, workers: 2, sites: {a: [m1, m2, m3], b: [w1], c: [w2]}}"
    three = [each for each in ask(cluster(text)).managers if each.managers == 3]
    assert [(each.now, each.sites) for each in three] == [
        (True, {"a": 3, "b": 0, "c": 0}),
        (False, {"a": 1, "b": 1, "c": 1}),
    ]


# -- what is lost with what


def lost(text: str) -> dict[str, tuple[bool, list[str]]]:
    """By what is lost: whether there is a quorum afterwards, and the services that do not come back."""
    return {loss.name: (loss.quorum, [each.service for each in loss.lacking]) for loss in ask(text).losses}


def test_a_single_manager_is_a_single_point_of_failure():
    text = cluster(
        "{managers: 1, workers: 2}", f"{SERVICE} web --replicas 2 --constraint node.role==worker mini:1 sleep 9999"
    )
    assert lost(text) == {"m1": (False, []), "w1": (True, []), "w2": (True, [])}


def test_either_of_two_managers_is_one():
    found = lost(cluster("{managers: 2}", f"{SERVICE} web mini:1 sleep 9999"))
    assert {host: quorum for host, (quorum, _) in found.items()} == {"m1": False, "m2": False}


def test_what_may_run_on_one_host_alone_is_lost_with_it():
    text = cluster(
        "{managers: 3, workers: 2, hosts: {w1: {labels: {disk: ssd}}}}",
        f"{SERVICE} db --constraint node.labels.disk==ssd mini:1 sleep 9999",
        f"{SERVICE} web --replicas 4 mini:1 sleep 9999",
    )
    assert {host: services for host, (_, services) in lost(text).items() if services} == {"w1": ["db"]}
    losses = {loss.name: loss for loss in ask(text).losses}
    assert "scheduling constraints not satisfied on 4 nodes" in losses["w1"].lacking[0].why
    assert losses["w2"].below["web"] > 10  # it comes back, but its heartbeats have to be missed first


FULL = "{managers: [m1], workers: 3, hosts: {w1: {cpus: 2}, w2: {cpus: 2}, w3: {cpus: 2}}}"
RESERVED = f"{SERVICE} web --replicas 12 --reserve-cpu 0.4 --constraint node.role==worker mini:1 sleep 9999"


def test_three_hosts_that_are_four_fifths_full_cannot_lose_one():
    """12 tasks of 0.4 processors on 6; two hosts have room for 5 each."""
    losses = {loss.name: loss for loss in ask(cluster(FULL, RESERVED)).losses}
    for host in ("w1", "w2", "w3"):
        (web,) = losses[host].lacking
        assert (web.running, web.replicas) == (10, 12)
        assert "insufficient resources on 2 nodes" in web.why


def test_a_fourth_host_makes_up_for_the_one_that_is_lost(few):
    found = ask(cluster(FULL, RESERVED)).worker
    assert (found.worker, found.twin_of) == ("w4", "w3")
    assert [loss.name for loss in found.losses] == ["w1", "w2", "w3"]
    assert all(loss.survived for loss in found.losses)
    below = "web below replicas"
    assert found.having[below].minutes < found.without[below].minutes


def test_a_site_is_lost_as_a_whole():
    text = cluster(
        "{managers: 3, workers: 2, sites: {north: [m1, w1], south: [m2, m3, w2]}}",
        f"{SERVICE} web --replicas 4 --constraint node.role==worker mini:1 sleep 9999",
    )
    assert {name: quorum for name, (quorum, _) in lost(text).items() if name in ("north", "south")} == {
        "north": True,
        "south": False,
    }


def test_a_global_service_and_a_job_that_is_over_are_not_lost_with_a_host():
    text = cluster(
        "{managers: 3, workers: 1}",
        f"{SERVICE} agent --mode global mini:1 sleep 9999",
        f"{SERVICE} once --mode replicated-job mini:1 sleep 5",
    )
    adviser = ask(text)
    assert adviser.services == ["agent"]
    assert all(loss.survived for loss in adviser.losses)


def test_what_never_ran_is_told_and_no_loss_is_blamed_for_it():
    text = cluster("{managers: 1, workers: 1}", f"{SERVICE} db --constraint node.labels.disk==ssd mini:1 sleep 9999")
    adviser = ask(text)
    assert [(each.service, each.running, each.replicas) for each in adviser.lacking] == [("db", 0, 1)]
    assert all(not loss.lacking for loss in adviser.losses)


def test_of_many_hosts_that_are_alike_one_is_lost():
    text = cluster("{managers: 3, workers: 30}", f"{SERVICE} web --replicas 33 mini:1 sleep 9999")
    tried = ask(text).losses
    assert [(loss.name, len(loss.alike)) for loss in tried] == [("m1", 2), ("w1", 29)]


# -- assumptions, and a scenario that has faults of its own


def test_what_is_assumed_is_said():
    adviser = ask(cluster("{managers: 1, workers: 1, sites: {a: [m1], b: [w1]}}", more=""))
    assert "assumed" in adviser.assumed[0]
    assert adviser.layout.faults[0] == {"hosts": "all", **rooms.HOST_LAW}
    assert [law["site"] for law in adviser.layout.faults[1:]] == [["m1"], ["w1"]]
    assert ask(cluster("{managers: 1}")).assumed == []
    of_workers = ask(cluster("{managers: 1, workers: 1}", more=OFTEN.replace("all", "workers")))
    assert of_workers.layout.faults[-1] == {"hosts": "managers", **rooms.HOST_LAW}


def test_the_cluster_judged_is_that_before_the_first_fault():
    losses = Adviser(shipped_scenarios()["quorum-loss"], "quorum-loss", range(1, 3), jobs=2).losses
    assert all(loss.quorum for loss in losses)


# -- variants


def test_a_twin_is_like_its_original_in_all_that_is_said_by_name():
    text = "name: x\ncluster: {workers: [w1, w2], hosts: {w2: {cpus: 8, address: 10.9.0.1}}, sites: {a: [m1, w2]}}\nfaults: {site: [w2], every: 1d, for: 1h}\n"
    layout = Layout(Document(text, text_keys=True).data, parse_scenario(text, "x").scenario)
    assert layout.twin("w2", "worker") == "w3"
    changed = parse_scenario(text, "x", layout.changes()).scenario
    assert changed.cluster.hosts["w3"].cpus == 8
    assert changed.cluster.sites == {"a": ["m1", "w2", "w3"]}
    assert changed.faults[0].site == ["w2", "w3"]
    layout.keep(["m1"])
    assert layout.changes() == {
        "cluster.workers": 0, "cluster.sites": {"a": ["m1"]}, "cluster.hosts": {}, "faults": []
    }  # fmt: skip


def test_a_twin_is_so_by_its_name_what_its_original_is_by_a_pattern():
    text = 'name: x\ncluster: {workers: 2, hosts: {"w[12]": {cpus: 8, labels: {a: b}}}, sites: {north: ["w*"]}}\n'
    layout = Layout(Document(text, text_keys=True).data, parse_scenario(text, "x").scenario)
    assert layout.changes() == {}
    layout.twin("w2", "worker")
    changed = parse_scenario(text, "x", layout.changes()).scenario.cluster
    assert (changed.settings("w3").cpus, changed.settings("w3").labels) == (8, {"a": "b"})
    assert changed.site_of()["w3"] == "north"
    layout.keep(["m1"])
    assert parse_scenario(text, "x", layout.changes()).scenario.cluster.all_names() == ["m1"]


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_value_in_a_command_is_read_as_it_was(name):
    for key, value in Document(shipped_scenarios()[name], text_keys=True).data.items():
        assert parse_changes([f"{key}={flow(value)}"]) == {key: value}


# -- the page and its commands


SHOP = cluster(
    "{managers: 1, workers: 2, sites: {north: [m1, w1], south: [w2]}, hosts: {w1: {labels: {disk: ssd}}}}",
    f"{SERVICE} db --constraint node.labels.disk==ssd mini:1 sleep 9999",
    f"{SERVICE} web --replicas 4 --constraint node.role==worker mini:1 sleep 9999",
)


@pytest.fixture(scope="module")
def shop():
    """A manager that is alone, and a service that may run on one host only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "FAILURES_OF_A_MANAGER", 2)
        patch.setattr(rooms, "FAILURES_THAT_COUNT", 2)
        patch.setattr(rooms, "FAILURES_OF_A_CLUSTER", 6)
        return ask(SHOP).advice()


@pytest.mark.slow
def test_every_figure_is_shown_again_by_its_command(shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(SHOP)
    told = {}

    def again(command: str) -> dict:
        if command not in told:
            done = CliRunner().invoke(app, [*shlex.split(command)[1:], "--json"])
            told[command] = json.loads(done.stdout)
        return told[command]

    figures = [("no quorum", each.no_quorum) for each in shop.managers]
    figures += itertools.chain(shop.worker.without.items(), shop.worker.having.items())
    for name, figure in figures:
        shown = again(figure.again)["availability"][f"{name}: share"]
        assert shown["mean"] * 365 * 24 * 60 == pytest.approx(figure.minutes)
        assert shown["half_width_95%"] * 365 * 24 * 60 == pytest.approx(figure.half_width)
    for loss in [*shop.losses, *shop.worker.losses]:
        outages = again(loss.again)["availability"]["outages"]
        assert loss.quorum == (outages["no quorum"]["seconds"] == 0)
        for lacking in loss.lacking:
            assert outages[f"{lacking.service} below replicas"]["longest"] >= rooms.PATIENCE
        for service, gap in loss.below.items():
            assert outages[f"{service} below replicas"]["seconds"] == pytest.approx(gap, abs=0.01)
    assert len(told) > 10


def test_the_page_says_what_was_found(shop):
    told = page(shop)
    assert "  m1: the quorum\n" in told
    assert "  w1: db\n" in told
    assert "w3, like w2 in size, labels, site and laws." in told
    text, commands = told.split("THE SAME AGAIN\n")
    numbers = [line.split()[0] for line in commands.splitlines()]
    assert numbers == [f"[{number + 1}]" for number in range(len(numbers))]
    assert all(number in text for number in numbers)
    assert max(map(len, text.splitlines())) <= 110


def test_the_same_seeds_give_the_same_advice(few):
    text = cluster("{managers: 1, workers: 1}", f"{SERVICE} web mini:1 sleep 9999")
    assert ask(text).losses == ask(text).losses
