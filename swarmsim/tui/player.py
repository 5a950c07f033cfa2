"""Time as the watcher has it: a run of which a past exists, and a future that can be made.

A :class:`Future` is one way a scenario went: its seed, what was done by hand (``actions``), and all rows until now. The
:class:`Player` shows one moment of one future. At its end it asks the simulation for more; in its past it only reads. Doing
something in the past, or asking for another seed from there on, makes another future, which shares all that came before.

Nothing in here knows of a screen, nor of a wall clock: :meth:`Player.tick` is told how much time passed.
"""

from __future__ import annotations

import math
import shlex
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from swarmsim.replay.recording import Recording
from swarmsim.replay.timeline import TOLD
from swarmsim.scenario.carried import carried
from swarmsim.scenario.duration import LONGEST
from swarmsim.scenario.live import LiveSession, Printed, Progress
from swarmsim.scenario.loader import LoadedScenario, beside
from swarmsim.scenario.runner import Said, trace_header
from swarmsim.scenario.schema import CTRL_C, DockerStep, MeanwhileStep
from swarmsim.trace.state import ClusterState
from swarmsim.trace.writer import write_trace

SPEEDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
SKIP_PAUSE = 0.4
"""Wall-clock seconds between two events when playing event by event."""
AHEAD = 4.0
"""The simulation is asked for this many ticks more than are shown, so that it need not be waited for; again once all but one of
them are shown."""
READ_A_TICK = 20_000
"""Rows of a recorded trace taken in at each tick."""
HORIZON = 3600.0
"""Simulated seconds of nothing, after which whoever asked for the next event is asked whether to go on to it."""
MICROSECOND = 1e-6


@dataclass(eq=False)
class Job:
    """A docker or curl command typed by hand, and what it printed so far."""

    command: str
    host: str
    number: int | None = None
    """Its place among the future's actions, once it is told."""
    pieces: list[Said] = field(default_factory=list)
    began: float = 0.0
    now: float = 0.0
    """When it last said something, in seconds since the run began; at its end, when that was."""
    code: int | None = None
    program: str = "docker"

    @property
    def running(self) -> bool:
        return self.code is None

    def hear(self, printed: Printed) -> None:
        said = printed.said
        if said.drawn:
            self.pieces.append(said)
        self.now, self.code = printed.t, said.code


@dataclass
class Future:
    """``loaded`` is ``None`` for a recorded run, in which nothing can be done. ``forked`` is when it parted (seconds)."""

    name: str
    recording: Recording
    loaded: LoadedScenario | None = None
    seed: int = 1
    actions: list[MeanwhileStep] = field(default_factory=list)
    forked: float = 0.0
    live: LiveSession | None = None
    known: float = 0.0
    """Until when all rows are there, in seconds since the run began."""
    jobs: list[Job] = field(default_factory=list)
    """Commands typed by hand, in order."""

    @property
    def seed_now(self) -> int:
        """The seed that chance goes on under, since it was last given another."""
        return next((action.seed for action in reversed(self.actions) if action.seed is not None), self.seed)

    def start_over(self) -> None:
        """Its simulation is run again: what its commands say will be said again."""
        typed = [(n, action) for n, action in enumerate(self.actions) if action.docker is not None]
        waiting = [job for job in self.jobs if job.number is None]
        known = {job.number: job for job in self.jobs}
        self.jobs = []
        for number, action in typed:
            job = known.get(number) or Job(action.docker or "", action.on or "", number)
            job.pieces, job.code = [], None
            job.began = self.recording.begin + action.at
            self.jobs.append(job)
        self.jobs += waiting

    def close(self) -> None:
        if self.live is not None:
            self.live.close()
            self.live = None


class Player:
    """``t`` is the moment shown, in seconds since the run began."""

    def __init__(
        self, future: Future, *, messages: bool = False, refuses: Callable[[MeanwhileStep], str | None] | None = None
    ) -> None:
        """``refuses`` says why something may not be done, if it may not."""
        self._refuses = refuses
        self.futures = [future]
        self.future = future
        self.messages = messages
        self.t = 0.0
        self.playing = False
        self.skipping = False
        self.speed = 1.0
        self.crash = ""
        self.idle: float | None = None
        """Set when the next event was asked for and there is none in so many seconds."""
        self.at_end = True
        """Whether what is shown is now, not the past."""
        self._pause = 0.0
        self._stepping = False
        self._searched: int | None = None
        self._horizon = math.inf
        self._fresh: Recording | None = None
        self._actions: deque[tuple[MeanwhileStep, Job | None]] = deque()
        """What is to be done as soon as the simulation is there."""
        self._interrupts: deque[Job] = deque()

    # -- what is shown

    @property
    def recording(self) -> Recording:
        return self.future.recording

    @property
    def state(self) -> ClusterState:
        """The picture at the moment shown."""
        return self.recording.at(self.t)

    @property
    def since_begin(self) -> float:
        return self.t - self.recording.begin

    @property
    def recorded(self) -> bool:
        return self.future.loaded is None

    @property
    def known_key(self) -> tuple[bool, bool, float | None]:
        """What besides the moment can change of what is shown."""
        return (self.at_end, self.busy, self.opening)

    @property
    def busy(self) -> bool:
        """Whether another future is being made."""
        return self._fresh is not None

    # -- time passes

    def tick(self, seconds: float) -> None:
        """So many wall-clock seconds passed."""
        self._read()
        if self.crash or self.busy:
            return
        if self.playing and not self.recorded and self.recording.latest.begin is None:
            self._form()
        elif self._actions or self._interrupts:
            self._do()
        elif self._stepping:
            self._step_on()
        elif self.playing and self.skipping:
            self._pause -= seconds
            if self._pause <= 0:
                self._pause = SKIP_PAUSE
                self.next()
        elif self.playing:
            self._play(seconds)
        elif self.at_end and not self.recorded:
            self.t = self.future.known

    def _form(self) -> None:
        """Building the cluster is not the story: it takes no longer than it must."""
        live = self._live()
        if live is not None and not live.asked:
            live.next(("begin",))
        self.t = self.future.known

    def _play(self, seconds: float) -> None:
        step = self.speed * seconds
        wanted, known = self.t + step, self.future.known
        self.t = min(wanted, max(known, self.t))
        self.at_end = self.at_end or wanted >= known
        live = self._live() if self.at_end else self.future.live
        if live is not None and not live.asked and not self.busy and known < wanted + step:
            live.advance(wanted + AHEAD * step)
        if self.recorded and self.t >= self.future.known and not self._opening:
            self.playing = False

    def _live(self) -> LiveSession | None:
        """The simulation of this future, started anew if it was left before."""
        future = self.future
        if future.loaded is None or self.crash:
            return None
        if future.live is None:
            self._start(future, future.known)
        return future.live

    def _start(self, future: Future, until: float) -> None:
        assert future.loaded is not None
        scenario = future.loaded.scenario
        meanwhile = [*scenario.meanwhile, *future.actions]
        loaded = future.loaded._replace(scenario=scenario.model_copy(update={"meanwhile": meanwhile}))
        future.live = LiveSession(loaded, future.seed, messages=self.messages)
        future.start_over()
        if until > 0:
            self._fresh = future.recording.anew()
            # A row's time is rounded to microseconds: what is shown at ``until`` may have happened half of one after it.
            future.live.advance(until + MICROSECOND / 2)

    @property
    def _opening(self) -> bool:
        return self.recording.taken < len(self.recording.rows)

    @property
    def opening(self) -> float | None:
        """What part of a recorded trace is read, until all of it is."""
        return self.recording.taken / len(self.recording.rows) if self._opening else None

    def _read(self) -> None:
        future = self.future
        if self._opening:
            future.recording.take_in(READ_A_TICK)
            future.known = future.recording.end
        live = future.live
        while live is not None and live.asked:
            news = live.read()
            if news is None:
                return
            self._hear(future, news)
            if news.arrived:
                break

    def _hear(self, future: Future, news: Progress) -> None:
        (self._fresh or future.recording).extend(news.rows)
        typed = len(future.loaded.scenario.meanwhile) if future.loaded is not None else 0
        for printed in news.printed:
            for job in future.jobs:
                if job.number == printed.number - typed:
                    job.hear(printed)
        if self._fresh is None:
            future.known = news.now
        if news.crash:
            self.crash = news.crash
            self.playing = self._stepping = False
            self._fresh = None
        elif self._fresh is not None and news.arrived:
            future.recording, self._fresh = self._fresh, None
            future.known = news.now

    # -- where to be

    def seek(self, t: float) -> None:
        """Show another moment: between the beginning and the newest one."""
        self._stepping = False
        self.t = min(max(t, 0.0), self.future.known)
        self.at_end = t >= self.future.known

    def next(self, *, far: bool = False) -> None:
        """Show the next event of the story; the simulation goes on until there is one, for :data:`HORIZON` unless ``far``."""
        following = self._following()
        if following is not None:
            self.t, self.at_end = following, False
        elif not self._stepping:
            self._stepping, self._searched = True, None
            self._horizon = math.inf if far else self.future.known + HORIZON
            self._step_on()

    def _following(self) -> float | None:
        lines, told = self.recording.lines, self.recording.told(self.t)
        if told < len(lines):
            return lines[told].t + self.recording.begin
        return None

    def _step_on(self) -> None:
        following = self._following()
        live = self._live()
        if following is not None:
            self.t, self._stepping, self.at_end = following, False, True
        elif live is None:
            self._stepping = self.playing = False
        elif not live.asked:
            if self._searched == len(self.recording.rows):
                self._stepping = self.playing = False
                self.idle = HORIZON if self._horizon < math.inf else math.inf
            else:
                self._searched = len(self.recording.rows)
                live.next(TOLD, self._horizon)

    def previous(self) -> None:
        """Show the event before."""
        lines, told = self.recording.lines, self.recording.told(self.t - 1e-5)
        self.seek(lines[told - 1].t + self.recording.begin if told else self.recording.begin)

    def play(self, on: bool | None = None) -> None:
        self.playing = not self.playing if on is None else on
        self.idle = None
        if not self.playing:
            self._stepping = False

    def faster(self, by: int) -> None:
        """Another speed: so many places on."""
        place = min(range(len(SPEEDS)), key=lambda place: abs(math.log(SPEEDS[place] / self.speed)))
        self.speed = SPEEDS[min(max(place + by, 0), len(SPEEDS) - 1)]
        self.skipping = False

    # -- doing

    def act(self, **action: Any) -> Future | None:
        """Do something at the moment shown; the new future if that is in the past.

        ``action`` is what a step of ``meanwhile`` has, but for its time. Raises :class:`ValueError` in a recorded run, before
        the cluster stands, and for what may not be done.
        """
        self._check()
        return self._enact(action, None)

    def type(self, command: str, host: str, program: str = "docker", stdin: str = "") -> Job:
        """Type a docker or curl command on a host at the moment shown; raises as :meth:`act`. It runs until it ends, or is interrupted."""
        self._check()
        job = Job(command, host, program=program)
        piped = {"input": stdin} if stdin and program == "docker" else {}
        self._enact({program: command, "on": host, "within": LONGEST, **piped}, job)
        self.future.jobs.append(job)
        return job

    def interrupt(self, job: Job) -> None:
        """Press Ctrl+C on a command, as soon as the simulation is there."""
        if job.running:
            self._interrupts.append(job)

    def _check(self) -> None:
        if self.recorded:
            raise ValueError("record")
        if self.recording.latest.begin is None:
            raise ValueError("forming")

    def _enact(self, action: dict[str, Any], job: Job | None) -> Future | None:
        self.idle, self._stepping = None, False
        step = MeanwhileStep(at=max(self.since_begin, MICROSECOND), **action)
        reason = self._refuses(step) if self._refuses is not None else None
        if reason is not None:
            raise ValueError(reason)
        if self.at_end and step.seed is None:
            self._actions.append((step, job))
            return None
        old, begin = self.future, self.recording.begin
        new = Future(
            name=str(len(self.futures) + 1),
            recording=old.recording,
            loaded=old.loaded,
            seed=old.seed,
            actions=[done for done in old.actions if begin + done.at <= self.t],
            forked=self.t,
            known=self.t,
        )
        old.close()
        self.futures.append(new)
        self.future, self.at_end, self._actions = new, True, deque(((step, job),))
        self._interrupts.clear()
        self._start(new, self.t)
        return new

    def _do(self) -> None:
        """Tell the simulation what to do, once it is where it is to be done."""
        live = self._live()
        if live is None or live.asked or self.busy:
            return
        # Whole microseconds can be written down exactly; the trace rounds to them, hence one more.
        at = (math.ceil((live.now - self.recording.begin) * 1e6) + 1) / 1e6
        at = max(at, MICROSECOND)
        if not self._actions:
            job = self._interrupts.popleft()
            if job in self.future.jobs and job.running and job.number is not None:
                action = self.future.actions[job.number]
                within = round(max(at - action.at, MICROSECOND), 6)
                self.future.actions[job.number] = action.model_copy(update={"within": within})
                assert self.future.loaded is not None
                live.interrupt(len(self.future.loaded.scenario.meanwhile) + job.number, at)
            return
        step, typed = self._actions.popleft()
        action = step.model_copy(update={"at": at})
        if typed is not None:
            typed.number, typed.began = len(self.future.actions), self.recording.begin + at
        self.future.actions.append(action)
        live.act(action)

    def switch(self, future: Future) -> None:
        """Show another future, at the same moment if it has come so far."""
        if self.future is not future:
            self._stepping = False
            self._actions.clear()
            self._interrupts.clear()
            self.future.close()
            self._fresh = None
            self.future = future
            self.idle = None
            self.seek(self.t)

    def close(self) -> None:
        for future in self.futures:
            future.close()

    # -- keeping

    def save_trace(self, path: Path, name: str = "") -> None:
        """Write all rows of this future, as those of the scenario ``name`` if one is given. Raises :class:`TraceError`."""
        future = self.future
        header = trace_header(future.loaded, future.seed) if future.loaded is not None else future.recording.header
        header = {**header, "scenario": name} if name else header
        write_trace(path, header, future.recording.rows)

    def _files(self, loaded: LoadedScenario, document: Any) -> dict[str, str]:
        """Texts of the files beside the scenario that it reads: where it is saved there are none."""
        steps = [*loaded.scenario.steps, *loaded.scenario.meanwhile, *self.future.actions]
        commands = [step.docker for step in steps if isinstance(step, DockerStep | MeanwhileStep) and step.docker]
        images = [shlex.quote(entry["file"]) for entry in document.get("images") or [] if "file" in entry]
        return carried([*commands, *images], beside(loaded.source))

    def scenario_text(self, text: str, name: str = "") -> str:
        """The scenario with what was done by hand in it: run with the same seed it does the same. ``name`` is its new name, so
        that its traces are its own."""
        yaml = YAML()
        yaml.width = 120
        document = yaml.load(text)
        now = max(self.future.known - self.recording.begin, MICROSECOND)
        jobs = {job.number: job for job in self.future.jobs}
        done = []
        for number, action in enumerate(self.future.actions):
            written = action.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
            if written.get("within") == LONGEST:
                job = jobs[number]
                took = job.now - job.began
                if job.running:
                    written["within"] = round(max(now - action.at, MICROSECOND), 6)
                elif took < CTRL_C - 1:
                    del written["within"]  # it makes no difference
                else:
                    written["within"] = math.ceil(took) + 1
            done.append(written)
        if name:
            document["name"] = name
        loaded = self.future.loaded
        if loaded is not None and loaded.scenario.cluster.gossip:
            document.setdefault("cluster", {})["gossip"] = True
        if loaded is not None:
            for file, content in self._files(loaded, document).items():
                document.setdefault("files", {}).setdefault(file, LiteralScalarString(content))
        document["meanwhile"] = [
            *(document.get("meanwhile") or []),
            *done,
            {"at": math.ceil(now * 1e6) / 1e6, "note": "watched until here"},
        ]
        out = StringIO()
        yaml.dump(document, out)
        return f"# Watched with seed {self.future.seed}: run it with --seed {self.future.seed}\n{out.getvalue()}"
