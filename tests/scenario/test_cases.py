"""Small scenarios whose ``expect`` is what real engines and the real client do.

Each file's ``about`` says where the values are from: records of real clusters, public bug reports checked on real
engines. All are run; who works on what is still wrong takes its mark away when it is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.rows import Row

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))

SEED = {"host-ports": 3, "max-per-node-start-first": 2}
"""Where chance decides: a second begins a moment earlier; an update that begins with the other slot stands still."""

NOT_YET: dict[str, str] = {
    "promote-unreachable": "some 10 ms, between two looks; nine promotions on real engines, asked every 0.1 s, never showed it (records/asked)",
}
"""Case: what is missing."""


def parameters() -> list[object]:
    return [
        pytest.param(
            case,
            id=case.stem,
            marks=[pytest.mark.xfail(reason=NOT_YET[case.stem], strict=True)] if case.stem in NOT_YET else [],
        )
        for case in CASES
    ]


@pytest.mark.parametrize("case", parameters())
def test_case(case: Path) -> None:
    assert run_scenario(load_scenario(str(case)), SEED.get(case.stem, 1)).failures == []


def run(name: str, seed: int) -> list[Row]:
    """The rows of one case's run."""
    rows: list[Row] = []
    run_scenario(load_scenario(str(Path(__file__).parent / "cases" / f"{name}.yaml")), seed, rows.append)
    return rows


def said(rows: list[Row], name: str) -> str:
    """What the command printed that the case calls ``name``."""
    return next(row["out"] for row in rows if row["kind"] == "docker" and row.get("name") == name)


def test_a_rolling_update_begins_anywhere():
    assert {said(run("update-order", seed), "first") for seed in range(1, 21)} == {f"w.{slot}" for slot in range(1, 6)}


def test_a_process_that_ends_at_once_was_running_before():
    """So the update that starts first has stopped the healthy task when it fails, and the rollback starts another."""
    outcomes = [run("instant-exit", seed) for seed in range(1, 5)]
    assert all(said(rows, "first") != said(rows, "last") for rows in outcomes)


def test_a_stack_that_is_deployed_again_at_once_finds_no_network():
    """As a real one: the network is not made again, the old tasks are listed under their services' ids."""
    rows = run("rm-then-deploy", 1)
    again = next(row for row in rows if row["kind"] == "docker" and row.get("name") == "again")
    assert (again["rc"], again["err"]) == (
        1,
        f"failed to create service {again['out'].split()[-1]}: Error response from daemon: network t_default not found",
    )
    listed = next(row["out"] for row in rows if row["kind"] == "docker" and row["cmd"] == "stack ps t")
    assert len(listed.splitlines()) == 5
    assert "t_web" not in listed
    assert listed.count("Remove") == 4
