"""What one can do to a cluster in ``swarmsim watch``, and how it is kept: faults, other futures, saving."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from swarmsim.replay.looks import phase
from swarmsim.replay.timeline import watch_time
from swarmsim.trace.reader import TraceError
from swarmsim.trace.state import name
from swarmsim.tui.player import Future
from swarmsim.tui.screens import AskName, AskSeed, Compare, Question
from swarmsim.tui.stage import Stage

OF_REAL_HOSTS = ("real only watched", "real no seed", "real past", "real no curl")
REFUSALS = ("record", "forming", "exercise forbids", "exercise over", *OF_REAL_HOSTS)
"""Reasons of the player's, which are texts."""


class Doing(Stage):
    """Keys that do something at the moment shown."""

    # -- doing

    def _act(self, **action: Any) -> bool:
        """Do it at the moment shown; whether it can be done."""
        try:
            made = self.player.act(**action)
        except ValueError as problem:
            self.notify(self._refusal(problem), severity="warning")
            return False
        if made is not None and "seed" not in action:
            at = watch_time(made.forked - made.recording.begin)
            self.notify(self.texts("branch act", name=made.name, t=at))
        return True

    def _refusal(self, problem: ValueError) -> str:
        """Why the player does not do something, in the user's language where it is the player who says so."""
        reason = str(problem)
        return self.texts(reason) if reason in REFUSALS else reason

    def _break(self, what: str, host: str, action: dict[str, Any]) -> None:
        """Do what takes a host away, after a question if that costs the quorum."""
        state = self.player.state
        managers = state.managers()
        up = [name for name in state.managers_up() if not state.links.cut_off(name)]
        majority = len(managers) // 2 + 1
        left = len([name for name in up if name != host])
        if host not in up or left >= majority or self.player.recorded:
            self._act(**action)
            return
        question = self.texts(
            "sure quorum", what=self.texts.told(what), left=left, all=len(managers), majority=majority
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._act(**action)

        self.push_screen(Question(self.texts, question), answered)

    def _chosen_host(self) -> str | None:
        if self.host is None:
            self.notify(self.texts("select host"), severity="warning")
        return self.host

    def action_power(self) -> None:
        host = self._chosen_host()
        known = self.player.state.hosts.get(host or "")
        if host is None or known is None:
            return
        if known.power:
            self._break(f"power off {host}", host, {"fault": {"power-off": host}})
        else:
            self._act(fault={"power-on": host})

    def action_engine(self) -> None:
        host = self._chosen_host()
        known = self.player.state.hosts.get(host or "")
        if host is None or known is None:
            return
        if known.engine and known.power:
            self._break(f"kill engine {host}", host, {"fault": {"kill-engine": host}})
        else:
            self._act(fault={"start-engine": host})

    def action_cut(self) -> None:
        host = self._chosen_host()
        if host is None:
            return
        groups = [list(group) for group in self.player.state.links.isolated]
        if [host] in groups:
            groups.remove([host])
            self._act(fault={"partition": groups} if groups else {"heal": "all"})
        else:
            self._break(f"cut off {host}", host, {"fault": {"partition": [*groups, [host]]}})

    def action_heal(self) -> None:
        self._act(fault={"heal": "all"})

    def action_drain(self) -> None:
        host = self._chosen_host()
        if host is None:
            return
        node = self.player.state.node_of(host)
        availability = "active" if node is not None and node["avail"] == "drain" else "drain"
        self._act(docker=f"node update --availability {availability} {host}")

    def action_kill(self) -> None:
        state = self.player.state
        if self.selected is not None and self.selected[0] == "task":
            row = state.tasks.get(self.selected[1])
            if row is not None and phase(row) == "running":
                self._act(fault={"kill-container": name(row)})
                return
        host = self._chosen_host()
        running = [row for row in state.tasks_by_host().get(host or "", ()) if phase(row) == "running"]
        if not running:
            self.notify(self.texts("no container"), severity="warning")
            return
        self._act(fault={"kill-container": name(running[0])})

    def action_save(self) -> None:
        if self.player.recorded:
            self.notify(self.texts("record"), severity="warning")
            return
        future = self.player.future
        if future.loaded is None:
            self._save_what_was_seen()
            return
        self.player.play(False)
        whose = "watched" if self.desk is None else _as_name(self.desk.sitting.student) or "session"
        name = f"{future.loaded.scenario.name}-{whose}"
        names = (name if n == 1 else f"{name}-{n}" for n in count(1))
        free = next(name for name in names if not (self.where / f"{name}.yaml").exists())

        def answered(name: str | None) -> None:
            if name is not None:
                self._save(name)

        self.push_screen(AskName(self.texts, free, self.where), answered)

    def _save_what_was_seen(self) -> None:
        """Of real hosts there is a trace, and no scenario that would do the same again."""
        future = self.player.future
        stem = str(future.recording.header["scenario"])
        names = (f"{stem}-watched-{n}.jsonl" for n in count(1))
        path = next(self.where / name for name in names if not (self.where / name).exists())
        try:
            self.where.mkdir(exist_ok=True, parents=True)
            self.player.save_trace(path)
        except OSError as problem:
            self.notify(self.texts("not saved", place=path, problem=problem.strerror), severity="error")
        except TraceError as problem:
            self.notify(str(problem), severity="error")
        else:
            self._kept[future.name] = len(future.actions)
            self.notify(self.texts("saved", path=path.resolve(), command=f"swarmsim watch {path}"), timeout=12)

    def _save(self, name: str) -> None:
        future, path = self.player.future, self.where / f"{name}.yaml"
        try:
            self.where.mkdir(exist_ok=True, parents=True)
            text = self.player.scenario_text(self.scenario_text, name)
            text = self.desk.sitting.written(text, self.desk.given) if self.desk is not None else text
            path.write_text(text, encoding="utf-8")
            # As a run of it would call it, so that the one is not taken for the other.
            self.player.save_trace(self.where / f"{name}-{future.seed}.jsonl", name)
        except OSError as problem:
            place, why = problem.filename or self.where, problem.strerror
            self.notify(self.texts("not saved", place=place, problem=why), severity="error")
            return
        except TraceError as problem:
            self.notify(str(problem), severity="error")
            return
        self._kept[future.name] = len(future.actions)
        if self.desk is not None:
            self._answers_kept = self.desk.given
            command = f"swarmsim check {self.desk.sitting.name} {path}"
            self.notify(self.texts("exercise saved", path=path.resolve(), command=command), timeout=12)
            return
        command = f"swarmsim run {path} --seed {future.seed}"
        self.notify(self.texts("saved", path=path.resolve(), command=command), timeout=12)

    @property
    def _unsaved(self) -> bool:
        """Whether something was done by hand that is nowhere written down."""
        if self.desk is not None and self.desk.given != self._answers_kept:
            return True
        return any(len(future.actions) > self._kept.get(future.name, 0) for future in self.player.futures)

    def action_branch(self) -> None:
        self.player.play(False)  # it begins at the moment the dialog names
        at = watch_time(self.player.since_begin)

        def answered(seed: int | None) -> None:
            if seed is not None and self._act(seed=seed):
                self.notify(self.texts("branch made", name=self.player.future.name, t=at, seed=seed))

        self.push_screen(AskSeed(self.texts, at, self.player.future.seed + len(self.player.futures)), answered)

    def action_compare(self) -> None:
        if len(self.player.futures) < 2:
            self.notify(self.texts("only one"), severity="warning")
            return

        def chosen(future: Future | None) -> None:
            if future is not None:
                self.player.switch(future)

        self.push_screen(Compare(self.texts, self.player.futures, self.player.future), chosen)


def _as_name(student: str) -> str:
    """What a student is called, as a name of a file.

    >>> _as_name("Zoë O'Hara 7")
    'zo-o-hara-7'
    """
    return "-".join(re.findall(r"[a-z0-9]+", student.lower()))[:30].strip("-")
