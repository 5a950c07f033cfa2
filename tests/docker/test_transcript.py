"""The recorded transcript of 209 commands."""

from __future__ import annotations

from swarmsim.analysis.transcript import DIFFERING, MATCHED, NOT_MODELLED, read_transcript, report, type_transcript

MATCH_NOW = 140


def test_the_recorded_transcript(records):
    typed = type_transcript(read_transcript(records / "cli" / "swarm.jsonl"))
    counts = {v: sum(1 for one in typed if one.verdict == v) for v in (MATCHED, DIFFERING, NOT_MODELLED)}
    assert len(typed) == 209
    assert counts[MATCHED] >= MATCH_NOW, report(typed)


def test_a_wrong_answer_is_noticed(records):
    rows = read_transcript(records / "cli" / "swarm.jsonl")
    for row in rows:
        if row["kind"] == "docker" and row["cmd"] == "node inspect nosuch":
            row["err"] = "Error: something else"
    typed = type_transcript(rows, range(1, 2))
    (wrong,) = [one for one in typed if one.command == "node inspect nosuch"]
    assert wrong.verdict == DIFFERING
    assert "something else" in wrong.difference
