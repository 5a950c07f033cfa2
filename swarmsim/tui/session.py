"""The shell behind the prompt: what was typed, on which host, what came of it, and what still runs.

It knows no widgets. A line that is entered becomes an :class:`Entry`; a docker command in it is a
:class:`~swarmsim.tui.player.Job` of the player's, whose output is read from there whenever it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from swarmsim.docker.complete import Names, completions
from swarmsim.scenario.runner import Said
from swarmsim.tui.paper import Paper, Printed
from swarmsim.tui.player import Job, Player
from swarmsim.tui.shell import FILTERS, Filter, ShellError, Typed, understand
from swarmsim.tui.texts import Texts


@dataclass(eq=False)
class Entry:
    """A line and its answer: a command's output, or a ``note`` of the prompt itself."""

    line: str
    job: Job | None = None
    note: str = ""
    bad: bool = False
    filters: tuple[Filter, ...] = ()
    every: float | None = None
    """Seconds after which it is typed again, until Ctrl+C."""
    stopped: bool = False
    told: bool = False
    """Whether its end was told."""
    _read: tuple[list[Said], Paper, int] | None = None
    """Pieces, what they came to, and how many of them were read."""

    @property
    def lines(self) -> list[Printed]:
        if self.job is None:
            return [Printed(text, self.bad) for text in self.note.splitlines()]
        read = self._read
        if read is None or read[0] is not self.job.pieces:
            read = (self.job.pieces, Paper(), 0)
        pieces, paper, done = read
        for said in pieces[done:]:
            paper.feed(said.stream, said.text if self.filters else said.drawn)
        self._read = (pieces, paper, len(pieces))
        found = paper.lines
        if not self.filters:
            return found
        out = [line.text for line in found if not line.bad]
        for narrow in self.filters:
            out = narrow(out)
        return [*(line for line in found if line.bad), *map(Printed, out)]


class ShellSession:
    """``selected`` tells the host that is selected on the map."""

    def __init__(self, player: Player, texts: Texts, selected: Callable[[], str | None]) -> None:
        self.player = player
        self.texts = texts
        self.entries: list[Entry] = []
        self.history: list[str] = []
        self.closed = False
        """Whether the user said ``exit``."""
        self._selected = selected
        self._at: str | None = None
        self._paused_before: bool | None = None

    # -- where

    @property
    def host(self) -> str:
        """Where a command is typed that names no host: the one chosen with ``@``, else the one selected if commands are of use there,
        else a manager that lives."""
        state = self.player.state
        if self._at in state.hosts:
            return self._at or ""
        selected = self._selected()
        alive = [name for name, host in state.hosts.items() if host.power and host.engine]
        managers = state.managers_up()
        if selected in alive and (selected in managers or state.node_of(selected or "") is None):
            return selected or ""
        # One that is not on its own: of two sides of a cut the one that can do something is meant.
        able = [name for name in managers if name == state.leader or not state.links.cut_off(name)]
        return next(iter([*able, *managers, *alive]), selected or next(iter(state.hosts), ""))

    @property
    def names(self) -> Names:
        """What can be completed."""
        state = self.player.state
        managers = state.managers()
        services = list(state.services)
        stacks = {name.partition("_")[0]: None for name in services if "_" in name}
        return Names(managers, [name for name in state.hosts if name not in managers], services, list(stacks))

    def complete(self, line: str) -> list[str]:
        """Words the last word of a line may become."""
        before, _, last = line.rpartition(" ")
        hosts = list(self.player.state.hosts)
        if last.startswith("@") and not before.strip():
            return [f"@{host}" for host in hosts if host.startswith(last[1:]) and f"@{host}" != last]
        words = before.split()
        if "|" in words:
            return [name for name in FILTERS if name.startswith(last)] if words[-1] == "|" else []
        while words and (words[0] in ("sudo", "watch", "docker", "$") or words[0].startswith("@")):
            words = words[1:]
        return completions(" ".join([*words, last]), self.names)

    # -- what runs

    @property
    def running(self) -> list[Job]:
        """Commands that have not ended yet, the newest last."""
        return [job for job in self.player.future.jobs if job.running]

    def enter(self, line: str) -> Entry:
        """Do what a line says; the entry that shows it."""
        line = line.strip()
        self.history.append(line)
        self._stop_watching()
        entry = Entry(line)
        self.entries.append(entry)
        try:
            typed = understand(line)
            if typed.host is not None and typed.host not in self.player.state.hosts:
                hosts = ", ".join(self.player.state.hosts)
                raise ShellError("shell host", host=typed.host, hosts=hosts)
            if typed.builtin is not None:
                self._builtin(typed.builtin, entry)
            elif not typed.command and typed.host is not None and typed.program == "docker":
                self._at = typed.host
                entry.note = self.texts("shell at", host=typed.host)
            else:
                self._type(typed, entry)
        except ShellError as problem:
            entry.note, entry.bad = self.texts(problem.key, **problem.values), True
        except ValueError as problem:
            entry.note, entry.bad = self.texts(str(problem)), True
        return entry

    def _type(self, typed: Typed, entry: Entry) -> None:
        host = typed.host or self.host
        if self._paused_before is None:
            self._paused_before = not self.player.playing
        try:
            entry.job = self.player.type(typed.command, host, typed.program, typed.stdin)
        except ValueError:
            self._paused_before = None
            raise
        entry.filters, entry.every = typed.filters, typed.every
        self.player.play(True)

    def _builtin(self, word: str, entry: Entry) -> None:
        if word in ("help", "?"):
            entry.note = self.texts("shell help")
        elif word == "jobs":
            jobs = [f"[{n}] {job.host}$ {job.program} {job.command}" for n, job in enumerate(self.running, 1)]
            entry.note = "\n".join(jobs) or self.texts("shell no jobs")
        elif word == "history":
            entry.note = "\n".join(f"{n:4}  {line}" for n, line in enumerate(self.history, 1))
        elif word == "clear":
            self.entries = [other for other in self.entries if other.job is not None and other.job.running]
        else:
            self.entries.remove(entry)
            self._at = None
            self.closed = True

    def interrupt(self) -> bool:
        """Press Ctrl+C on the newest command that runs; whether there was one."""
        watched = self._stop_watching()
        running = self.running
        if running:
            self.player.interrupt(running[-1])
            self.player.play(True)
        return bool(running) or watched

    def _stop_watching(self) -> bool:
        watching = [entry for entry in self.entries if entry.every is not None and not entry.stopped]
        for entry in watching:
            entry.stopped = True
        return bool(watching)

    def tick(self) -> list[Entry]:
        """Look what came of it; the entries whose command has just ended."""
        player = self.player
        known = [entry.job for entry in self.entries]
        for job in self.running:
            if job not in known:  # another future has it too
                self.entries.append(Entry(job.command, job))
        ended: list[Entry] = []
        waiting = False
        for entry in self.entries:
            watched = entry.job
            if watched is None or entry.every is None or entry.stopped:
                continue
            waiting = True
            if not watched.running and player.at_end and player.t >= watched.now + entry.every:
                entry.job = player.type(watched.command, watched.host, watched.program)
        for entry in self.entries:
            if entry.job is not None and not entry.job.running and not entry.told:
                ended.append(entry)
                entry.told = True
        if self._paused_before is not None and not waiting and not self.running:
            if self._paused_before:
                player.play(False)
            self._paused_before = None
        return ended
