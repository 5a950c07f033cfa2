"""The recorded meshes, with few seeds: what fails and how, and that no real figure is far from the simulated ones (``make mesh`` has them all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmsim.analysis.mesh import Figure, Kinds, Run, Situation, Traffic
from swarmsim.analysis.meshfidelity import Judged, judge, report
from swarmsim.analysis.meshfigures import SITUATIONS

FOLDER = Path(__file__).parents[1] / "records" / "mesh"
SEEDS = range(1, 6)


def test_every_scenario_of_the_folder_is_a_situation() -> None:
    assert sorted(situation.scenario for situation in SITUATIONS) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.scenario)
def test_the_model_fails_as_real_meshes_do(situation: Situation) -> None:
    """Five seeds have no 1-99 % band: the median of the real values must lie among the simulated, or half as far beyond them as these lie apart."""
    judged = judge(FOLDER, situation, SEEDS, jobs=1)
    for kinds, seen in judged.kinds:
        assert kinds.real - {"eof", "reset"} <= seen <= kinds.real | kinds.possible, kinds.name
    for figure, band in judged.bands:
        assert band is not None, figure.name
        slack = figure.tolerance + 0.5 * (band.high - band.low) + 0.05 * band.median
        middle = sorted(figure.real)[len(figure.real) // 2]
        if not figure.known:
            assert band.low - slack <= middle <= band.high + slack, f"{figure.name}: {figure.real}, {band}"


def _run() -> Run:
    def request(began: float, to: str, out: str) -> dict[str, object]:
        return {
            "kind": "request",
            "t": began + 2,
            "traffic": "clients",
            "to": to,
            "began": began,
            "ms": 5.0,
            "out": out,
            "by": None,
        }

    rows = [{"kind": "step", "t": 10.0, "verb": "power-off"}]
    rows += [request(9.5 + n / 10, "m1", "timeout" if n % 3 == 0 and 6 <= n < 30 else "ok") for n in range(40)]
    return Run(rows)


def test_requests_are_counted_from_the_mark() -> None:
    lost = Traffic("power-off", ("m1", "w1"))
    assert lost.lost(_run()) == [8.0, 0.0]
    assert lost.last_lost(_run()) == [pytest.approx(2.2)]
    assert lost.failures(_run()) == {"timeout"}
    with pytest.raises(LookupError, match="no command or fault 'heal'"):
        Traffic("heal").lost(_run())


def test_a_figure_that_does_not_hold_is_told() -> None:
    situation = next(situation for situation in SITUATIONS if situation.scenario == "any-node")
    wrong = Figure("never so", (99.0,), lambda run: [1.0])
    refused = Kinds("refused", frozenset(("refused",)), lambda run: {"ok"})
    judged: Judged = judge(FOLDER, situation._replace(figures=(wrong,), kinds=(refused,)), range(1, 2), jobs=1)
    assert judged.missed == ["never so", "refused"]
    assert "outside the band" in report(judged)
    assert "NOT alike" in report(judged)
