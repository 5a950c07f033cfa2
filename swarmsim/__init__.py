"""A Docker Swarm you can break. ``Scenario`` runs things, ``Trace`` is what they left, ``plot`` draws it.

>>> import swarmsim
>>> swarmsim.Scenario.load("quorum-loss").hosts
['m1', 'm2', 'm3', 'w1', 'w2']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarmsim.trace import Trace, TraceError, load_trace
from swarmsim.version import VERSION as __version__

if TYPE_CHECKING:
    from swarmsim import plot as plot
    from swarmsim.study import Ensemble, Scenario, scenarios

__all__ = ["Ensemble", "Scenario", "Trace", "TraceError", "__version__", "load_trace", "plot", "scenarios"]

_STUDY = ("Ensemble", "Scenario", "scenarios")


def __getattr__(name: str) -> Any:
    """The rest is imported when it is used: reading a trace needs no simulation."""
    import importlib

    if name in _STUDY:
        return getattr(importlib.import_module("swarmsim.study"), name)
    if name == "plot":
        return importlib.import_module("swarmsim.plot")
    raise AttributeError(f"module 'swarmsim' has no attribute {name!r}")
