"""A scenario that runs in a process of its own, so that whoever watches is never kept waiting.

:class:`LiveSession` is the watcher's end. It asks for time to pass (:meth:`LiveSession.advance`), for the next thing to happen, or for
something to be done, and reads what came of it whenever it likes (:meth:`LiveSession.read`). There is at most one question under way.
The future of a moment in the past is another process: it does again what had been done by then (``actions``), which
takes a fraction of the time it took, and from there on something else.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
import traceback
from collections.abc import Collection
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import msgspec

from swarmsim.scenario.loader import LoadedScenario
from swarmsim.scenario.runner import Said, ScenarioRun, build_world
from swarmsim.scenario.schema import MeanwhileStep

Row = dict[str, Any]
PATIENCE = 0.05
"""Wall-clock seconds after which the other end says how far it came, if it is not there yet."""
SLICE = 0.25
"""Simulated seconds between two looks at the wall clock, at first."""


class Printed(NamedTuple):
    """What a docker command printed: the one of this ``number`` among what is done at set times, first the scenario's, then the
    watcher's; at ``t``, in seconds since the run began."""

    number: int
    t: float
    said: Said


class Progress(NamedTuple):
    """``rows`` that happened by ``now`` (simulated seconds), and what was ``printed``; ``arrived`` says whether that is where it
    was asked to go.

    ``crash`` is what went wrong inside, if the model broke.
    """

    rows: list[Row]
    now: float
    arrived: bool
    crash: str = ""
    printed: list[Printed] = []


class LiveSession:
    """``actions`` are done again at their times. The process is gone with :meth:`close`, or with the one that watches."""

    def __init__(self, loaded: LoadedScenario, seed: int, *, messages: bool = False) -> None:
        # Whoever draws on the terminal has put something in the place of stderr that cannot be inherited.
        with contextlib.redirect_stderr(sys.__stderr__):
            resource_tracker.ensure_running()
        context = get_context("spawn")
        self._conn, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, loaded, seed, messages), daemon=True)
        self._process.start()
        far.close()
        self.asked = False
        """Whether a question is under way."""
        self.now = 0.0

    def advance(self, until: float) -> None:
        """Let time pass until ``until`` (simulated seconds)."""
        self._ask(("advance", until))

    def next(self, kinds: Collection[str], until: float = math.inf) -> None:
        """Let time pass until the next row of one of these kinds; if none comes before ``until`` (seconds), until the last thing
        before that."""
        self._ask(("next", (sorted(kinds), until)))

    def interrupt(self, number: int, at: float) -> None:
        """Press Ctrl-C on a docker command (see :class:`Printed`), ``at`` seconds after the scenario began."""
        self._ask(("interrupt", (number, at)))

    def act(self, step: MeanwhileStep) -> None:
        """Do something at its time, which must not be over yet."""
        self._ask(("act", step.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)))

    def _ask(self, question: tuple[str, Any]) -> None:
        assert not self.asked, "one question at a time"
        self.asked = True
        with contextlib.suppress(OSError):  # who reads is told
            self._conn.send(question)

    def fileno(self) -> int:
        """To wait on."""
        return self._conn.fileno()

    def read(self, wait: float | None = 0.0) -> Progress | None:
        """What there is to tell, if it comes within ``wait`` seconds of real time; ``None``: however long it takes."""
        try:
            if not self._conn.poll(wait):
                return None
            news = _DECODER.decode(self._conn.recv_bytes())
        except (EOFError, OSError):
            self.asked = False
            return Progress([], self.now, True, "the process of the simulation ended unexpectedly")
        self.now = news.now
        if news.arrived:
            self.asked = False
        return news

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._conn.close()
        self._process.terminate()
        self._process.join(2)


_DECODER = msgspec.msgpack.Decoder(Progress)
_ENCODER = msgspec.msgpack.Encoder()


class _Server:
    def __init__(self, conn: Connection, loaded: LoadedScenario, seed: int, messages: bool) -> None:
        self._conn = conn
        self._rows: list[Row] = []
        self._printed: list[Printed] = []
        self._steps = list(loaded.scenario.meanwhile)
        self._slice = SLICE
        self.session = ScenarioRun(
            loaded,
            build_world(loaded.scenario, seed),
            self._rows.append,
            messages=messages,
            listener=self._hear,
            open_ended=True,
        )

    def _hear(self, step: MeanwhileStep, said: Said) -> None:
        number = next(number for number, known in enumerate(self._steps) if known is step)
        self._printed.append(Printed(number, self.session.now, said))

    def tell(self, arrived: bool, crash: str = "") -> None:
        rows, printed = self._rows[:], self._printed[:]
        self._rows.clear()
        self._printed.clear()
        news = Progress(rows, self.session.now, arrived, crash, printed)
        self._conn.send_bytes(_ENCODER.encode(news))

    def answer(self, verb: str, argument: Any) -> None:
        if verb == "act":
            step = MeanwhileStep.model_validate(argument)
            assert self.session.begin is not None, "the cluster is still being built"
            self._advance(self.session.begin + step.at)
            self._steps.append(step)
            self.session.act(step)
        elif verb == "interrupt":
            number, at = argument
            assert self.session.begin is not None
            self._advance(self.session.begin + at)
            self.session.interrupt(self._steps[number])
        elif verb == "advance":
            self._advance(argument)
        else:
            kinds, until = argument
            self._next(frozenset(kinds), until)
        self.tell(arrived=True)

    def _next(self, kinds: frozenset[str], until: float) -> None:
        said, seen = time.monotonic(), 0
        while self.session.next(until):
            if any(row["kind"] in kinds for row in self._rows[seen:]):
                return
            seen = len(self._rows)
            if time.monotonic() - said > PATIENCE:
                self.tell(arrived=False)
                said, seen = time.monotonic(), 0

    def _advance(self, until: float) -> None:
        said = time.monotonic()
        while self.session.now < until:
            began = time.monotonic()
            self.session.advance(min(until, self.session.now + self._slice))
            now = time.monotonic()
            # Slices of about a quarter of the patience, whether a second of the model takes long or no time at all.
            self._slice *= 2.0 if now - began < PATIENCE / 8 else 0.5 if now - began > PATIENCE / 2 else 1.0
            self._slice = min(max(self._slice, 0.001), 1e6)
            if now - said > PATIENCE and self.session.now < until:
                self.tell(arrived=False)
                said = now


def _serve(conn: Connection, loaded: LoadedScenario, seed: int, messages: bool) -> None:
    server: _Server | None = None
    try:
        server = _Server(conn, loaded, seed, messages)
        while True:
            server.answer(*conn.recv())
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # nobody watches any more
    except Exception:
        if server is not None:
            server.tell(arrived=True, crash=traceback.format_exc())
