"""Faults that come by a law: their times, their overlaps, and that each host has a fate of its own."""

from __future__ import annotations

import pytest
from scipy import stats

from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario


def faults_of(
    faults: str, cluster: str = "managers: 1, workers: 2", duration: str = "2d", seed: int = 1
) -> list[tuple]:
    """``(seconds since the beginning, what)`` of every fault and mending."""
    rows: list[dict] = []
    text = f"name: h\ncluster: {{{cluster}}}\nduration: {duration}\nfaults: {faults}\n"
    run_scenario(parse_scenario(text, "h.yaml"), seed, rows.append)
    begin = next(row["t"] for row in rows if row["kind"] == "begin")
    return [(round(row["t"] - begin, 3), row["what"]) for row in rows if row["kind"] == "step"]


def test_a_fixed_law_counts_from_the_end_of_a_fault_to_the_beginning_of_the_next():
    steps = faults_of("{hosts: [w1], fault: cut, every: 1h, for: 10m}", duration="3h")
    assert steps == [(3600, "cut off w1"), (4200, "heal w1"), (7800, "cut off w1"), (8400, "heal w1")]


@pytest.mark.parametrize("fault", ["power-off", "kill-engine", "cut"])
def test_every_kind_breaks_and_mends(fault):
    steps = faults_of(
        f"{{hosts: workers, fault: {fault}, every: {{exponential: 2h}}, for: {{uniform: {{low: 1m, high: 9m}}}}}}"
    )
    breaks = [what for _, what in steps[::1] if what.startswith(("power off", "kill engine", "cut off"))]
    assert len(breaks) > 20
    assert 0 <= 2 * len(breaks) - len(steps) <= 2, "what is broken at the end is not mended"


def test_a_site_fails_as_one():
    steps = faults_of("{site: [w1, w2], every: 5h, for: 1h}", duration="10h")
    assert [what for _, what in steps] == ["power off w1 w2", "power on w1 w2"]


def test_the_same_seed_gives_the_same_faults_and_another_gives_others():
    law = "{hosts: all, every: {exponential: 6h}, for: {exponential: 10m}}"
    assert faults_of(law) == faults_of(law)
    assert faults_of(law) != faults_of(law, seed=2)


def test_another_host_does_not_change_the_fate_of_the_others():
    law = "{hosts: workers, fault: cut, every: {exponential: 6h}, for: {exponential: 10m}}"
    few = faults_of(law)
    more = faults_of(law, cluster="managers: 1, workers: 5")
    assert few == [step for step in more if step[1].endswith(("w1", "w2"))]


def test_a_host_without_power_for_two_reasons_is_back_when_both_are_gone():
    faults = "[{hosts: [w1], every: 1h, for: 40m}, {site: [w1, w2], every: 80m, for: 30m}]"
    rows: list[dict] = []
    text = f"name: h\ncluster: {{managers: 1, workers: 2}}\nduration: 115m\nfaults: {faults}\n"
    run_scenario(parse_scenario(text, "h.yaml"), 1, rows.append)
    begin = next(row["t"] for row in rows if row["kind"] == "begin")
    ready = {
        row["node"]: row["t"] - begin for row in rows if row["kind"] == "node" and row["status"] == "ready"
    }  # the last time
    # w1: off 60..100 by itself and 80..110 with its site, so back after minute 110, as w2.
    assert 6600 < ready["w1"] < 6700
    assert 6600 < ready["w2"] < 6700


def test_separations_overlap():
    steps = "[{hosts: [w1], fault: cut, every: 1h, for: 40m}, {site: [w1, w2], fault: cut, every: 80m, for: 10m}]"
    rows: list[dict] = []
    text = f"name: h\ncluster: {{managers: 1, workers: 2}}\nduration: 110m\nfaults: {steps}\n"
    run_scenario(parse_scenario(text, "h.yaml"), 1, rows.append)
    begin = next(row["t"] for row in rows if row["kind"] == "begin")
    ready = {row["node"]: row["t"] - begin for row in rows if row["kind"] == "node" and row["status"] == "ready"}
    assert 5400 < ready["w2"] < 5500  # the site is back at minute 90, w1 alone stays cut off until 100
    assert 6000 < ready["w1"] < 6100


@pytest.mark.parametrize(
    ("law", "distribution"),
    [
        ("{exponential: 30m}", stats.expon(scale=1800)),
        ("{weibull: {scale: 30m, shape: 0.7}}", stats.weibull_min(0.7, scale=1800)),
        ("{lognormal: {median: 30m, sigma: 1}}", stats.lognorm(1, scale=1800)),
        ("{uniform: {low: 10m, high: 50m}}", stats.uniform(600, 2400)),
    ],
)
def test_the_times_between_faults_follow_their_law(law, distribution):
    steps = faults_of(f"{{hosts: [w1], fault: cut, every: {law}, for: 1m}}", duration="7d")
    broken = [t for t, what in steps if what == "cut off w1"]
    mended = [0.0] + [t for t, what in steps if what == "heal w1"]
    between = [t - before for t, before in zip(broken, mended, strict=False)]
    assert len(between) > 90
    assert stats.kstest(between, distribution.cdf).pvalue > 0.001
    assert stats.kstest(between, stats.expon(scale=5400).cdf).pvalue < 0.001
