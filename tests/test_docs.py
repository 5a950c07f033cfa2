"""What the documents show is true: their scenarios load and run, their links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples():
    for document in DOCUMENTS:
        for text in re.findall(r"^```yaml\n(name:.*?)^```", document.read_text("utf-8"), re.S | re.M):
            yield pytest.param(text, id=document.name)


@pytest.mark.parametrize("text", list(examples()))
def test_a_documents_scenario_holds(text, tmp_path):
    (tmp_path / "example.yaml").write_text(text, "utf-8")
    outcome = run_scenario(load_scenario(str(tmp_path / "example.yaml")), seed=1)
    assert outcome.failures == []


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebooks_cells_run(notebook, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict[str, object] = {}
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target
