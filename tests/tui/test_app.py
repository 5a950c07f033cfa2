"""The app, driven key by key as a person would; what it looks like is held by snapshots."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from swarmsim.replay.chinese import chinese
from swarmsim.replay.recording import Recording
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.state import ClusterState
from swarmsim.tui.app import WatchApp
from swarmsim.tui.clustermap import ClusterMap
from swarmsim.tui.keys import KEY_NAMES, KEYS
from swarmsim.tui.panels import Details, RaftPanel, Story, TaskTable
from swarmsim.tui.player import Future, Player
from swarmsim.tui.prompt import Prompt
from swarmsim.tui.screens import AskSeed, Broken, Compare, HelpScreen, Question
from swarmsim.tui.services import ServiceTable
from swarmsim.tui.stage import IN_TURN, PANELS
from swarmsim.tui.texts import Texts
from swarmsim.tui.themes import DARK, LIGHT
from swarmsim.tui.timebar import TimeBar
from tests.tui.conftest import TEXT, loaded

SIZES = [(80, 24), (120, 40), (200, 60)]


def live_app(tmp_path: Path, text: str = TEXT, speed: float = 20.0) -> WatchApp:
    player = Player(Future("1", Recording({}, []), loaded(text), seed=1))
    player.speed = speed
    return WatchApp(player, Texts("en"), title="small", text=text, where=tmp_path / "runs")


def recorded_app(rows: list[dict], language: str = "en") -> WatchApp:
    """A run from which time has gone: it shows what it is sent to, whenever it is looked at."""
    recording = Recording({}, rows)
    recording.take_in(len(rows))
    player = Player(Future("1", recording, known=recording.end))
    return WatchApp(player, Texts(language), title="quorum-loss", playing=False, clock=lambda: 0.0)


async def until(pilot: Pilot, condition: Callable[[], object], frames: int = 2000) -> None:
    for _ in range(frames):
        if condition():
            await pilot.pause()
            return
        await asyncio.sleep(0.02)
    player = pilot.app.player
    live = player.future.live
    raise AssertionError(
        f"not in {frames} frames; at {player.t}, known {player.future.known}, playing {player.playing}, busy {player.busy},"
        f" asked {live is not None and live.asked}, on {pilot.app.screen}, focus {pilot.app.focused}, crash {player.crash!r}"
    )


async def formed(pilot: Pilot) -> None:
    player = pilot.app.player
    await until(pilot, lambda: player.recording.latest.balance() == (4, 4))
    await pilot.press("space")
    await until(pilot, lambda: not player.future.live.asked and player.t == player.future.known)


def shown(app: WatchApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


LEADERLESS = 50.0
"""When two of three managers are dead and the third has stepped down, 10 to 20 s after; nobody has power again yet."""


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    from swarmsim.scenario import load_scenario

    found: list[dict] = []
    run_scenario(load_scenario("quorum-loss"), 1, found.append)
    return found


# -- doing


async def test_a_power_cut_that_costs_the_quorum_is_asked_about(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("right", "p")  # the first →: m1; two of three stay
        assert not isinstance(app.screen, Question)
        await until(pilot, lambda: app.player.future.actions)
        await pilot.press("space")
        await until(pilot, lambda: not app.player.state.hosts["m1"].power)
        await pilot.press("space", "right", "p")  # m2: then one is left
        assert isinstance(app.screen, Question)
        assert "only 1 of 3 managers are left" in str(app.screen.question)
        await pilot.press("n")
        assert len(app.player.future.actions) == 1
        await pilot.press("p", "y")
        await until(pilot, lambda: len(app.player.future.actions) == 2)
        await pilot.press("space")
        await until(pilot, lambda: app.player.state.quorum["quorum"] is False)
        assert "no quorum" in shown(app)


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("p", "power_off"),
        ("e", "kill_engine"),
        ("x", "partition"),
        ("h", "heal"),
        ("k", "kill_container"),
    ],
)
async def test_a_key_does_it_to_the_selected_host(tmp_path, key, action):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        app.query_one("#map", ClusterMap).select("w1", chosen=False)
        await pilot.press(key)
        await until(pilot, lambda: app.player.future.actions)
        assert app.player.future.actions[0].fault.model_fields_set == {action}


async def test_power_and_engine_come_back_with_the_same_keys(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        app.query_one("#map", ClusterMap).select("w2", chosen=False)
        await pilot.press("space")
        done: list[tuple[str, Callable[[ClusterState], bool]]] = [
            ("p", lambda state: not state.hosts["w2"].power),
            ("p", lambda state: state.hosts["w2"].power and state.hosts["w2"].engine),
            ("e", lambda state: not state.hosts["w2"].engine),
            ("e", lambda state: state.hosts["w2"].engine),
            ("x", lambda state: not state.links.usual),
            ("x", lambda state: state.links.usual),
        ]
        for key, seen in done:
            await pilot.press(key)
            await until(pilot, lambda seen=seen: seen(app.player.state))
        verbs = [action.fault.verb for action in app.player.future.actions]
        assert verbs == ["power-off", "power-on", "kill-engine", "start-engine", "partition", "heal"]
        host = app.player.state.hosts["w2"]
        assert (host.power, host.engine, app.player.state.links.usual) == (True, True, True)


async def test_drain_and_back(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        app.query_one("#map", ClusterMap).select("w1", chosen=False)
        await pilot.press("d", "space")
        await until(pilot, lambda: app.player.state.node_of("w1")["avail"] == "drain")
        assert "drain" in shown(app)
        await pilot.press("d")
        await until(pilot, lambda: app.player.state.node_of("w1")["avail"] == "active")


async def test_a_command_is_typed_completed_answered_and_a_mistake_can_be_mended(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("colon")
        prompt = app.query_one("#prompt", Prompt)
        assert prompt.display
        await pilot.press(*"service sc", "tab", *"-d w", "tab")
        assert prompt.line.value == "service scale -d web="
        await pilot.press(*"x", "enter")
        await until(pilot, lambda: "invalid replicas" in shown(app))
        assert prompt.line.value == "service scale -d web=x"
        assert not app.player.playing  # as it was before
        assert prompt.line.selected_text == prompt.line.value  # the next letter replaces it, an arrow mends it
        await pilot.press("end", "backspace", "6", "enter")
        await until(pilot, lambda: "web scaled to 6" in shown(app))
        await pilot.press("up", "up")
        assert prompt.line.value == "service scale -d web=x"
        await pilot.press("escape")
        assert not prompt.display


@pytest.mark.parametrize(("opens", "line"), [("colon", "#line"), ("slash", "#find")])
async def test_letters_typed_at_once_are_the_lines_and_no_keys(rows, opens, line):
    app = recorded_app(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        await at(pilot, 5.0)
        await pilot.press("right")
        for key in (opens, *"xepq", "question_mark", "colon"):
            app.post_message(events.Key(key, {"question_mark": "?", "colon": ":"}.get(key, key)))
        await until(pilot, lambda: app.query_one(line, Input).value == "xepq?:")
        assert not app._notifications  # no plug was pulled
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("size", SIZES)
async def test_arrows_reach_every_host(rows, size):
    async with recorded_app(rows).run_test(size=size) as pilot:
        app = await at(pilot, 5.0)
        seen = []
        for key in [*["right"] * 6, *["left"] * 5]:
            await pilot.press(key)
            seen.append(app.host)
        assert seen == ["m1", "m2", "m3", "w1", "w2", "w2", "w1", "m3", "m2", "m1", "m1"]


async def test_keys_typed_at_once_do_their_work_in_order(rows):
    app = recorded_app(rows)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, 5.0)
        for key in ("right", "right", "5", "colon", "x", "escape", "right", "question_mark"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert app.host == "m3"
        assert app.query_one("#details").region.height
        assert not app.query_one("#prompt").display


async def typed(pilot: Pilot, line: str) -> None:
    """Type a line at once, as if it were pasted."""
    pilot.app.query_one("#prompt", Prompt).line.value = line
    await pilot.press("enter")


NEVER = "service create --name never --constraint node.labels.x==y mini:1"


async def test_a_command_that_cannot_converge_shows_its_progress_and_blocks_nothing(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("colon")
        await typed(pilot, NEVER)
        await until(pilot, lambda: "1/1: no suitable node" in shown(app))
        prompt = app.query_one("#prompt", Prompt)
        assert "[1] service create --name ne" in str(prompt.border_subtitle).replace("\\", "")
        await typed(pilot, "service ls")
        await until(pilot, lambda: len(app.session.running) == 1)
        assert "replicated   0/1" in shown(app)
        await typed(pilot, "jobs")
        await until(pilot, lambda: f"[1] m1$ docker {NEVER}" in shown(app))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.session.running)
        await until(pilot, lambda: not app.player.playing)  # as it was before
        assert app.is_running
        printed = [line.text for line in app.session.entries[0].lines]
        assert [line for line in printed if line.startswith("overall")] == [
            "overall progress: 0 out of 1 tasks"
        ]  # written over
        await pilot.press(*"half a line", "ctrl+c")
        assert not prompt.line.value
        await pilot.press("escape", "ctrl+c")
        assert [n.message for n in app._notifications] == ["q quits."]


async def test_all_that_was_answered_can_be_scrolled_back_to(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await formed(pilot)
        await pilot.press("colon")
        await typed(pilot, "service inspect web")
        await until(pilot, lambda: not app.session.running and '"ForceUpdate"' not in shown(app))
        await until(pilot, lambda: '"Endpoint": {' in shown(app))  # its end
        for _ in range(12):
            await pilot.press("pageup")
        assert "m1$ service inspect web" in shown(app)
        await pilot.press(*["pagedown"] * 14)
        assert '"Endpoint": {' in shown(app)


async def test_commands_go_to_a_manager_that_lives_unless_told(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        select = app.query_one("#map", ClusterMap).select
        select("w1", chosen=False)
        await pilot.press("colon")
        prompt = app.query_one("#prompt", Prompt)
        assert "on m1" in prompt.border_title
        await pilot.press("escape")
        app.player.act(fault={"power-off": "m1"})
        await pilot.press("space")
        await until(pilot, lambda: app.player.state.leader not in (None, "m1"))
        for host in ("m1", "m2", "m3"):
            select(host, chosen=False)
            await pilot.press("colon")
            await pilot.pause()
            there = ("m2", "m3") if host == "m1" else (host,)
            assert any(f"on {manager}" in str(prompt.border_title) for manager in there)
            await pilot.press("escape")
        await pilot.press("colon")
        await typed(pilot, "@w2 node ls")
        await until(pilot, lambda: "This node is not a swarm manager" in shown(app))
        await typed(pilot, "@m1 node ls")
        await until(pilot, lambda: "nothing can be typed on m1: it has no power" in shown(app))
        await typed(pilot, "@m9 node ls")
        await until(pilot, lambda: "@m9: no such host; there are m1, m2, m3, w1, w2" in shown(app))


async def test_words_are_listed_and_taken_in_turn(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("colon", *"node prom", "tab")
        line = app.query_one("#prompt", Prompt).line
        assert line.value == "node promote "
        await pilot.press("tab")
        assert line.value == "node promote w"  # what both begin with
        assert "w1  w2" in shown(app)
        seen = []
        for key in ("tab", "tab", "tab", "shift+tab"):
            await pilot.press(key)
            seen.append(line.value.split()[-1])
        assert seen == ["w1", "w2", "w1", "w2"]
        await pilot.press("space", "tab")
        assert line.value == "node promote w2 w1 "


async def test_a_line_is_edited_and_found_again_as_in_a_shell(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("colon")
        await typed(pilot, "sudo docker node ls | grep -c Ready")
        await until(pilot, lambda: not app.session.running)
        assert [line.text for line in app.session.entries[-1].lines] == ["5"]
        await typed(pilot, "help")
        await typed(pilot, "wget localhost")
        assert "Ctrl+A E W U K" in shown(app)
        assert "on a host it is curl that asks a published port" in shown(app)
        line = app.query_one("#prompt", Prompt).line
        await pilot.press("ctrl+u", "ctrl+r", *"node")
        assert "(reverse-i-search)'node': sudo docker node ls" in shown(app)
        await pilot.press("right", "tab")
        assert line.value == "sudo docker node ls | grep -c Ready"
        await pilot.press("ctrl+a", *"x", "ctrl+e", "ctrl+w", *"y")
        assert line.value == "xsudo docker node ls | grep -c y"
        await pilot.press("ctrl+u")
        assert line.value == ""
        await typed(pilot, "watch -n 1 service ls | head -1")
        first = app.session.entries[-1]
        job = first.job
        await until(pilot, lambda: first.job is not job)  # and again
        await pilot.press("ctrl+c")
        assert first.stopped


async def test_what_was_done_is_saved_as_a_scenario_that_does_it_again(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        app.query_one("#map", ClusterMap).select("w2", chosen=False)
        await pilot.press("p", "space")
        await until(pilot, lambda: app.player.state.node_of("w2")["status"] == "down")
        await pilot.press("q")
        assert "not saved" in shown(app)
        await pilot.press("n", "ctrl+s", "enter")
        await until(pilot, lambda: (tmp_path / "runs" / "small-watched.yaml").exists())
        assert "name: small-watched" in (tmp_path / "runs" / "small-watched.yaml").read_text("utf-8")
        assert not app._unsaved
        await pilot.press("ctrl+s")
        assert app.screen.query_one("#answer").value == "small-watched-2"  # one that is free
        app.screen.query_one("#answer").value = "small-watched"
        await pilot.press("enter")
        assert "small-watched is there already" in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: not app.player.future.live.asked)
        seen = list(app.player.recording.rows)
    text = (tmp_path / "runs" / "small-watched.yaml").read_text("utf-8")
    again: list[dict] = []
    run_scenario(loaded(text), 1, again.append)
    assert [row.pop("scenario") for row in again if row["kind"] == "begin"] == ["small-watched"]
    assert [row.pop("scenario") for row in seen if row["kind"] == "begin"] == ["small"]
    until_saved = next(n for n, row in enumerate(again) if row.get("text") == "watched until here")
    assert [row for row in seen if row["t"] < again[until_saved]["t"]] == again[:until_saved]
    assert len((tmp_path / "runs" / "small-watched-1.jsonl").read_bytes().splitlines()) > 100


async def test_where_nothing_can_be_written_it_is_told_what_and_why(tmp_path):
    (tmp_path / "runs").write_text("a file, where a folder is wanted")
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        app.query_one("#map", ClusterMap).select("w2", chosen=False)
        await pilot.press("p", "ctrl+s", "enter")
        await until(pilot, lambda: app._notifications)
        (told,) = [note.message for note in app._notifications]
        assert told == f"{tmp_path / 'runs'}: cannot be written: File exists; start swarmsim where you may write"
        assert app._unsaved


async def test_another_future_and_the_two_compared(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("B")
        assert not isinstance(app.screen, Compare)  # there is only one
        await pilot.press("home", "b")
        assert isinstance(app.screen, AskSeed)
        await pilot.press("ctrl+u", *"luck", "enter")
        assert "'luck' is no number" in shown(app)
        await pilot.press("ctrl+u", *"42", "enter")
        await until(pilot, lambda: len(app.player.futures) == 2 and not isinstance(app.screen, AskSeed))
        await until(pilot, lambda: not (app.player.busy or app.player.future.live.asked))
        await pilot.press("space")
        await until(pilot, lambda: app.player.state.balance() == (4, 4))
        await pilot.press("space", "B")
        assert isinstance(app.screen, Compare)
        assert "seed 42" in shown(app)
        await pilot.press("left", "enter")
        assert app.player.future.name == "1"


async def test_futures_are_compared_by_what_each_knows_and_go_on_while_one_looks(rows):
    """The second has parted at 20 s; until it is made anew its rows are the first one's, of which it knows no more than that."""
    recording = Recording({}, rows)
    recording.take_in(len(rows))
    parted = recording.begin + 20.0
    made = Future("2", recording, forked=parted, known=parted)
    player = Player(Future("1", recording, known=recording.end))
    player.futures.append(made)
    app = WatchApp(player, Texts("en"), title="quorum-loss", playing=False, clock=lambda: 0.0)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.press("B")
        await until(pilot, lambda: "the same until 0:00:20" in shown(app))
        assert ", 0:00:20.0" in shown(app)
        assert shown(app).count("no manager answers") == 1  # it comes later, and only the first knows
        made.known = parted + 60.0
        await until(pilot, lambda: ", 0:01:20.0" in shown(app))


async def test_a_model_that_breaks_says_so_and_keeps_the_trace(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        app.player.future.live._process.kill()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Broken))
        assert "ended unexpectedly" in app.screen.message
        assert (tmp_path / "runs" / "small-1-crash.jsonl").exists()


# -- looking


async def at(pilot: Pilot, t: float) -> WatchApp:
    app = pilot.app
    app.player.seek(app.player.recording.begin + t)
    app.frame()
    await pilot.pause()
    app.show()  # now that the panels have their sizes
    await pilot.pause()
    return app


async def test_the_panels_tell_one_moment(rows):
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, LEADERLESS)
        words = shown(app)
        assert "no quorum" in words
        assert "candidate" in words or "follower" in words
        assert "engine down" in words
        assert "5/5" in words
        assert "!! kill host m2 m3" in [item.text for item in app.query_one("#story", Story).items]
        app = await at(pilot, 5.0)
        assert "no quorum" not in shown(app)


async def test_an_election_can_be_seen_coming(rows):
    due = next(row for row in rows if row["kind"] == "raft.countdown" and row["due"])
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = pilot.app
        app.player.seek(due["t"] + 1.0)
        app.frame()
        await pilot.pause()
        assert f"stands in {due['due'] - due['t'] - 1.0:4.1f} s" in shown(app)


async def test_tasks_are_filtered_sorted_and_their_history_shown(rows):
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, rows[-1]["t"])
        table = app.query_one("#tasks", TaskTable)
        count = len(table.items)
        await pilot.press("a")
        assert len(table.items) > count
        await pilot.press("a", "r")
        assert all(item.row is None or item.row["state"] == "running" for item in table.items)
        await pilot.press("r", "slash", *"web.7", "enter")
        assert [item.row["slot"] for item in table.items if item.row] == [7]
        await pilot.press("escape")
        assert len(table.items) == count
        await pilot.press("s")
        nodes = [item.row["node"] for item in table.items if item.row]
        assert nodes == sorted(nodes)


async def test_details_of_host_task_and_service(rows):
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, rows[-1]["t"])
        await pilot.press("right", "right", "enter")
        assert app.selected == ("host", "m2")
        assert "10.97.0.3" in shown(app)
        await pilot.press("2", "down", "enter")
        assert app.selected[0] == "task"
        assert "─▶" in shown(app)
        assert "its life" in shown(app)
        await pilot.press("up", "enter")
        assert app.selected == ("service", "web")
        assert "service web" in shown(app)


STACK = """
name: stacks
cluster: {managers: 1, workers: 2}
files:
  shop.yml: |
    services:
      api: {image: nginx, ports: ["8080:80"], deploy: {replicas: 3}, networks: [back], volumes: ["data:/data"]}
      db: {image: postgres, networks: [back]}
    networks: {back: {}}
    volumes: {data: {}}
steps:
  - docker: stack deploy -c shop.yml shop
  - docker: service create -d --name web --replicas 4 --no-resolve-image nginx
  - wait: {service: web, running: 4}
  - wait: {service: shop_api, running: 3}
  - docker: service update -d --no-resolve-image --image redis --update-delay 1h web
  - sleep: 30s
"""


@pytest.fixture(scope="module")
def stack_rows() -> list[dict]:
    found: list[dict] = []
    run_scenario(loaded(STACK), 1, found.append)
    return found


async def test_services_and_stacks_have_panels(stack_rows):
    async with recorded_app(stack_rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, 1000.0)
        assert "6 Services  7 Stacks" in shown(app)
        await pilot.press("6")
        lines = [line.split("││")[0] for line in shown(app).splitlines()]
        api = next(line for line in lines if "shop_api" in line)
        assert api.strip("│").split() == ["shop_api", "replicated", "3/3", "nginx:latest", "shop", "*:8080-…"]
        await pilot.press("down")
        assert app.selected == ("service", "shop_api")
        words = shown(app)
        assert "ports *:8080->80/tcp" in words
        assert "networks shop_back" in words
        assert "volumes shop_data" in words
        services = app.query_one("#services", ServiceTable)
        await pilot.press("s", "s")
        assert "Sort: MISSING" in shown(app)
        await pilot.press("7")
        words = shown(app)
        assert "stack    shop                 4/4  shop_db  shop_api" in words
        assert "network  shop_back" in words
        assert "volume   shop_data" in words
        assert not services.region.height
        assert "2 Tasks" in words


async def test_a_large_screen_shows_every_panel_and_hosts_with_their_tasks_by_name(stack_rows):
    async with recorded_app(stack_rows).run_test(size=(200, 60)) as pilot:
        app = await at(pilot, 1000.0)
        assert all(app.query_one(f"#{panel}").region.height for panel in PANELS if panel not in IN_TURN)
        words = shown(app)
        assert "2 CPU  4.0 GiB  10.97.0.2" in words
        assert "■ shop_db.1  running" in words
        update = next(line for line in words.splitlines() if "│web " in line and "redis" in line and "█" in line)
        assert "updating" in update
        assert "1/4" in update


async def test_logs_of_the_selected_task_are_asked_of_docker(tmp_path):
    app = live_app(tmp_path, TEXT.replace("mini:1 sleep 100000", "nginx"))
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("l")
        assert [n.message for n in app._notifications] == [Texts("en")("select task")]
        await pilot.press("2", "down", "l")
        kind, task = app.selected
        assert kind == "task"
        await until(pilot, lambda: app.session.entries and app.session.entries[-1].line == f"service logs {task}")
        await until(pilot, lambda: not app.session.running)
        assert not app.session.entries[-1].job.code


async def test_time_starts_at_nought_and_stops_when_one_looks_back(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "0:00:00" in shown(app)
        await formed(pilot)
        await pilot.press("space", "left_curly_bracket")
        assert not app.player.playing
        await pilot.press("space", "b")  # while it plays: the future begins at the moment the dialog names
        named = app.player.t
        await pilot.press("enter")
        assert app.player.future.forked == named
        await until(pilot, lambda: "future 2 seed 2" in shown(app))


async def test_where_nothing_more_happens_it_asks_before_it_leaps(tmp_path):
    app = live_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await formed(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "Nothing more happens by itself within 1 h" in shown(app)
        assert app.player.t < 3600
        await pilot.press("y")
        await until(pilot, lambda: app.player.t > 90_000)


async def test_a_cluster_made_by_hand_has_a_quorum_once_there_is_a_swarm(tmp_path):
    text = "name: bare\ncluster: {managers: 1, workers: 1, formed: false}\n"
    app = live_app(tmp_path, text)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "no swarm yet" in shown(app))
        await pilot.press("colon")
        await typed(pilot, "swarm init")
        await until(pilot, lambda: " ★ m1 " in shown(app))
        assert "no quorum" not in shown(app)


async def test_time_goes_back_and_on(rows):
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, 30.0)
        begin = app.player.recording.begin
        await pilot.press("left_square_bracket")
        assert app.player.t < begin + 30
        await pilot.press("end")
        assert app.player.t == app.player.future.known
        await pilot.press("left_curly_bracket")
        assert app.player.t == pytest.approx(app.player.future.known - 10)
        await pilot.press("home", "right_square_bracket")
        assert begin <= app.player.t < begin + 1
        await pilot.click("#timebar", offset=(60, 0))
        assert app.player.t == pytest.approx(begin + (app.player.future.known - begin) / 2, rel=0.05)


async def test_speeds_have_ends(rows):
    async with recorded_app(rows).run_test(size=(80, 24)) as pilot:
        await pilot.press(*["plus"] * 30)
        assert pilot.app.player.speed == 10_000
        await pilot.press(*["minus"] * 40)
        assert pilot.app.player.speed == 0.1


async def test_a_small_terminal_shows_one_panel_beside_the_map(rows):
    async with recorded_app(rows).run_test(size=(80, 24)) as pilot:
        app = await at(pilot, LEADERLESS)
        for key, kind in (("3", RaftPanel), ("4", Story), ("5", Details), ("2", TaskTable)):
            await pilot.press(key)
            visible = [w for w in (RaftPanel, Story, Details, TaskTable) if app.query_one(w).region.height > 0]
            assert visible == [kind]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_messages_never_cover_the_time_line(rows, size):
    async with recorded_app(rows).run_test(size=size, notifications=True) as pilot:
        app = await at(pilot, 30.0)
        for number in range(20):
            app.notify(f"message {number}\nof two lines", timeout=60)
        await until(pilot, lambda: "of two lines" in shown(app), 200)
        bar = app.query_one("#timebar").region
        assert not any("message" in line or "two lines" in line for line in shown(app).splitlines()[bar.y : bar.bottom])


async def test_too_small_a_terminal_says_so(rows):
    async with recorded_app(rows).run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        assert "needs 60×18" in shown(pilot.app)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "Cluster" in shown(pilot.app)


async def test_in_a_record_nothing_is_done(rows):
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, 5.0)
        await pilot.press("right", "p")
        await pilot.pause()
        assert [n.message for n in app._notifications] == [Texts("en")("record")]
        await pilot.press("colon", *"node ls", "enter")
        assert "This is a record" in shown(app)


async def test_help_lists_every_key_and_the_palette_does_them(rows):
    app = recorded_app(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        words = shown(app)
        assert all(Texts("en")(about) in words for _, _, _, about, _ in KEYS)
        await pilot.press("escape")
        commands = [command.title for command in app.get_system_commands(app.screen)]
        assert {Texts("en")(about) for _, _, _, about, _ in KEYS} <= set(commands)


def test_every_key_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "keys.md").read_text("utf-8")
    for _, key, _, about, _ in KEYS:
        assert f"| `{KEY_NAMES.get(key, key)}` | {Texts('en')(about)}: " in text


async def test_every_task_state_has_a_sign_of_its_own():
    from swarmsim.replay.looks import NODES, TASKS

    signs = [look.sign for look in (*TASKS.values(), *NODES.values())]
    assert len(signs) == len(set(signs))


async def test_both_languages_say_everything():
    from swarmsim.tui.texts import TEXTS

    for key, (en, zh) in TEXTS.items():
        assert en, key
        assert zh, key
        assert sorted(part.split("}")[0] for part in en.split("{")[1:]) == sorted(
            part.split("}")[0] for part in zh.split("{")[1:]
        ), key


def english(text: str) -> str | None:
    """The first three words in a row that are English and none of Docker's: an untranslated sentence of ours."""
    for line in text.splitlines():
        cut = re.sub(
            r"（[^）]*）|\([^)]*\)|\"[^\"]*\"|: .*|中断：.*|\$ .*|-- .*|Error response.*|connection error.*", " ", line
        )
        found = re.search(r"[a-z]{2,}( [a-z]{2,}){2,}", cut)
        if found is not None:
            return found[0]
    return None


@pytest.mark.parametrize("scenario", ["quorum-loss", "two-sites", "rolling-update", "health-check", "pending-memory"])
def test_every_line_of_the_story_has_a_chinese_twin(scenario):
    from swarmsim.scenario import load_scenario

    told: list[dict] = []
    run_scenario(load_scenario(scenario), 1, told.append)
    recording = Recording({}, told)
    recording.take_in(len(told))
    ours = [line.text for line in recording.lines if line.sort not in ("command", "error", "note")]
    assert [text for text in ours if chinese(text) is None] == []


async def test_the_views_say_no_sentence_of_ours_in_english(rows):
    async with recorded_app(rows, "zh").run_test(size=(200, 60)) as pilot:
        app = await at(pilot, LEADERLESS)
        seen = []
        for keys in (["right"], ["2", "down", "enter"], ["6", "down"], ["7"], ["4"], ["question_mark"]):
            await pilot.press(*keys)
            seen.append(english(shown(app).replace(" palette", "")))
        assert seen == [None] * 6
        assert "引擎已停止" in "\n".join(item.text for item in app.query_one("#story", Story).items)


async def test_the_time_bar_is_exact_at_its_ends(rows):
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, 10.0)
        bar = app.query_one("#timebar", TimeBar)
        assert bar.time_at(0) == app.player.recording.begin
        assert bar.time_at(bar.size.width - 1) == pytest.approx(app.player.future.known)
        assert bar.column_of(bar.time_at(17)) == 17


# -- looks


def looked_at(t: float, theme: str, *keys: str):
    async def before(pilot: Pilot) -> None:
        pilot.app.theme = theme
        await pilot.pause()
        await at(pilot, t)
        for key in keys:
            await pilot.press(key)
        if keys:
            pilot.app.show()  # on a slow machine a panel may just have come up
            await pilot.pause()

    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
def test_looks(snap_compare, rows, size, theme):
    assert snap_compare(recorded_app(rows), terminal_size=size, run_before=looked_at(LEADERLESS, theme))


def test_looks_in_chinese(snap_compare, rows):
    app = recorded_app(rows, "zh")
    assert snap_compare(app, terminal_size=(120, 40), run_before=looked_at(77.0, DARK.name, "question_mark"))


def test_looks_of_a_thousand_hosts(snap_compare):
    rows: list[dict] = [
        {
            "t": 0.0,
            "kind": "host",
            "host": f"n{n}",
            "role": "worker",
            "site": None,
            "address": "",
            "cpus": 2,
            "memory": 1,
        }
        for n in range(1000)
    ]
    rows.append({"t": 0.0, "kind": "begin", "scenario": "x"})
    for n in range(1000):
        status = "down" if n % 97 == 5 else "ready"
        rows.append({"t": 1.0, "kind": "node", "node": f"n{n}", "status": status, "msg": None, "avail": "active",
                     "role": "worker", "leader": False, "reach": None, "id": f"i{n}"})  # fmt: skip
    task = {"t": 2.0, "kind": "task", "service": "web", "image": "i", "state": "running", "desired": "running"}
    task |= {"msg": "started", "err": None, "exit": None}
    rows += [{**task, "task": f"t{n}", "slot": n + 1, "node": f"n{n * 7 % 1000}"} for n in range(2500)]
    assert snap_compare(recorded_app(rows), terminal_size=(120, 40), run_before=looked_at(5.0, DARK.name))


@pytest.mark.parametrize(("hosts", "told"), [(5, "● ready"), (20, "n19"), (50, "n49"), (250, "●"), (2000, "·")])
async def test_a_map_tells_what_there_is_room_for(hosts, told):
    rows: list[dict] = []
    node = {"t": 1.0, "kind": "node", "status": "ready", "msg": None, "avail": "active", "role": "worker"}
    for n in range(hosts):
        about = {"role": "worker", "site": None, "address": "", "cpus": 2, "memory": 1}
        rows.append({"t": 0.0, "kind": "host", "host": f"n{n}", **about})
        rows.append({**node, "node": f"n{n}", "leader": False, "reach": None, "id": f"i{n}"})
    async with recorded_app(rows).run_test(size=(120, 40)) as pilot:
        app = await at(pilot, 5.0)
        words = shown(app)
        assert told in words
        assert ("n49" in words) == (hosts == 50)


def test_looks_of_sites_and_a_pending_task(snap_compare):
    text = """
name: sites
cluster: {managers: [m1, m2, m3], workers: [w1, w2], sites: {north: [m1, m2, w1], south: [m3, w2]}}
steps:
  - docker: service create -d --no-resolve-image --name db --constraint node.labels.ssd==yes mini:1 sleep 100000
  - fault: {partition: [[m3, w2]]}
  - sleep: 25s
"""
    rows: list[dict] = []
    run_scenario(loaded(text), 1, rows.append)
    assert snap_compare(recorded_app(rows), terminal_size=(100, 30), run_before=looked_at(24.0, LIGHT.name))
