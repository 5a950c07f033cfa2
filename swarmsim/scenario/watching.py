"""A running cluster that is watched: a scenario without steps, in which somebody else does the doing."""

from __future__ import annotations

import contextlib
import json
import math
import queue
import threading
import traceback
from collections.abc import Callable, Collection

from swarmsim.real.machine import MachineError
from swarmsim.real.running import watched
from swarmsim.scenario.live import Printed, Progress
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, parse_scenario
from swarmsim.scenario.runner import Said, ScenarioRun, trace_header
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.trace import rows
from swarmsim.trace.rows import Row
from swarmsim.world import World

SLICE = 0.05
"""Seconds between two moments at which a watched cluster tells what happened, and does what it is told to."""


def scenario_of(title: str, world: World) -> LoadedScenario:
    """The scenario of a cluster that is there: its hosts, and nothing that is done. Raises :class:`ScenarioError` for hosts whose
    names no scenario can have."""
    managers = [name for name, spec in world.hosts.items() if spec.role == "manager"] or list(world.hosts)[:1]
    workers = [name for name in world.hosts if name not in managers]
    layout = {"managers": managers, "workers": workers, "formed": False}
    name = "-".join(title.lower().split())
    written = {"name": name, "title": f"{title}, as it is", "about": "A running cluster, watched.", "cluster": layout}
    return parse_scenario(json.dumps({**written, "steps": []}), title)


def record(name: str, begun: Callable[[Row], Callable[[Row], object]], until: float = math.inf) -> None:
    """Watch the cluster of this name for ``until`` seconds, or until Ctrl-C.

    ``begun`` is given the trace's header once the cluster is found, and what it returns is given every row. Raises :class:`MachineError` and
    :class:`ScenarioError`.
    """
    with watched(name) as world:
        loaded = scenario_of(world.title, world)
        run = ScenarioRun(loaded, world, begun(trace_header(loaded, 0, world.described)), open_ended=True)
        with contextlib.suppress(KeyboardInterrupt):  # how it usually ends
            run.advance(until)
        world.note(rows.End)


class WatchedSession:
    """A running cluster that is watched while somebody else draws: it lives in a thread of its own, for time passes there by itself.

    Raises :class:`MachineError` and :class:`ScenarioError` if it cannot be.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._news: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        self._asked: queue.SimpleQueue[tuple[str, MeanwhileStep]] = queue.SimpleQueue()
        self._begun: queue.SimpleQueue[MachineError | ScenarioError | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._steps: list[MeanwhileStep] = []
        self._rows: list[Row] = []
        self._printed: list[Printed] = []
        self.title = ""
        self.header: Row = {}
        self.touchable = False
        """Whether anything may be done to it."""
        self._now = 0.0
        self.verbs: Collection[str] = ()
        """The faults it can be given."""
        self.problem: MachineError | None = None
        """What went wrong when it was left."""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        failed = self._begun.get()
        if failed is not None:
            raise failed

    def act(self, step: MeanwhileStep) -> int:
        """Do something now; its number among what is done, by which :class:`Printed` is known."""
        self._steps.append(step)
        self._asked.put(("act", step))
        return len(self._steps) - 1

    def interrupt(self, number: int) -> None:
        """Press Ctrl-C on a docker command."""
        self._asked.put(("interrupt", self._steps[number]))

    def read(self) -> list[Progress]:
        """What has happened since this was asked last."""
        found = []
        while not self._news.empty():
            found.append(self._news.get())
        return found

    def close(self) -> None:
        """Leave the cluster; what was done to hosts by name is undone, which takes as long as it takes."""
        self._closing.set()
        self._thread.join()

    # -- in the thread

    def _serve(self) -> None:
        began = False
        try:
            with watched(self._name, touching=True) as world:
                loaded = scenario_of(world.title, world)
                self.title, self.header = world.title, trace_header(loaded, 0, world.described)
                self.touchable, self.verbs = world.touchable, world.verbs
                run = ScenarioRun(loaded, world, self._rows.append, open_ended=True, listener=self._hear)
                began = True
                self._begun.put(None)
                while not self._closing.is_set():
                    self._do(run)
                    run.advance(run.now + SLICE)
                    self._tell(run.now)
        except (MachineError, ScenarioError) as problem:
            if not began:
                self._begun.put(problem)
            elif isinstance(problem, MachineError):
                self.problem = problem
                self._tell(self._now, str(problem))
        except Exception:
            self._tell(self._now, traceback.format_exc())
            if not began:
                self._begun.put(MachineError(traceback.format_exc()))

    def _do(self, run: ScenarioRun) -> None:
        while run.begin is not None and not self._asked.empty():
            what, step = self._asked.get()
            if what == "act":
                run.act(step)
            else:
                run.interrupt(step)

    def _hear(self, step: MeanwhileStep, said: Said) -> None:
        number = next(number for number, known in enumerate(self._steps) if known is step)
        self._printed.append(Printed(number, self._now, said))

    def _tell(self, now: float, crash: str = "") -> None:
        self._now = now
        self._news.put(Progress(self._rows[:], now, True, crash, self._printed[:]))
        self._rows.clear()
        self._printed.clear()
