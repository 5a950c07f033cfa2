"""The test of ranks: it passes a model that is right, and finds one that is too wide, too narrow, too slow.

Runs of a made-up reality: three times each, of which a slow run has three slow ones.
"""

from __future__ import annotations

from random import Random

import pytest

from swarmsim.analysis.ranks import anderson_darling, kolmogorov_smirnov, rank_test, ranked

SCENARIOS, REAL_RUNS, SIMULATED_RUNS = 8, 3, 200


def run(rng, mean=0.0, spread=1.0):
    """Three times of one run: they share the machine's speed."""
    speed = rng.gauss(0, 1)
    return {name: [10 + mean + spread * (speed + rng.gauss(0, 0.3))] for name in ("first", "second", "third")}


def judged(seed, **model):
    rng = Random(seed)
    return rank_test(
        [
            ranked([run(rng) for _ in range(REAL_RUNS)], [run(rng, **model) for _ in range(SIMULATED_RUNS)])
            for _ in range(SCENARIOS)
        ],
    )


def test_a_right_model_passes_as_often_as_the_level_says():
    # The runs' times hang together: by the tables for independent values a good half would fail.
    passed = sum(judged(seed).ok for seed in range(30))
    assert passed >= 28


@pytest.mark.parametrize("model", [{"spread": 4.0}, {"spread": 0.25}, {"mean": 2.0}, {"mean": -2.0}])
def test_a_wrong_model_is_found(model):
    assert not any(judged(seed, **model).ok for seed in range(5))


def test_a_model_too_wide_crowds_the_ranks_in_the_middle():
    classes = judged(1, spread=4.0).classes
    assert sum(classes[:2]) + sum(classes[-2:]) < sum(classes[4:6])


def test_a_run_counts_once_for_a_milestone_it_has_many_of():
    test = rank_test([ranked([{"restart": [1.0, 2.0, 3.0]}], [{"restart": [float(n)]} for n in range(5)])])
    assert test.ranks == [0.5]


def test_milestones_that_only_one_side_has_do_not_count():
    with pytest.raises(ValueError, match="share"):
        rank_test([ranked([{"a": [1.0]}], [{"b": [1.0]}])])


def test_statistics_are_the_textbooks():
    uniform = [(2 * i + 1) / 20 for i in range(10)]
    assert kolmogorov_smirnov(uniform) == pytest.approx(0.05)
    assert anderson_darling(uniform) < 0.2 < 10 < anderson_darling([0.5] * 50)
