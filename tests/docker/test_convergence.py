"""What the client makes of a service it waits for, poll by poll."""

from __future__ import annotations

from itertools import product

import pytest

from swarmsim.docker.convergence import MOVES, UPDATES, Convergence, Phase, Reaction, Say

MONITOR = 5.0


def test_every_phase_knows_both_answers():
    assert set(MOVES) == set(product(Phase, (False, True)))


def test_tasks_that_run_for_the_monitoring_period_are_convergence():
    waiting = Convergence()
    assert waiting.on_tasks(False, 0.0) is Say.NOTHING
    assert waiting.on_tasks(True, 0.2) is Say.WAITING
    assert waiting.on_tasks(True, 5.0) is Say.WAITING
    assert not waiting.is_verified(5.1, MONITOR)
    assert waiting.is_verified(5.2, MONITOR)


def test_a_task_that_fails_meanwhile_begins_the_period_anew():
    waiting = Convergence()
    waiting.on_tasks(True, 0.0)
    assert waiting.on_tasks(False, 3.0) is Say.FAILURE
    assert not waiting.is_verified(9.0, MONITOR)
    waiting.on_tasks(True, 4.0)
    assert not waiting.is_verified(8.9, MONITOR)
    assert waiting.is_verified(9.0, MONITOR)


UPDATE_STATES = [
    (["updating"], Reaction(), False),
    (["completed"], Reaction(ends=True), False),
    (["updating", "paused"], Reaction(fails="service update paused: why"), False),
    (["updating", "rollback_started"], Reaction(says="why"), True),
    (["rollback_started", "rollback_started"], Reaction(), True),
    (["rollback_started", "updating", "rollback_started"], Reaction(says="why"), True),
    (["rollback_started", "rollback_paused"], Reaction(fails="service rollback paused: why"), True),
    (["rollback_started", "rollback_completed"], Reaction(), True),
    (["rollback_started", "updating"], Reaction(), False),
    (["something new"], Reaction(), False),
]


@pytest.mark.parametrize(("states", "reaction", "rolling_back"), UPDATE_STATES)
def test_the_state_of_an_update(states, reaction, rolling_back):
    waiting = Convergence()
    reactions = [waiting.on_update_state(state, "why") for state in states]
    assert (reactions[-1], waiting.rolling_back) == (reaction, rolling_back)


def test_an_update_that_is_complete_is_verified_all_the_same_once_that_has_begun():
    waiting = Convergence()
    waiting.on_tasks(True, 0.0)
    assert waiting.on_update_state("completed", "") == Reaction()


def test_the_last_word_is_that_of_a_rollback_that_completed_before_it_was_verified():
    waiting = Convergence()
    waiting.on_update_state("rollback_completed", "rollback completed")
    assert waiting.last_word == "rollback completed"
    verifying = Convergence()
    verifying.on_tasks(True, 0.0)
    verifying.on_update_state("rollback_completed", "rollback completed")
    assert verifying.last_word == ""


def test_states_are_those_of_an_update():
    assert set(UPDATES) == {
        "updating",
        "completed",
        "paused",
        *(f"rollback_{s}" for s in ("started", "paused", "completed")),
    }
