"""What the documents show is true: their scenarios load and run, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from swarmsim.exercise.sitting import Sitting
from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario
from tests.commandline import swarmsim

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


TRANSLATED, TRANSLATION = DOCUMENTS[:2]


def examples():
    for document in DOCUMENTS:
        for text in re.findall(r"^```yaml\n(name:.*?)^```", document.read_text("utf-8"), re.S | re.M):
            yield pytest.param(text, id=document.name)


@pytest.mark.parametrize("text", list(examples()))
def test_a_documents_scenario_holds(text, tmp_path):
    (tmp_path / "example.yaml").write_text(text, "utf-8")
    loaded = load_scenario(str(tmp_path / "example.yaml"))
    if loaded.scenario.exercise is not None:
        loaded = Sitting(loaded, "ann").loaded
    outcome = run_scenario(loaded, seed=1)
    assert outcome.failures == []


def commands(text: str) -> list[str]:
    """The swarmsim commands of a document, in order, without what is said of them."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.S | re.M)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ swarmsim ")]
    return [re.sub(r"\s+#.*|;.*", "", line) for line in lines]


def shortened(command: str) -> str:
    """The same command with less to compute."""
    command = re.sub(r" --speed \d+", "", command)
    command = re.sub(r"--seeds \d+", "--seeds 2", command)
    if command.startswith("swarmsim sweep"):
        command = re.sub(r" --set duration=\d+d", "", command) + " --set duration=2d"
    return command


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_documents_commands_and_python_do_what_they_say(document, tmp_path, monkeypatch):
    """In order, in one folder, with the document's scenario files beside them, two seeds and two days at most."""
    text = document.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    for example in re.findall(r"^```yaml\n(name: (\S+).*?)^```", text, re.S | re.M):
        (tmp_path / f"{example[1]}.yaml").write_text(example[0], "utf-8")
    for command in commands(text):
        if document == TRANSLATION and command in commands(TRANSLATED.read_text("utf-8")):
            continue
        words = shlex.split(shortened(command))
        done = swarmsim(*words[1:], cwd=tmp_path)
        if words[1] == "watch":
            assert "watch needs a terminal" in done.stderr, command
        else:
            assert done.returncode == 0, (command, done.stderr)
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
        exec(code, names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target
