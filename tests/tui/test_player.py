"""Time in the app: what is played is what a run does, what was done by hand is done again, the past has other futures."""

from __future__ import annotations

import pytest

from swarmsim.replay.recording import Recording
from swarmsim.scenario.loader import load_scenario, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.tui.player import HORIZON, Future
from tests.tui.conftest import TEXT, Driven, loaded


def rows_of(text: str, seed: int) -> list[dict]:
    rows: list[dict] = []
    run_scenario(parse_scenario(text, "x"), seed, rows.append)
    return rows


def test_what_is_played_is_what_a_run_of_the_scenario_does(player):
    player.speed = 20.0
    player.play_to(25)
    *told, end = rows_of(TEXT, 1)
    assert end["kind"] == "end"  # which a session that may go on does not have
    assert player.recording.rows[: len(told)] == told
    assert player.state.running("web") == 4


def test_nothing_passes_while_it_is_paused(player):
    player.play_to(8)
    t = player.t
    for _ in range(20):
        player.tick(0.05)
    assert player.t == t


@pytest.mark.parametrize("speed", [0.5, 100.0])
def test_time_passes_at_the_chosen_speed(player, speed):
    player.play_to(9)
    player.speed, t, ticks = speed, player.t, 0
    player.play(True)
    while player.t < t + 40 * speed:
        player.until(lambda before=player.t: player.t > before)
        ticks += 1
    assert ticks == pytest.approx(40 * 20, rel=0.1)


def test_an_event_on_and_an_event_back(player):
    player.play_to(8)
    player.seek(player.recording.begin)
    seen = []
    for _ in range(3):
        player.next()
        seen.append(player.t)
    assert seen == sorted(set(seen))
    player.previous()
    assert player.t == pytest.approx(seen[1])
    player.previous()
    assert player.t == pytest.approx(seen[0])


def test_the_next_event_may_be_a_day_away(player):
    player.play_to(20)
    player.next()
    player.until(lambda: player.idle)
    assert player.idle == HORIZON
    assert player.t < 20 + HORIZON
    player.next(far=True)
    player.until(lambda: player.t > 20 + HORIZON)
    assert player.t == pytest.approx(100_000, rel=0.01)  # when the first sleep ends
    player.play_to(player.t + 1)
    assert any("complete" in line.text for line in player.recording.lines[-12:])


def test_where_nothing_happens_any_more_it_says_so():
    scenario = loaded("name: empty\ncluster: {managers: 1}\n")
    player = Driven(Future("1", Recording({}, []), scenario))
    player.play(True)
    player.skipping = True
    player.until(lambda: player.idle)
    assert not player.playing
    player.close()


def test_what_is_done_by_hand_happens_then_and_there(player):
    player.play_to(15)
    assert player.act(fault={"power-off": "w1"}) is None
    player.play_to(player.t + 20)
    assert not player.state.hosts["w1"].power
    assert player.state.node_of("w1")["status"] == "down"
    assert len(player.futures) == 1


def test_two_things_done_at_once_are_both_done_in_order(player):
    player.play_to(15)
    player.act(fault={"power-off": "w1"})
    player.act(docker="service scale -d web=6", on="m1")
    player.play_to(player.t + 5)
    done = [action.fault.verb if action.fault else action.docker for action in player.future.actions]
    assert done == ["power-off", "service scale -d web=6"]
    assert not player.state.hosts["w1"].power
    assert player.state.wanted("web") == 6


def test_a_saved_scenario_carries_the_files_along_that_it_reads(tmp_path):
    """It is saved in a folder of its own, where there is no stack file and no file of images."""
    (tmp_path / "stack.yml").write_text("services:\n  api: {image: shop/api}\n")
    (tmp_path / "images.yaml").write_text("- {name: shop/api, size: 1}\n")
    text = "name: mine\nimages: [{file: images.yaml}]\nsteps:\n  - docker: stack deploy -c stack.yml shop\n"
    (tmp_path / "mine.yaml").write_text(text)
    player = Driven(Future("1", Recording({}, []), load_scenario(tmp_path / "mine.yaml")))
    player.play_to(10)
    saved = parse_scenario(player.scenario_text(text), "elsewhere.yaml").scenario
    player.close()
    assert {name: saved.files[name] for name in ("stack.yml", "images.yaml")} == {
        name: (tmp_path / name).read_text() for name in ("stack.yml", "images.yaml")
    }
    assert [entry.name for entry in saved.images] == ["shop/api"]


def test_the_saved_scenario_does_exactly_the_same(player):
    player.play_to(14)
    player.act(fault={"kill-engine": "m1"})
    player.play_to(player.t + 7)
    player.act(docker="service scale -d web=7", on="m2")
    player.play_to(player.t + 21)
    again = rows_of(player.scenario_text(TEXT), 1)
    known = len(player.recording.rows)
    assert again[:known] == player.recording.rows
    assert {"t": again[-1]["t"], "kind": "note", "text": "watched until here"} == again[-2]
    assert again[-1]["kind"] == "end"


def test_doing_something_in_the_past_makes_another_future(player):
    player.play_to(15)
    player.act(fault={"power-off": "w1"})
    player.play_to(player.t + 20)
    first = player.future
    player.seek(player.recording.begin + 8)
    made = player.act(fault={"power-off": "w2"})
    assert made is player.future
    player.play_to(player.t + 20)
    assert player.state.hosts["w1"].power
    assert not player.state.hosts["w2"].power
    fork = made.forked
    assert first.recording.until(fork) == made.recording.until(fork)
    player.switch(first)
    assert not player.recording.latest.hosts["w1"].power


def test_another_seed_shares_all_that_came_before_and_nothing_after(player):
    player.play_to(15)
    first = player.future
    player.seek(player.recording.begin + 2)
    made = player.act(seed=77)
    player.play_to(first.known)
    fork = made.forked
    assert first.recording.until(fork) == made.recording.until(fork)
    assert first.recording.until(15) != made.recording.until(15)
    assert made.actions[0].seed == 77
    player.play_to(made.known + 1)
    again = rows_of(player.scenario_text(TEXT), 1)
    assert again[: len(made.recording.rows)] == made.recording.rows


def test_another_future_from_the_very_beginning(player):
    """The trace says 6.309794 s, but the cluster stood 0.16 µs later."""
    player.play_to(8)
    player.seek(player.recording.begin)
    made = player.act(seed=77)
    player.until(lambda: made.actions and not made.live.asked)
    assert not player.crash
    player.play_to(12)
    assert made.actions[0].seed == 77


def test_a_future_that_was_left_goes_on(player):
    player.play_to(12)
    first = player.future
    player.seek(player.recording.begin + 2)
    player.act(seed=5)
    player.play_to(13)
    player.switch(first)
    player.seek(first.known)
    player.play_to(25)
    *told, end = rows_of(TEXT, 1)
    assert end["kind"] == "end"  # which a session that may go on does not have
    assert first.recording.rows[: len(told)] == told


def test_in_a_record_nothing_can_be_done(records):
    from swarmsim import load_trace

    trace = load_trace(records / "quorum_loss" / "run1.jsonl")
    player = Driven(Future("1", Recording(trace.header, trace.rows)))
    player.tick(0.05)
    player.speed = 1000.0
    player.play_to(trace.rows[-1]["t"])
    with pytest.raises(ValueError, match="record"):
        player.act(fault={"power-off": "w1"})


def test_before_the_cluster_stands_nothing_can_be_done(player):
    with pytest.raises(ValueError, match="forming"):
        player.act(docker="node ls")


def test_a_simulation_that_ends_says_so_and_keeps_what_happened(player, tmp_path):
    player.play_to(10)
    rows = len(player.recording.rows)
    player.future.live._process.kill()
    player.play(True)
    player.until(lambda: player.crash)
    assert "ended unexpectedly" in player.crash
    player.save_trace(tmp_path / "t.jsonl")
    assert len((tmp_path / "t.jsonl").read_bytes().splitlines()) == rows + 1


def test_where_a_run_is_stopped_on_the_way_changes_nothing():
    from random import Random

    from swarmsim.scenario.runner import ScenarioRun, build_world

    told, rng = rows_of(TEXT, 9), Random(1)
    rows: list[dict] = []
    session = ScenarioRun(loaded(), build_world(loaded().scenario, 9), rows.append)
    while not session.finished:
        if rng.random() < 0.5:
            session.next()
        else:
            session.advance(session.now + rng.random() ** 4)
    assert rows[: len(told)] == told  # the last stride may go beyond the end


# -- commands typed by hand


def printed(job) -> str:
    return "".join(said.text for said in job.pieces)


def test_what_a_command_prints_is_seen_while_it_waits_and_ctrl_c_ends_it(player):
    player.play_to(14)
    job = player.type("service create --name never --replicas 2 --constraint node.labels.x==y mini:1", "m1")
    player.play(True)
    player.until(lambda: "overall progress: 0 out of 2 tasks" in printed(job))
    assert job.running
    other = player.type("service ls", "m2")
    player.until(lambda: not other.running)
    assert "never" in printed(other)
    assert job.running
    player.speed = 50.0
    player.play_to(job.began + 400)  # nobody presses Ctrl+C after five minutes
    assert job.running
    player.interrupt(job)
    player.play(True)
    player.until(lambda: not job.running)
    assert printed(job).endswith("Use `docker service ps never` to check progress.\n") or job.code == 0


def test_an_interrupted_command_is_saved_as_one_that_is_interrupted_then(player):
    player.play_to(14)
    player.type("service ls", "m1")
    job = player.type("service create --name never --constraint node.labels.x==y mini:1", "m1")
    player.play_to(20)
    player.interrupt(job)
    player.play_to(25)
    left = player.type("service create --name more --constraint node.labels.x==y mini:1", "m1")
    player.play_to(30)
    assert left.running
    text = player.scenario_text(TEXT)
    again = rows_of(text, 1)
    known = len(player.recording.rows)
    assert again[:known] == player.recording.rows
    assert text.count("within: ") == 2  # the interrupted one, and that which still runs
    rows = [row for row in again if row["kind"] == "docker"]
    assert rows[-1]["cmd"].startswith("service create --name more")


def test_another_future_has_the_commands_typed_before_it(player):
    player.play_to(14)
    player.type("service ls", "m1")
    player.play_to(20)
    player.type("node ls", "m1")
    player.play_to(24)
    player.seek(player.recording.begin + 18 - player.recording.begin)
    job = player.type("service ps web", "m2")
    player.play(True)
    player.until(lambda: not job.running)
    assert [job.command for job in player.future.jobs] == ["service ls", "service ps web"]
    assert "web" in printed(player.future.jobs[0])
    assert [job.command for job in player.futures[0].jobs] == ["service ls", "node ls"]
