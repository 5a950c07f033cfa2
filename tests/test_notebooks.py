"""Every notebook asks before it answers, leaves room for own work, and has its answers in a file beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_prediction_comes_before_the_answer(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    kinds = [cell["id"].rsplit("-", 1)[-1] for cell in cells]
    assert kinds.index("prediction") < kinds.index("compare") < kinds.index("work")
    prediction = "".join(cells[kinds.index("prediction")]["source"])
    assert "= None" in prediction  # whoever only looks need not guess
    said = "".join("".join(output.get("text", "")) for output in cells[kinds.index("compare")]["outputs"])
    assert "you said None" in said


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_answers_are_in_a_file_beside_it(path):
    solutions = (FOLDER / "solutions" / f"{path.stem}.md").read_text("utf-8")
    text = path.read_text("utf-8")
    assert f"solutions/{path.stem}.md" in text
    assert solutions.count("**") >= 2 * (1 + text.count("**Question:**"))
