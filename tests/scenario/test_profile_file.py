"""A profile of one's own is a file, named beside the scenario."""

from __future__ import annotations

from importlib import resources

import pytest

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import build_world, trace_header

SCENARIO = "name: x\ncluster: {managers: 1, profile: mine.yaml}\nsteps: []\n"


@pytest.fixture
def beside(tmp_path):
    """A scenario's path, and a profile beside it that is ``vm`` but for its disk."""
    shipped = resources.files("swarmsim").joinpath("profiles/vm.yaml").read_text(encoding="utf-8")
    profile = tmp_path / "mine.yaml"
    profile.write_text(shipped.replace("disk: {lognormal: {median: 0.008, sigma: 0.6}}", "disk: 0.5"))
    scenario = tmp_path / "x.yaml"
    scenario.write_text(SCENARIO)
    return str(scenario), profile


def test_the_model_takes_it(beside):
    scenario, _ = beside
    loaded = parse_scenario(SCENARIO, scenario)
    assert build_world(loaded.scenario, 1).ctx.profile.disk.mean == 0.5
    assert trace_header(loaded, 1)["profile"] == "mine.yaml"


def test_another_profile_is_another_scenario(beside, tmp_path):
    scenario, profile = beside
    before = parse_scenario(SCENARIO, scenario).digest
    profile.write_text(profile.read_text().replace("disk: 0.5", "disk: 0.6"))
    assert parse_scenario(SCENARIO, scenario).digest != before


def test_a_mistake_in_it_is_told(beside, tmp_path):
    scenario, _ = beside
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\nabout: y\ndisk: {gauss: 3}\n")
    with pytest.raises(ScenarioError, match=r"x.yaml:2:24: the profile .*wrong.yaml: .*disk.gauss: Extra inputs"):
        parse_scenario(SCENARIO.replace("mine.yaml", "wrong.yaml"), scenario)
