"""Images of one's own: what an entry says is what its containers do; who names an image nobody described is told so, once."""

from __future__ import annotations

from statistics import median

import pytest

from swarmsim.scenario import ScenarioError
from swarmsim.scenario.loader import load_scenario, parse_scenario
from swarmsim.scenario.runner import run_scenario

STACK = """
files:
  stack.yml: |
    services:
      api: {image: "shop/api:1.4", command: gunicorn app, deploy: {replicas: 3}}
      db: {image: "postgres:15-alpine"}
steps:
  - docker: stack deploy -c stack.yml shop
  - wait: {service: shop_api, running: 3}
"""


def ran(text, seed=1):
    rows = []
    loaded = parse_scenario(f"name: x\ncluster: {{managers: 1, workers: 2}}\n{text}", "x.yaml")
    return run_scenario(loaded, seed, rows.append), rows


def of_kind(rows, kind):
    return [row for row in rows if row["kind"] == kind]


def service(image, *, flags="", more=""):
    return f"""
steps:
  - docker: service create -d --name web --replicas 3 {flags} {image}
  - wait: {{service: web, running: 3}}
    within: 5m
{more}"""


# -- images nobody described


def test_what_a_stack_file_names_is_assumed_to_be_there_and_said_once():
    outcome, rows = ran(STACK)
    assert outcome.ok
    assert [row["image"] for row in of_kind(rows, "image.assumed")] == ["postgres:15-alpine", "shop/api:1.4"]
    assert len(outcome.warnings) == 1
    assert outcome.warnings[0].startswith(
        "images postgres:15-alpine (shop_db), shop/api:1.4 (shop_api) are not known here"
    )


def test_what_somebody_types_may_be_misspelt():
    outcome, rows = ran(service("ngnix"))
    assert not outcome.ok
    assert {row["err"] for row in of_kind(rows, "task") if row["state"] == "rejected"} == {
        "No such image: ngnix:latest"
    }
    assert outcome.warnings == (
        "there is no image ngnix:latest (web), so its tasks are rejected; if there is, describe it under images:",
    )


@pytest.mark.parametrize(
    ("choice", "text", "runs"),
    [("missing", STACK, False), ("assumed", STACK, True), ("assumed", service("ngnix"), True)],
)
def test_a_scenario_can_say_what_is_done_about_them(choice, text, runs):
    outcome, _ = ran(f"unknown_images: {choice}\n{text}")
    assert outcome.ok is runs
    assert len(outcome.warnings) == 1


def test_an_image_that_is_described_is_not_warned_of():
    outcome, rows = ran(f"images: [{{name: 'shop/*'}}, {{name: postgres}}]\n{STACK}")
    assert (outcome.ok, outcome.warnings, of_kind(rows, "image.assumed")) == (True, (), [])


# -- what an entry says


def seconds_to_run(entry, flags=""):
    outcome, rows = ran(f"images:\n  - {entry}\n{service('shop/api:1', flags=flags)}")
    assert outcome.ok, outcome.failures
    return of_kind(rows, "reached")[0]["after"]


def test_a_large_image_is_pulled_longer_than_a_small_one_and_a_cached_one_not_at_all():
    small, large = seconds_to_run("{name: shop/api, size: 10MB}"), seconds_to_run("{name: shop/api, size: 1GB}")
    cached = seconds_to_run("{name: shop/api, size: 1GB, source: cached}")
    assert abs(cached - small) < 1
    assert large > 3 * small


def test_start_and_time_to_health_are_added_to_what_the_engine_takes():
    at_once = seconds_to_run("{name: shop/api, source: cached}")
    late = seconds_to_run("{name: shop/api, source: cached, start: 30s}")
    assert 29 < late - at_once < 31
    check = "{name: shop/api, source: cached, healthy: 40s, healthcheck: {interval: 2s, start_period: 1m}}"
    well = seconds_to_run(check)
    assert 40 < well < 50
    assert seconds_to_run(check, "--no-healthcheck") < 10, "a service may turn the image's own check off"


def test_one_that_is_well_too_late_for_its_checks_never_runs():
    outcome, rows = ran(
        f"images:\n  - {{name: shop/api, healthy: 1m, healthcheck: {{interval: 2s}}, stop_code: 143}}\n{service('shop/api')}"
    )
    assert not outcome.ok
    assert any("unhealthy container" in (row["err"] or "") for row in of_kind(rows, "task"))


STOPS = [
    ("stop: 4s, stop_code: 143", 4.0, 143),
    ("stop: 15s", 10.0, 137),  # longer than the grace period
    ("ignores_stop: true", 10.0, 137),
    ("size: 1", 0.0, 0),
]


@pytest.mark.parametrize(("entry", "seconds", "code"), STOPS)
def test_how_it_stops(entry, seconds, code):
    more = "  - {docker: service scale -d web=0}\n  - wait: {service: web, running: 0}\n  - sleep: 20s"
    text = service("shop/api", more=more)
    outcome, rows = ran(f"images: [{{name: shop/api, source: local, {entry}}}]\nduration: 10s\n{text}")
    assert outcome.ok
    order = next(row["t"] for row in of_kind(rows, "docker") if "scale" in row["cmd"])
    ends = [row["t"] - order for row in of_kind(rows, "container.ended")]
    assert len(ends) == 3
    assert seconds < median(ends) < seconds + 2.5
    exits = {row["exit"] for row in of_kind(rows, "task") if "exit" in row and row["state"] == "shutdown"}
    assert exits <= {code}


def test_what_runs_for_a_time_by_itself_ends_with_its_code():
    outcome, rows = ran(
        "images:\n  - {name: shop/api, source: cached, runs: 20s, code: 3}\n"
        + service("shop/api", flags="--restart-condition none", more="  - sleep: 30s")
    )
    assert outcome.ok
    lasted = [
        round(end["t"] - begun["t"], 3)
        for begun in of_kind(rows, "container.started")
        for end in of_kind(rows, "container.ended")
        if begun["container"] == end["container"]
    ]
    assert lasted == [20.0, 20.0, 20.0]
    assert "task: non-zero exit (3)" in {row["err"] for row in of_kind(rows, "task")}


def test_of_an_image_the_model_knows_only_what_is_said_changes():
    """nginx keeps its port and its signal, and has now any tag."""
    outcome, rows = ran(
        "images: [{name: nginx, size: 1}]\n" + service("nginx:9.9", flags="--publish 8080:80", more="  - docker: ps")
    )
    assert (outcome.ok, outcome.warnings) == (True, ())
    assert any("80/tcp" in row["out"] for row in of_kind(rows, "docker"))


def test_an_entry_with_tags_has_no_others():
    outcome, _ = ran("unknown_images: assumed\nimages: [{name: shop/api, tags: [v1, v2]}]\n" + service("shop/api:v3"))
    assert not outcome.ok
    assert outcome.warnings[0].startswith("there is no image shop/api:v3")


# -- files of images, and mistakes in them


def test_a_file_of_images_serves_several_scenarios(tmp_path):
    (tmp_path / "images.yaml").write_text("- {name: shop/api, size: 30MB}\n- {name: 'shop/*', source: local}\n")
    scenario = tmp_path / "mine.yaml"
    scenario.write_text("name: mine\nimages:\n  - {name: redis, size: 1}\n  - file: images.yaml\n")
    loaded = load_scenario(scenario)
    assert [entry.name for entry in loaded.scenario.images] == ["redis", "shop/api", "shop/*"]
    (tmp_path / "images.yaml").write_text("- {name: shop/api, size: 31MB}\n")
    assert load_scenario(scenario).digest != loaded.digest, "another file is another scenario"


REFUSED = [
    ("images: [{size: 3}]", "x.yaml:2:10: an entry has either a name or a file"),
    ("images: [{name: UPPER}]", "x.yaml:2:11: 'UPPER' is no image"),
    ("images: [{name: a, size: big}]", "'big' is no size: write 300MB, 1.2GB or a number of megabytes"),
    ("images: [{name: a, source: moon}]", "source: input should be 'registry', 'cached' or 'local', not 'moon'"),
    ("images: [{name: a, code: 1}]", "say with 'runs' when"),
    ("images: [{name: a, ignores_stop: true, stop: 3s}]", "it cannot ignore being told to stop, and stop"),
    ("images: [{file: a.yaml, size: 3}]", "'size' belongs into a.yaml"),
    ("images: [{file: nosuch.yaml}]", "nosuch.yaml: cannot be read"),
    ("images: [{file: i}]\nfiles: {i: 'name: a'}", "i:1:1: a file of images is a list"),
    ('images: [{file: i}]\nfiles: {i: "- {name: a, sise: 3}"}', "i:1:13: unknown key 'sise'; did you mean 'size'?"),
    ("images: [{file: i}]\nfiles: {i: '[{file: j}]'}", "a file of images names no other file"),
    ("unknown_images: maybe", "x.yaml:2:1: unknown_images"),
]


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_mistakes_are_told_with_their_place(text, complaint):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(f"name: x\n{text}\n", "x.yaml")
    assert complaint in str(caught.value)
