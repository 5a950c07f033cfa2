"""Answers in a student's file can be checked and not read; a number is right within its tolerance, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest

from swarmsim.exercise.sealing import AnswerError, fits, seal
from swarmsim.scenario.exercise import Number, Question

HOSTS = ["m1", "w1", "w2"]
SALT = b"twelve bytes"


def question(**kind) -> Question:
    return Question(name="q", text="?", **kind)


@pytest.mark.parametrize("answer", ["93.5", "0", "7", "-2.25", "100000"])
@pytest.mark.parametrize("tolerance", [0.5, 3, 0.1])
def test_a_number_is_right_up_to_its_tolerance_and_not_beyond(answer, tolerance):
    asked = question(number=Number(tolerance=tolerance))
    sealed = seal(asked, answer, HOSTS, SALT)
    edge = Fraction(str(tolerance))
    for off, right in ((0, True), (edge, True), (-edge, True), (edge * 101 / 100, False), (-edge * 101 / 100, False)):
        given = float(Fraction(answer) + off)
        assert fits(asked, sealed, str(given), HOSTS) is right, given


def test_a_host_and_a_choice_are_right_or_wrong():
    asked = question(host=True)
    sealed = seal(asked, "w2", HOSTS, SALT)
    assert [fits(asked, sealed, given, HOSTS) for given in ("w1", "w2", " W2 ")] == [False, True, True]
    with pytest.raises(AnswerError, match="'w9' is none of m1, w1, w2"):
        fits(asked, sealed, "w9", HOSTS)


def test_the_answer_is_not_in_what_is_sealed_and_another_salt_is_another_seal():
    asked = question(number=Number(tolerance=1))
    sealed = seal(asked, 4711, HOSTS, SALT)
    assert "4711" not in sealed
    assert sealed != seal(asked, 4711, HOSTS, b"other  bytes")


def test_durations_are_understood_where_seconds_are_asked_for():
    asked = question(number=Number(tolerance=1, unit="s"))
    sealed = seal(asked, 90, HOSTS, SALT)
    assert all(fits(asked, sealed, given, HOSTS) for given in ("90", "1m30s", "90.5 s", "90,5", 90.0))
    with pytest.raises(AnswerError, match="'soon' is no number of s"):
        fits(asked, sealed, "soon", HOSTS)
