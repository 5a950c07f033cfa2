"""Real hosts and what can be done to them: commands are typed on them, changes are made and undone. Time is the wall's."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from swarmsim.docker.client import Result, split_words
from swarmsim.docker.command import Write
from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from swarmsim.real import typed
from swarmsim.real.before import Seen, as_before, differences, look_at, mark_node
from swarmsim.real.containers import Containers
from swarmsim.real.cuts import Cuts
from swarmsim.real.journal import Entry, Journal
from swarmsim.real.links import Link, Links, delayed, filtered
from swarmsim.real.looking import BOOT, answers
from swarmsim.real.machine import DESK, Change, Machine, MachineError
from swarmsim.real.mask import Mask
from swarmsim.real.waits import Happening, drive
from swarmsim.trace import rows
from swarmsim.trace.rows import KINDS, Row
from swarmsim.world import Activity, FaultError, Fields, HostSpec
from swarmsim.world.shown import command_row

T = TypeVar("T")
SIGN_OF_LIFE = 5.0
"""Seconds between two signs of life to the dead man's switch."""
NO_POWER = "swarmsim: nothing can be typed on {host}: it has no power\n"


class RealCluster:
    """The hosts of a :class:`~swarmsim.real.world.RealWorld`. ``machines`` run engines that are in no swarm; ``journal`` is where it is written how to undo
    what is done to them.

    Whoever makes one closes it (it is a context manager): everything that was done is undone then, whatever happened.
    """

    def __init__(
        self, machines: Sequence[Machine], journal: Journal, specs: Mapping[str, HostSpec], described: str = ""
    ) -> None:
        """``specs`` are hosts as the scenario wants them, by name; addresses are the machines'. ``described`` tells of versions."""
        self.described = described
        self.told: Mapping[str, Any] = {}
        """What a trace's header tells of the hosts, beside that."""
        self.machines: Mapping[str, Machine] = {machine.name: machine for machine in machines}
        self.hosts: Mapping[str, HostSpec] = {
            name: specs[name]._replace(address=machine.address) for name, machine in self.machines.items()
        }
        self.files = Files()
        self._mask = Mask()
        self.cuts = Cuts(list(self.machines))
        self.links = Links()
        self.containers = {machine.name: Containers(machine, self.tell) for machine in machines}
        self._journal = journal
        self.loop = asyncio.new_event_loop()
        self._began = self.loop.time()
        self._broken: asyncio.Future[None] = self.loop.create_future()
        self._readers: list[tuple[Callable[[Row], object], frozenset[str], frozenset[str] | None]] = []
        self._changed: Happening[None] = Happening(self.loop)
        self._work: list[asyncio.Task[Any]] = []
        self.before: Mapping[str, Seen] | None = None
        """How hosts were that stay when this ends; ``None`` if they are made for the run."""
        self.left: list[str] = []
        """After the end: what is otherwise on them than before, a sentence each."""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._undo()  # what an earlier run left
        journal.arm()
        self.keep(self._living())

    # -- time

    @property
    def now(self) -> float:
        return self.loop.time() - self._began

    def timeout(self, seconds: float) -> Happening[None]:
        over: Happening[None] = Happening(self.loop)
        self.loop.call_later(max(0.0, seconds), over.succeed)
        return over

    def promise(self) -> Happening[None]:
        return Happening(self.loop)

    def first_of(self, waits: Collection[Happening[Any]]) -> Happening[None]:
        first: Happening[None] = Happening(self.loop)
        for wait in waits:
            wait.then(first.succeed)
        return first

    def spawn(self, activity: Activity[T]) -> Happening[T]:
        return Happening.of(self.keep(drive(self.loop, activity)))

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Have something go on beside everything else, until the end; an error in it ends the run."""
        task = self.loop.create_task(work)
        self._work.append(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, work: asyncio.Task[Any]) -> None:
        if not work.cancelled() and work.exception() is not None and not self._broken.done():
            self._broken.set_exception(work.exception() or RuntimeError())

    def advance(self, until: Any) -> None:
        waited = self.timeout(until - self.now) if isinstance(until, int | float) else until
        self.loop.run_until_complete(self._or_broken(waited))

    async def _or_broken(self, wait: Happening[Any]) -> None:
        ended: asyncio.Future[None] = self.loop.create_future()
        wait.then(lambda: None if ended.done() else ended.set_result(None))
        await asyncio.wait((ended, self._broken), return_when=asyncio.FIRST_COMPLETED)
        if self._broken.done():
            broken, self._broken = self._broken, self.loop.create_future()
            broken.result()

    async def _living(self) -> None:
        """The dead man's switch must not take a long wait for our end."""
        while True:
            self._journal.still_here()
            await asyncio.sleep(SIGN_OF_LIFE)

    # -- rows

    def note(self, row_type: Callable[Fields, object], *none: Fields.args, **fields: Fields.kwargs) -> None:
        self.tell({"kind": KINDS[row_type], **fields})

    def tell(self, fields: Row) -> None:
        row = {"t": round(self.now, 6), **self._mask.row(fields)}
        for reader, without, only in self._readers:
            if row["kind"] not in without and (only is None or row["kind"] in only):
                reader(row)

    def subscribe(
        self, reader: Callable[[Row], object], without: frozenset[str] = frozenset(), only: frozenset[str] | None = None
    ) -> None:
        self._readers.append((reader, without, only))

    def mark_changed(self) -> None:
        """Something happened that an onlooker could see."""
        changed, self._changed = self._changed, Happening(self.loop)
        changed.succeed()

    def next_change(self) -> Happening[None]:
        return self._changed

    # -- typing

    async def type(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        stdin: str = "",
        name: str | None = None,
        write: Write | None = None,
        interrupt: Happening[None] | None = None,
    ) -> Result:
        """As :meth:`docker`."""
        began = self.now
        result = await self.ask(host, line, limit, stdin, write, interrupt)
        took = self.now - began
        self.note(rows.Docker, **command_row(host, line.removeprefix("docker "), result, took, name))
        return result

    async def ask(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        stdin: str = "",
        write: Write | None = None,
        interrupt: Happening[None] | None = None,
    ) -> Result:
        """As :meth:`docker`, but nothing is written down."""
        machine = self.machines[host]
        if not machine.powered:
            return Result(255, "", NO_POWER.format(host=host))
        try:
            words = split_words(line)
        except CommandError as problem:
            return Result(problem.code, "", f"{problem}\n")
        words = words[1:] if words[:1] == ["docker"] else words
        self._mask.learn(words, stdin, self.files)
        command, environment = machine.docker(words)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._desk(),
            env={**os.environ, **self.files.environment, **environment},
            start_new_session=True,
        )
        return await typed.end_of(process, stdin, limit, write, interrupt)

    def _desk(self) -> Path:
        """A folder with the files that commands may read."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix=DESK)
        desk = Path(self._folder.name)
        for name, text in self.files.inline.items():
            place = desk / name.lstrip("/")
            if place.resolve().is_relative_to(desk.resolve()) and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
        return desk

    # -- changes of machines

    async def change(self, *changes: Change) -> list[Entry]:
        """Make changes, at once; how to undo them is written down before. Raises :class:`FaultError` if one fails."""
        entries = [self._journal.write(change.what, change.undo) for change in changes]
        done = await asyncio.gather(*(self.machines[change.host].shell(change.do) for change in changes))
        for change, completed in zip(changes, done, strict=True):
            if completed.code:
                raise FaultError(f"{change.what}: {completed.err.strip() or f'exit code {completed.code}'}")
        return entries

    async def start(self, hosts: Sequence[str]) -> None:
        """Give hosts power and their engines a start, if they lack it; returns when all answer. (An engine listens from early on, but
        answers only after its node has found the swarm again, or has tried for 20 s.)"""
        await self.change(*(self.machines[host].start() for host in hosts))
        until = self.now + BOOT
        for host in hosts:
            while not await answers(self.machines[host]):
                if self.now > until:
                    raise FaultError(f"{host}: its engine does not answer {BOOT:g} s after its start")
                await asyncio.sleep(0.02)
            self.power(host, on=True)

    def power(self, host: str, *, on: bool) -> None:
        """Write down that a host has lost its power, or has it again."""
        if not on:
            self.containers[host].lost_power()
        self.note(rows.Power, host=host, on=on)
        self.mark_changed()

    async def apply_cuts(self) -> None:
        """Have it on every host that it does not reach whom it shall not reach."""
        changes = []
        for name, machine in self.machines.items():
            others = self.cuts.unreachable(name)
            changes.append(machine.cut_from([self.hosts[other].address for other in others]))
        await self.change(*changes)
        self._links_changed()

    async def relink(self, host: str, link: Link) -> None:
        """Have a host's packets be late, lost and dropped as ``link`` says. Raises :class:`FaultError` if the host has no power."""
        machine, before = self.machines[host], self.links.of(host)
        if not machine.powered:
            raise FaultError(f"{host} has no power: nothing can be done to its packets")
        others = [spec.address for name, spec in self.hosts.items() if name != host]
        if link.late != before.late and others:
            await self.change(delayed(machine, link, others[0]))
        if (link.lost, link.closed) != (before.lost, before.closed):
            await self.change(filtered(machine, link, others))
        self.links.put(host, link)
        self._links_changed()

    def _links_changed(self) -> None:
        self.note(rows.Links, cuts=self.cuts.pairs, isolated=self.cuts.groups, **self.links.row)
        self.mark_changed()

    # -- the end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def leave(self) -> None:
        """What is to be closed while time still passes."""

    def close(self) -> None:
        """Undo everything. Raises :class:`MachineError` if something cannot be undone."""
        going_on = asyncio.all_tasks(self.loop)  # also a change that is being made: its undo comes after it
        for work in going_on:
            work.cancel()
        self.loop.run_until_complete(asyncio.gather(*going_on, return_exceptions=True))
        self.loop.run_until_complete(self.leave())
        if self._folder is not None:
            self._folder.cleanup()
        self._journal.disarm()
        try:
            self._undo()
        finally:
            if self.before is not None:
                self.left = self._compared(self.before)
            self.loop.close()

    def _compared(self, before: Mapping[str, Seen]) -> list[str]:
        try:
            return differences(before, self.loop.run_until_complete(look_at(list(self.machines.values()))))
        except MachineError as problem:
            return [f"whether hosts are as before cannot be told: {problem}"]

    def _undo(self) -> None:
        if not self._journal.undo_all():
            left = ", ".join(self._journal.entries)
            raise MachineError(
                f"not everything is undone: {left}; see {self._journal.folder}/undone.log, then: {self._journal.heal}"
            )

    async def remember(self) -> None:
        """The hosts are somebody's and stay: see how they are now, so that they can be so again. They are in no swarm."""
        machines = list(self.machines.values())
        self.before = await look_at(machines)
        await self.change(*(as_before(machine, self.before[machine.name]) for machine in machines))

    async def mark(self) -> None:
        """Note on hosts that stay that their swarm is ours."""
        if self.before is not None:
            await asyncio.gather(*(machine.shell(mark_node(machine)) for machine in self.machines.values()))
