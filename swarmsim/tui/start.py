"""Starting the app from a scenario or a trace."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
from pathlib import Path

from swarmsim.exercise.sitting import Sitting
from swarmsim.exercise.watched import Desk, WatchedRecording
from swarmsim.replay.recording import Recording, of_trace
from swarmsim.replay.texts import language_named
from swarmsim.scenario.loader import LoadedScenario, parse_scenario, read_scenario
from swarmsim.scenario.runner import trace_header
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.scenario.watching import WatchedSession
from swarmsim.trace.reader import TRACE_FILES, load_trace
from swarmsim.tui.alive import AlivePlayer
from swarmsim.tui.app import WatchApp
from swarmsim.tui.player import SPEEDS, Future, Player
from swarmsim.tui.texts import Texts

MOST_GOSSIPING = 50
"""Hosts, of a scenario that does not say whether they gossip."""


class WatchError(Exception):
    """The app cannot be started; the message says what would be right."""


def app_for(
    what: str, seed: int | None, speed: float, messages: bool, lang: str | None, student: str | None = None
) -> WatchApp:
    """The app, ready to run. Raises :class:`WatchError`, :class:`ScenarioError` and :class:`TraceError`."""
    try:
        texts = Texts(language_named(lang))
    except ValueError as problem:
        raise WatchError(str(problem)) from None
    if what.endswith(TRACE_FILES):
        if student is not None:
            raise WatchError("--student is for exercises: a trace is one")
        if messages:
            raise WatchError("--messages is for scenarios: a trace has them or not (swarmsim run --messages)")
        recording = of_trace(load_trace(what))
        player = Player(Future("1", recording))
        player.messages = any(row["kind"] == "raft.message" for row in recording.rows[:5000])
        app = WatchApp(player, texts, title=Path(what).name)
    else:
        text, source = read_scenario(what)
        loaded = parse_scenario(text, source)
        if loaded.scenario.exercise is not None:
            app = _exercise(loaded, text, seed, messages, texts, student)
        elif student is not None:
            raise WatchError(f"--student is for exercises, and {loaded.scenario.name} is none")
        else:
            loaded = _with_packets(loaded)
            number = 1 if seed is None else seed
            future = Future("1", Recording(trace_header(loaded, number), []), loaded, seed=number)
            app = WatchApp(Player(future, messages=messages), texts, title=loaded.scenario.name, text=text)
    app.player.speed = min(SPEEDS, key=lambda known: abs(known - speed))
    return app


def _with_packets(loaded: LoadedScenario) -> LoadedScenario:
    """Whoever watches may ask a published port at any moment, so engines gossip from the beginning, if they are not too many."""
    scenario = loaded.scenario
    managers, workers = scenario.cluster.names()
    if scenario.gossips or len(managers) + len(workers) > MOST_GOSSIPING:
        return loaded
    return loaded._replace(scenario=scenario.gossiping())


def _exercise(
    loaded: LoadedScenario, text: str, seed: int | None, messages: bool, texts: Texts, student: str | None
) -> WatchApp:
    """An exercise at its desk; of a session that was saved, as far as that had come."""
    if seed is not None:
        raise WatchError("an exercise has a seed of its own: leave --seed out")
    session = loaded.scenario.session
    sitting = Sitting(loaded, student if student is not None else session.student if session is not None else "")
    if messages and sitting.exercise.sight == "managers":
        raise WatchError("this exercise shows what docker tells, and no messages: leave --messages out")
    future = Future(
        "1", WatchedRecording(trace_header(sitting.loaded, sitting.seed), sitting), sitting.loaded, seed=sitting.seed
    )

    def refuses(step: MeanwhileStep) -> str | None:
        if sitting.forbids(step):
            return "exercise forbids"
        return "exercise over" if sitting.too_late(step) else None

    player = Player(future, messages=messages, refuses=refuses)
    desk = Desk(sitting, session.answers if session is not None else None)
    return WatchApp(player, texts, title=sitting.name, text=text, desk=desk, playing=False)


def start_on(place: str, speed: float, lang: str | None) -> None:
    """Run the app over a running cluster, in this terminal. Raises :class:`WatchError` and :class:`MachineError`."""
    try:
        texts = Texts(language_named(lang))
    except ValueError as problem:
        raise WatchError(str(problem)) from None
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WatchError("watch needs a terminal; without one: swarmsim record (a timeline and a trace)")
    session = WatchedSession(place)
    app = WatchApp(AlivePlayer(session), texts, title=session.title)
    app.player.speed = min(SPEEDS, key=lambda known: abs(known - speed))
    app.run()
    if session.problem is not None:
        raise session.problem


def start(
    what: str, seed: int | None, speed: float, messages: bool, lang: str | None, student: str | None = None
) -> None:
    """Run the app in this terminal. Raises :class:`WatchError`."""
    app = app_for(what, seed, speed, messages, lang, student)
    served = "TEXTUAL_DRIVER" in os.environ  # to a browser: Textual draws into a pipe
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        app.player.close()
        raise WatchError(
            f"watch needs a terminal; without one: swarmsim run {shlex.quote(what)} (a timeline), "
            "swarmsim report TRACE (a page), or swarmsim watch --web (in a browser)"
        )
    folder = claim_folder(app.where) if served else None
    if folder is not None:
        app.where = folder
        app.scenario_title += f" · {app.texts('visitor')} {folder.name.rpartition('-')[2]}"
    app.run()
    if folder is not None and not any(folder.iterdir()):
        folder.rmdir()


def claim_folder(runs: Path) -> Path | None:
    """A folder in ``runs`` that no other visitor has: ``visitor-1``, ``visitor-2``, …; ``None`` where none can be made."""
    for number in itertools.count(1):
        folder = runs / f"visitor-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError:
            break
        return folder
    return None
