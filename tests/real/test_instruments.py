"""Two instruments, one cluster: runs recorded by ``--on lab`` show what the recordings show that the model was made from.

The recordings were made with other programs, on another machine, before there was a lab. A run of a lab may be new among them in as much as one of them is among the others: which slot was
replaced, how many crashes fit into a minute. Its times say nothing, for the machine had other work to do when tests/records/lab was made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from swarmsim.analysis.compare import Seen
from swarmsim.analysis.fidelity import RECORDED, recorded_runs
from swarmsim.analysis.trial import busy_share, is_quiet
from swarmsim.trace.reader import Trace, load_trace

LAB = Path(__file__).parents[1] / "records" / "lab"
BOTH = [folder for folder, name in RECORDED.items() if (LAB / f"{name}.jsonl").exists()]
CRASHES_TOOK_LONGER = "crash_default"
"""Its facts are numbers of crashes in seventy seconds, and a busy machine has fewer."""


def shown(trace: Trace) -> set[Any]:
    seen = Seen.of(trace)
    return set(seen.facts) | set(seen.lives) | set(seen.commands)


@pytest.mark.parametrize("folder", [folder for folder in BOTH if folder != CRASHES_TOOK_LONGER])
def test_a_lab_shows_what_the_recordings_show(records, folder):
    lab = shown(load_trace(LAB / f"{RECORDED[folder]}.jsonl"))
    recorded = [shown(trace) for trace in recorded_runs(records / folder)]
    others = [set().union(*(each for each in recorded if each is not one)) for one in recorded]
    newest = max(len(one - rest) for one, rest in zip(recorded, others, strict=True))
    new = lab - set().union(*recorded)
    assert len(new) <= newest, sorted(map(str, new))
    assert len(lab & set().union(*recorded)) >= 0.9 * len(lab)


def test_crashes_differ_in_number_only(records):
    lab = shown(load_trace(LAB / f"{RECORDED[CRASHES_TOOK_LONGER]}.jsonl"))
    recorded = set().union(*(shown(trace) for trace in recorded_runs(records / CRASHES_TOOK_LONGER)))
    assert {fact for fact in recorded - lab if isinstance(fact, str) and "tasks" not in fact} == set()


@pytest.mark.parametrize("path", sorted(LAB.glob("*.jsonl")), ids=lambda path: path.stem)
def test_whoever_reads_it_is_told_that_its_machine_was_busy(path):
    trace = load_trace(path)
    assert busy_share(trace) is not None
    assert not is_quiet(trace)
    assert trace.header["profile"].startswith("lab: engine 20.10.24")
