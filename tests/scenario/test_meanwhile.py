"""Things done at set times, beside the steps."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.scenario.schema import DockerStep, MeanwhileStep
from swarmsim.scenario.verdict import judge

TEXT = """
name: x
cluster: {managers: 3, workers: 2, sites: {north: [m1, w1]}}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 2 mini:1 sleep 100000
  - sleep: 5s
"""


def rows_of(text: str, seed: int = 1) -> list[dict]:
    rows: list[dict] = []
    run_scenario(parse_scenario(text, "x.yaml"), seed, rows.append)
    return rows


def test_each_is_done_at_its_time_and_the_run_lasts_until_then():
    rows = rows_of(TEXT + "meanwhile:\n  - {at: 9.25s, note: late}\n  - {at: 2.5s, fault: {power-off: w1}}\n")
    begin = next(row["t"] for row in rows if row["kind"] == "begin")
    done = [(round(row["t"] - begin, 6), row["kind"]) for row in rows if row["kind"] in ("step", "note")]
    assert done == [(2.5, "step"), (9.25, "note")]


def test_again_and_again_also_while_what_was_begun_before_is_not_over():
    rows = rows_of(
        TEXT
        + "meanwhile:\n  - {at: 1s, fault: {power-off: m1}}\n  - {at: 1.5s, every: 500ms, times: 4, docker: node ls, on: m2}\n"
    )
    begin = next(row["t"] for row in rows if row["kind"] == "begin")
    asked = [row for row in rows if row["kind"] == "docker" and row["cmd"] == "node ls"]
    assert sorted(round(row["t"] - row["s"] - begin, 1) for row in asked) == [1.5, 2.0, 2.5, 3.0]
    assert all(row["s"] > 19 for row in asked)  # all for the leader that is silent


def test_another_seed_changes_what_comes_after_and_nothing_before():
    plain, other = rows_of(TEXT), rows_of(TEXT + "meanwhile: [{at: 0.2s, seed: 99}]\n")
    begin = next(row["t"] for row in plain if row["kind"] == "begin")
    before = [row for row in plain if row["t"] < begin + 0.2]
    assert other[: len(before)] == before
    assert other[len(before)]["text"] == "from here on with seed 99"
    assert [row for row in other if row["kind"] == "task"] != [row for row in plain if row["kind"] == "task"]


def test_hosts_are_introduced_with_their_sites():
    hosts = {row["host"]: row["site"] for row in rows_of(TEXT) if row["kind"] == "host"}
    assert hosts == {"m1": "north", "m2": None, "m3": None, "w1": "north", "w2": None}


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("meanwhile: [{at: 1s}]", "x.yaml:7:13: do exactly one of docker, curl, traffic, fault, seed, note"),
        ("meanwhile: [{at: 1s, seed: 1, note: a}]", "do exactly one of docker, curl, traffic, fault, seed, note"),
        ("meanwhile: [{at: 0s, seed: 1}]", "longer than 0"),
        ("meanwhile: [{at: 1s, every: 1s, note: a}]", "'every' and 'times' go together"),
        ("meanwhile: [{at: 1s, times: 3, note: a}]", "'every' and 'times' go together"),
        ("meanwhile: [{at: 1s, docker: node ls, on: m9}]", "unknown host 'm9'"),
        ("meanwhile: [{at: 1s, fault: {power-off: m9}}]", "unknown host 'm9'"),
        ("meanwhile: [{at: 1s, note: hello, on: m1}]", "'on' goes with docker"),
        ("meanwhile: [{at: 1s, docker: ''}]", "no command"),
        ("meanwhile: [{at: 1s, docker: 'a \"b'}]", "cannot be split into words"),
    ],
)
def test_what_is_refused(more, complaint):
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(TEXT + more + "\n", "x.yaml")
    assert complaint in str(refused.value)
    assert str(refused.value).startswith("x.yaml:7:")


def test_an_unknown_host_of_a_site_is_refused():
    with pytest.raises(ScenarioError, match="unknown host 'm9'"):
        parse_scenario(TEXT.replace("[m1, w1]", "[m1, m9]"), "x.yaml")


BESIDE = """
name: beside
cluster: {managers: 3, workers: 1}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 2 mini:1 sleep 100000
  - wait: {service: web, running: 2}
"""


@pytest.mark.parametrize(
    ("more", "unmet"),
    [
        (
            "meanwhile: [{at: 30s, fault: {kill-host: [m1, m2, m3]}}]\nexpect: [{leader: elected}]",
            ["leader elected"],
        ),
        (
            "meanwhile: [{at: 80s, docker: service scale -d web=4}]\nexpect: [{service: web, running: 4, within: 30s}]",
            [],
        ),
        (
            "meanwhile: [{at: 30s, fault: {power-off: w1}}, {at: 90s, seed: 4}]\nexpect: [{node: w1, status: ready}]",
            ["w1 ready"],
        ),
    ],
)
def test_expectations_are_judged_when_steps_and_what_is_done_meanwhile_are_over(more, unmet):
    loaded, rows = parse_scenario(BESIDE + more, "x.yaml"), []
    outcome = run_scenario(loaded, 1, rows.append)
    assert [failure.expected for failure in outcome.failures] == unmet
    assert [failure.expected for failure in judge(loaded.scenario, rows).failures] == unmet
    assert rows[-1]["kind"] == "end"


def test_an_expect_step_stays_where_it_stands():
    text = BESIDE + "  - expect: {service: web, replicas: 2}\nmeanwhile: [{at: 30s, docker: service scale -d web=4}]\n"
    loaded = parse_scenario(text, "x.yaml")
    assert run_scenario(loaded, 1).ok


def test_what_is_piped_into_a_command_at_a_set_time():
    beside = MeanwhileStep(at=5.0, docker="swarm unlock", on="m2", input="key")
    assert beside.step == DockerStep(docker="swarm unlock", on="m2", input="key")
    with pytest.raises(ValueError, match="'input' goes with docker"):
        MeanwhileStep(at=5.0, note="x", input="key")
