"""Whether a service has converged, as the client judges it: a state machine without a clock or an engine of its own.

It goes by what is seen at each poll:

============  ===============  ============  ========================
phase         all tasks run?   then          said
============  ===============  ============  ========================
CONVERGING    no               CONVERGING
CONVERGING    yes              VERIFYING     how long it still waits
VERIFYING     yes              VERIFYING     how long it still waits
VERIFYING     no               CONVERGING    that a task failed
============  ===============  ============  ========================

One monitoring period in VERIFYING is convergence. Beside it, the state of an update (or its rollback) may end the waiting
or change what is said: :data:`UPDATES`. (docker/cli command/service/progress/progress.go.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple


class Phase(Enum):
    CONVERGING = auto()
    VERIFYING = auto()


class Say(Enum):
    NOTHING = auto()
    WAITING = auto()
    FAILURE = auto()


MOVES: dict[tuple[Phase, bool], tuple[Phase, Say]] = {
    (Phase.CONVERGING, False): (Phase.CONVERGING, Say.NOTHING),
    (Phase.CONVERGING, True): (Phase.VERIFYING, Say.WAITING),
    (Phase.VERIFYING, True): (Phase.VERIFYING, Say.WAITING),
    (Phase.VERIFYING, False): (Phase.CONVERGING, Say.FAILURE),
}


class Effect(NamedTuple):
    """What a state of an update does to the waiting.

    ``rolling_back``: whether from now on a rollback is waited for. ``fails``: the command fails with these words and the
    update's message. ``ends``: there is nothing to wait for, unless it is being verified. ``begins`` and ``closes`` tell
    the update's message: once at the beginning, or as the last word.
    """

    rolling_back: bool | None = None
    fails: str = ""
    ends: bool = False
    begins: bool = False
    closes: bool = False


UPDATES: dict[str, Effect] = {
    "updating": Effect(rolling_back=False),
    "completed": Effect(ends=True),
    "paused": Effect(fails="service update paused"),
    "rollback_started": Effect(rolling_back=True, begins=True),
    "rollback_paused": Effect(fails="service rollback paused"),
    "rollback_completed": Effect(rolling_back=True, closes=True),
}


class Reaction(NamedTuple):
    """To an update's state: what to say of a rollback, that the waiting is over, or what to fail with."""

    says: str = ""
    ends: bool = False
    fails: str = ""


@dataclass
class Convergence:
    """Where the waiting is. Times are seconds of any clock."""

    phase: Phase = Phase.CONVERGING
    since: float = 0.0
    """When VERIFYING began."""
    rolling_back: bool = False
    last_word: str = ""

    def on_update_state(self, state: str, message: str) -> Reaction:
        effect = UPDATES.get(state, Effect())
        if effect.fails:
            return Reaction(fails=f"{effect.fails}: {message}")
        verifying = self.phase is Phase.VERIFYING
        if effect.ends and not verifying:
            return Reaction(ends=True)
        if effect.closes and not verifying:
            self.last_word = message
        news = effect.begins and not self.rolling_back and message
        if effect.rolling_back is not None:
            self.rolling_back = effect.rolling_back
        return Reaction(says=message if news else "")

    def is_verified(self, now: float, monitor: float) -> bool:
        """Whether all tasks have run for ``monitor`` seconds, at the polls at least."""
        return self.phase is Phase.VERIFYING and now - self.since >= monitor

    def on_tasks(self, all_run: bool, now: float) -> Say:
        """One poll; what is to be said."""
        before = self.phase
        self.phase, say = MOVES[before, all_run]
        if before is not self.phase:
            self.since = now
        return say
