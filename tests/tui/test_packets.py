"""Requests, load balancers and gossip in the app, as the rows of a trace tell them."""

from __future__ import annotations

import pytest

from swarmsim.replay.recording import Recording
from swarmsim.replay.requests import last_seconds, way
from swarmsim.scenario import load_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.state import ClusterState, state_of
from swarmsim.tui.clustermap import ClusterMap
from swarmsim.tui.packets import MATRIX, GossipPanel, TrafficPanel
from swarmsim.tui.page import Page
from swarmsim.tui.panels import Details
from swarmsim.tui.stage import PANELS
from swarmsim.tui.texts import Texts
from swarmsim.tui.themes import DARK
from tests.tui.test_app import looked_at, recorded_app, shown

DEAD = 12.0
"""w2 has no power since five seconds after the beginning of traffic; nobody has noticed yet."""
FOUND = 25.0
"""Gossip has found out; the managers have not."""


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    """A node dies under traffic."""
    found: list[dict] = []
    run_scenario(load_scenario("node-dies-under-traffic"), 1, found.append)
    return found


def recording_of(rows: list[dict]) -> Recording:
    recording = Recording({}, rows)
    recording.take_in(len(rows))
    return recording


def host(name: str) -> dict:
    return {
        "t": 0.0,
        "kind": "host",
        "host": name,
        "role": "worker",
        "site": None,
        "address": "",
        "cpus": 1.0,
        "memory": 1,
    }


def ipvs(weight: int | None = 1, **changes: object) -> dict:
    row = {"t": 1.0, "kind": "ipvs", "host": "m1", "network": "ingress", "service": "web", "task": "web.1", "id": "t1"}
    return {**row, "address": "10.0.0.7", "weight": weight, **changes}


def request(**changes: object) -> dict:
    row = {"t": 2.0, "kind": "request", "traffic": "clients", "src": "outside", "to": "m1", "port": 80, "began": 1.9}
    return {**row, "ms": 1.0, "out": "ok", "by": "web.1", "node": "w1", "tries": 1, "via": "10.0.0.7", **changes}


def told(row: dict, state: ClusterState) -> str:
    return " ".join(f"{stage.by}>{stage.at}" for stage in way(row, state))


def test_a_request_goes_by_ipvs_and_through_a_tunnel_to_the_task():
    state = state_of([host("m1"), host("w1"), ipvs()])
    assert told(request(), state) == ">outside >m1:80 IPVS>10.0.0.7 VXLAN>web.1 @ w1"
    assert told(request(node="m1"), state) == ">outside >m1:80 IPVS>10.0.0.7 bridge>web.1 @ m1"


def test_of_a_request_that_was_lost_the_load_balancers_choice_is_known():
    state = state_of([host("m1"), host("w1"), ipvs()])
    lost = request(out="timeout", by=None, node=None)
    assert told(lost, state) == ">outside >m1:80 IPVS>10.0.0.7 >web.1".replace(" >web.1", " VXLAN>web.1")
    del lost["via"]
    assert told(lost, state) == ">outside >m1:80"


def test_a_port_of_host_mode_has_no_load_balancer():
    row = request()
    del row["via"]
    assert told(row, state_of([host("m1")])) == ">outside >m1:80 bridge>web.1 @ w1"


def test_the_last_seconds_are_counted_up_to_the_moment_looked_at():
    rows = [
        request(t=t, out=out, by="web.1" if out == "ok" else None)
        for t, out in ((1.0, "ok"), (7.0, "ok"), (8.0, "timeout"))
    ]
    seen = last_seconds(recording_of(rows), 9.0)["clients"]
    assert seen.outcomes == {"ok": 1, "timeout": 1}
    assert seen.by == {"web.1": 1}
    assert seen.last[False]["t"] == 8.0
    assert last_seconds(recording_of(rows), 7.5)["clients"].outcomes == {"ok": 1}


def test_rates_are_counted_as_so_many_requests():
    row = {"t": 2.0, "kind": "requests", "traffic": "clients", "src": "outside", "to": "m1", "port": 80, "out": "ok"}
    rows = [{**row, "began": 0.0, "until": 1.0, "n": 5, "by": {"web.1": 3, "web.2": 2}}]
    seen = last_seconds(recording_of(rows), 3.0)["clients"]
    assert (seen.outcomes, seen.by, seen.last) == ({"ok": 5}, {"web.1": 3, "web.2": 2}, {})
    assert state_of(rows).requests == {"clients": {"ok": 5}}


def test_a_load_balancer_grows_and_shrinks_and_is_gone_with_its_network():
    rows = [ipvs(), ipvs(0), ipvs(address="10.0.0.8", task="web.2", id="t2")]
    state = state_of(rows)
    assert {at: row["weight"] for (_, at), row in state.balanced["m1"].items()} == {"10.0.0.7": 0, "10.0.0.8": 1}
    state.apply(ipvs(None))
    assert list(state.balanced["m1"]) == [("ingress", "10.0.0.8")]
    state.apply({"t": 3.0, "kind": "overlay", "host": "m1", "network": "ingress", "address": None})
    assert state.balanced["m1"] == {}


def test_an_engine_started_anew_is_alive_though_its_old_name_is_dead():
    def heard(name: str, now: str) -> dict:
        return {"t": 1.0, "kind": "gossip.member", "host": "m1", "peer": "w1", "name": name, "state": now}

    state = state_of([heard("old", "alive"), heard("new", "alive"), heard("old", "dead")])
    assert state.believes("m1", "w1") == "alive"
    state.apply(heard("new", "suspect"))
    assert state.believes("m1", "w1") == "suspect"
    state.apply({"t": 2.0, "kind": "engine.ended", "host": "m1"})
    assert state.believes("m1", "w1") is None


async def test_keys_lead_to_traffic_and_gossip_and_they_follow_the_moment(rows):
    app = recorded_app(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        app.player.seek(DEAD)
        await pilot.press("8")
        await pilot.pause()
        assert app.query_one("#traffic", TrafficPanel).display
        assert not app.query_one("#tasks").display
        assert "◂ web.1" in shown(app)
        assert "IPVS" in shown(app)
        assert "so far" in shown(app)
        await pilot.press("9")
        await pilot.pause()
        panel = app.query_one("#gossip", GossipPanel)
        assert panel.display
        assert panel._written is not None
        assert "▼" not in panel._written.plain.splitlines()[1]
        app.player.seek(FOUND)
        app.frame()
        await pilot.pause()
        assert "▼" in panel._written.plain.splitlines()[1]


async def test_details_of_a_host_have_its_networks_and_load_balancers(rows):
    app = recorded_app(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        app.player.seek(FOUND)
        app.query_one("#map", ClusterMap).select("m1", chosen=True)
        await pilot.pause()
        written = app.query_one("#details", Details)._written
        assert written is not None
        text = written.plain
        assert "network ingress  10.0.0.2" in text
        assert "IPVS web rr" in text
        assert "10.0.0.8" in text
        assert "10.0.0.7" not in text  # on the dead node, which gossip has found


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_empty_panels_say_what_to_do(language):
    app = recorded_app([host("m1")], language)
    async with app.run_test(size=(120, 40)) as pilot:
        for key, name, says in (("8", "no traffic", "traffic:"), ("9", "no gossip", "gossip: true")):
            await pilot.press(key)
            await pilot.pause()
            assert says in Texts(language)(name)
            panel = app.query_one(f"#{PANELS[int(key) - 1]}", Page)
            assert panel.display
            assert panel._written is not None
            assert panel._written.plain == Texts(language)(name)


async def test_many_engines_are_a_list_of_those_that_doubt():
    names = [f"h{number}" for number in range(MATRIX + 1)]
    rows = [
        {"t": 1.0, "kind": "gossip.member", "host": one, "peer": other, "name": other, "state": "alive"}
        for one in names
        for other in names
        if one != other
    ]
    rows.append({"t": 2.0, "kind": "gossip.member", "host": "h3", "peer": "h7", "name": "h7", "state": "dead"})
    app = recorded_app(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        app.player.seek(3.0)
        await pilot.press("9")
        await pilot.pause()
        assert f"{MATRIX} of {MATRIX + 1} engines believe all others alive" in shown(app)
        assert "h3: ▼h7" in shown(app)


@pytest.mark.parametrize("panel", ["traffic", "gossip"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_looks(snap_compare, rows, size, panel):
    look = looked_at(DEAD + 3, DARK.name, str(PANELS.index(panel) + 1))
    assert snap_compare(recorded_app(rows), terminal_size=size, run_before=look)
