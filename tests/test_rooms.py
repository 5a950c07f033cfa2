"""How the house is built, beyond what the import contracts in pyproject.toml say."""

from __future__ import annotations

import grimp
import networkx


def test_no_two_files_import_each_other_not_even_for_types():
    graph = grimp.build_graph("swarmsim", cache_dir=None)
    imports = networkx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    circles = [sorted(circle) for circle in networkx.strongly_connected_components(imports) if len(circle) > 1]
    assert circles == []
