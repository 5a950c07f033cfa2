"""Rafts driven by hand: members, the messages between them, and what each has applied."""

from __future__ import annotations

from random import Random

from swarmsim.raft.core import Raft, RaftRole, Settings
from swarmsim.raft.log import Log
from swarmsim.raft.messages import ConfChange, Entry, HardState, Kind, Message, Snapshot


class Disk:
    def __init__(self) -> None:
        self.hard = HardState()
        self.entries: list[Entry] = []
        self.snapshot: Snapshot | None = None


class Group:
    """Members 1..n; messages wait in ``wire`` until they are delivered or dropped."""

    def __init__(self, size: int, seed: int = 1, settings: Settings | None = None) -> None:
        self.rng = Random(seed)
        self.settings = settings or Settings()
        self.members = tuple(range(1, size + 1))
        self.disks = {id: Disk() for id in self.members}
        self.rafts: dict[int, Raft] = {}
        self.applied: dict[int, list[Entry]] = {id: [] for id in self.members}
        self.wire: list[Message] = []
        self.leaders: dict[int, set[int]] = {}
        for id in self.members:
            self.start(id)

    def start(self, id: int) -> Raft:
        disk = self.disks[id]
        log = Log(disk.entries, disk.snapshot)
        raft = Raft(
            id,
            disk.snapshot.members if disk.snapshot else self.members,
            Random(f"{id}/{self.rng.random()}"),
            hard_state=disk.hard,
            log=log,
            settings=self.settings,
            snapshot=lambda: self.snapshot(id),
        )
        first = disk.snapshot.index if disk.snapshot else 0
        self.applied[id] = [entry for entry in self.applied[id] if entry.index <= first]
        self.rafts[id] = raft
        return raft

    def crash(self, id: int) -> None:
        del self.rafts[id]

    def snapshot(self, id: int) -> Snapshot:
        log = self.rafts[id].log
        return Snapshot(log.applied, log.term(log.applied), self.rafts[id].members, tuple(self.applied[id]))

    def compact(self, id: int) -> None:
        snapshot = self.snapshot(id)
        disk = self.disks[id]
        disk.entries = [entry for entry in disk.entries if entry.index > snapshot.index]
        disk.snapshot = snapshot
        self.rafts[id].log.compact(snapshot.index)

    def pump(self, id: int) -> None:
        """Save, send and apply what a member has ready."""
        raft = self.rafts[id]
        while (ready := raft.ready()) is not None:
            disk = self.disks[id]
            if ready.snapshot is not None:
                disk.snapshot, disk.entries = ready.snapshot, []
                self.applied[id] = list(ready.snapshot.data)
            if ready.entries:
                first = disk.snapshot.index + 1 if disk.snapshot else 1
                del disk.entries[max(0, ready.entries[0].index - first) :]
                disk.entries.extend(ready.entries)
            if ready.hard_state is not None:
                disk.hard = ready.hard_state
            self.wire.extend(ready.messages)
            for entry in ready.committed:
                self.applied[id].append(entry)
                if isinstance(entry.data, ConfChange):
                    raft.apply_conf_change(entry.data)
            raft.advance(ready)
            if raft.role is RaftRole.LEADER:
                self.leaders.setdefault(raft.term, set()).add(id)

    def deliver(self, message: Message) -> None:
        raft = self.rafts.get(message.to)
        if raft is not None:
            raft.step(message)
            self.pump(message.to)

    def settle(self, drop=lambda message: False, limit: int = 10_000) -> None:
        """Deliver everything in order until nothing is under way."""
        for _ in range(limit):
            if not self.wire:
                return
            message = self.wire.pop(0)
            if not drop(message):
                self.deliver(message)
        raise AssertionError("messages never end")

    def elect(self, id: int, drop=lambda message: False) -> None:
        self.rafts[id].campaign()
        self.pump(id)
        self.settle(drop)

    def propose(self, id: int, data: object, drop=lambda message: False) -> None:
        self.rafts[id].propose(data)
        self.pump(id)
        self.settle(drop)

    def tick(self, id: int, times: int = 1) -> None:
        for _ in range(times):
            self.rafts[id].tick()
            self.pump(id)

    def leader(self) -> int | None:
        return next((id for id, raft in self.rafts.items() if raft.role is RaftRole.LEADER), None)

    def data(self, id: int) -> list[object]:
        return [entry.data for entry in self.applied[id] if entry.data is not None]


def between(*cut: int):
    """Drop messages from or to these members."""
    return lambda message: message.src in cut or message.to in cut


def only(*kinds: Kind):
    """Drop messages of these kinds."""
    return lambda message: message.type in kinds
