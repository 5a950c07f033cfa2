"""What the real client prints and asks for, line by line, and what ours does."""

from __future__ import annotations

from swarmsim.analysis.clientrecord import (
    Asked,
    Typed,
    is_true_to,
    judge,
    read_exceptions,
    report,
    type_lines,
)


def test_every_recorded_line_is_the_same(records):
    judged = type_lines(records / "client")
    reasons = read_exceptions(records / "client")
    assert len(judged) >= 400
    assert is_true_to(judged, reasons), report(judged, reasons)


def test_a_difference_is_noticed():
    recorded = Typed("service ls", "2026-11-26T02:00:00+00:00", 0, "a\n", "", [Asked("GET", "/services")])
    assert not judge(recorded, recorded).difference
    for other, where in (
        (Typed(recorded.line, recorded.at, 1, "a\n", "", recorded.asked), "exit code"),
        (Typed(recorded.line, recorded.at, 0, "b\n", "", recorded.asked), "stdout"),
        (Typed(recorded.line, recorded.at, 0, "a\n", "!", recorded.asked), "stderr"),
        (Typed(recorded.line, recorded.at, 0, "a\n", "", []), "requests"),
        (Typed(recorded.line, recorded.at, 0, "a\n", "", [Asked("GET", "/tasks")]), "/services, path"),
        (Typed(recorded.line, recorded.at, 0, "a\n", "", [Asked("GET", "/services", body={"a": 1})]), "body"),
    ):
        assert where in judge(recorded, other).difference
