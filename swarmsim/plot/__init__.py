"""Pictures of runs (matplotlib), one function each; they return figures.

``run`` is the overview, ``tasks``, ``lanes``, ``raft``, ``nodes``, ``availability`` draw one trace; ``traffic``, ``shares``, ``latency``, ``reach``
and ``views`` what became of its requests, and why; ``certificates`` who had which,
``pki`` who trusts whom at a moment; ``milestones`` many runs,
``against`` a real cluster and the model, ``sweep`` a column of a sweep's results. ``begin`` and ``end`` are the part of the time of a trace
that is drawn, in seconds since the scenario began; ``save`` writes PNG, SVG or PDF.
"""

from swarmsim.plot.certificates import certificates, pki
from swarmsim.plot.figures import plot_run as run
from swarmsim.plot.figures import plot_sweep as sweep
from swarmsim.plot.figures import save
from swarmsim.plot.study import against, availability, lanes, milestones, nodes, pooled_milestones, raft, tasks
from swarmsim.plot.traffic import latency, reach, shares, traffic
from swarmsim.plot.views import views

__all__ = [
    "against",
    "availability",
    "certificates",
    "lanes",
    "latency",
    "milestones",
    "nodes",
    "pki",
    "pooled_milestones",
    "raft",
    "reach",
    "run",
    "save",
    "shares",
    "sweep",
    "tasks",
    "traffic",
    "views",
]
