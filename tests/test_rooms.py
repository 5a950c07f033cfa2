"""How the house is built, beyond what the import contracts in pyproject.toml say."""

from __future__ import annotations

import re
from pathlib import Path

import grimp
import networkx

import swarmsim

HOUSE = Path(swarmsim.__file__).parent
UNTYPED = {"sim/future.py: AnyFuture: TypeAlias = Future[Any]"}
"""Where several kinds of futures wait side by side there is one name for it."""


def test_no_two_files_import_each_other_not_even_for_types():
    graph = grimp.build_graph("swarmsim", cache_dir=None)
    imports = networkx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    circles = [sorted(circle) for circle in networkx.strongly_connected_components(imports) if len(circle) > 1]
    assert circles == []


def test_every_activity_and_every_future_says_what_it_comes_to():
    """Of what is left out altogether (a bare ``Activity``) mypy complains."""
    found = {
        f"{path.relative_to(HOUSE).as_posix()}: {line.strip()}"
        for path in HOUSE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(Activity|Future)\[Any\]", line)
    }
    assert found == UNTYPED
