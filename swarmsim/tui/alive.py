"""Time of a cluster that is really there: it passes by itself, there is one of it, and only its present can be changed."""

from __future__ import annotations

from typing import Any

from swarmsim.replay.recording import Recording
from swarmsim.scenario.live import Progress
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.scenario.watching import WatchedSession
from swarmsim.tui.player import MICROSECOND, Future, Job, Player


class AlivePlayer(Player):
    """Shows what ``session`` tells. While it is paused, or in the past, what happens is kept and shown later."""

    def __init__(self, session: WatchedSession) -> None:
        super().__init__(Future("1", Recording(session.header, [])))
        self._session = session

    @property
    def recorded(self) -> bool:
        return False

    def play(self, on: bool | None = None) -> None:
        super().play(on)
        if not self.playing:
            self.at_end = False  # it goes on without us

    def next(self, *, far: bool = False) -> None:
        if self._following() is None:
            self.seek(self.future.known)
        else:
            super().next(far=far)

    def interrupt(self, job: Job) -> None:
        if job.running and job.number is not None:
            self._session.interrupt(job.number)

    def close(self) -> None:
        self._session.close()

    def _read(self) -> None:
        for news in self._session.read():
            self._hear(self.future, news)

    def _hear(self, future: Future, news: Progress) -> None:
        super()._hear(future, news)
        if self.at_end:
            self.t = future.known

    def _enact(self, action: dict[str, Any], job: Job | None) -> None:
        if not self._session.touchable:
            raise ValueError("real only watched")
        if "seed" in action:
            raise ValueError("real no seed")
        if not self.at_end:
            raise ValueError("real past")
        if "curl" in action:
            raise ValueError("real no curl")
        verb = next(iter(action.get("fault", ())), None)
        if verb is not None and verb not in self._session.verbs:
            raise ValueError(f"{verb}: {', '.join(self._session.verbs)}")
        step = MeanwhileStep(at=max(self.since_begin, MICROSECOND), **action)
        number = self._session.act(step)
        self.future.actions.append(step)
        if job is not None:
            job.number, job.began = number, self.t
