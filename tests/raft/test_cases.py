"""Raft driven by hand, in the manner of etcd's testdata: commands, ``----``, and what must be seen.

After every block the state of all members (and, after ``wire``, the messages under way) is compared with the text.
``REWRITE=1 pytest tests/raft/test_cases.py`` writes what was seen into the files; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from swarmsim.raft.core import ProposalDropped
from swarmsim.raft.messages import ChangeType, ConfChange, Message
from tests.raft.driver import Group, between

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def told(message: Message) -> str:
    parts = [f"{message.src}->{message.to} {message.type} term {message.term}"]
    if message.index or message.log_term:
        parts.append(f"at {message.index}/{message.log_term}")
    if message.entries:
        parts.append("entries " + ",".join(str(entry.index) for entry in message.entries))
    if message.commit:
        parts.append(f"commit {message.commit}")
    if message.reject:
        parts.append("rejects" + (f", hint {message.hint}" if message.hint else ""))
    if message.snapshot:
        parts.append(f"snapshot {message.snapshot.index}")
    return " ".join(parts)


def status(group: Group) -> list[str]:
    lines = []
    for id in group.members:
        raft = group.rafts.get(id)
        if raft is None:
            lines.append(f"{id}: down")
            continue
        terms = " ".join(str(entry.term) for entry in raft.log.entries)
        log = f"log {raft.log.offset}+[{terms}]" if raft.log.offset else f"log [{terms}]"
        lines.append(f"{id}: {raft.role} term {raft.term} vote {raft.vote} {log} commit {raft.log.committed}")
    return lines


class Script:
    def __init__(self) -> None:
        self.group = Group(1)

    def run(self, line: str) -> list[str]:
        verb, *words = line.split()
        numbers = [int(word) for word in words if word.isdigit()]
        group = self.group
        if verb == "group":
            self.group = Group(numbers[0], seed=7)
        elif verb == "campaign":
            group.rafts[numbers[0]].campaign()
            group.pump(numbers[0])
        elif verb == "propose":
            try:
                group.rafts[numbers[0]].propose(words[-1])
            except ProposalDropped:
                return [f"{numbers[0]}: proposal dropped"]
            group.pump(numbers[0])
        elif verb == "remove":
            group.rafts[numbers[0]].propose(ConfChange(ChangeType.REMOVE, numbers[1]))
            group.pump(numbers[0])
        elif verb == "transfer":
            group.rafts[numbers[0]].transfer_leadership(numbers[1])
            group.pump(numbers[0])
        elif verb == "settle":  # settle [without 3 …]
            group.settle(between(*numbers))
        elif verb == "deliver":  # the first message under way, or the first from one member to another
            ends = tuple(numbers)
            first = next(n for n, m in enumerate(group.wire) if not ends or (m.src, m.to) == ends)
            group.deliver(group.wire.pop(first))
        elif verb == "lose":  # everything under way
            group.wire.clear()
        elif verb == "tick":
            group.tick(numbers[0], numbers[1] if len(numbers) > 1 else 1)
        elif verb == "crash":
            group.crash(numbers[0])
        elif verb == "start":
            group.start(numbers[0])
        elif verb == "compact":
            group.compact(numbers[0])
        elif verb == "wire":
            return [told(message) for message in group.wire] or ["nothing under way"]
        elif verb == "applied":
            return [f"{numbers[0]}: {group.data(numbers[0])}"]
        else:
            raise ValueError(f"unknown command {verb!r}")
        return []


def play(text: str) -> str:
    script = Script()
    blocks = []
    for block in text.strip().split("\n\n"):
        commands = block.split("\n----")[0].splitlines()
        seen: list[str] = []
        for line in commands:
            if not line.startswith("#"):
                seen += script.run(line)
        if all(line.startswith("#") for line in commands):
            blocks.append("\n".join(commands))
            continue
        blocks.append("\n".join([*commands, "----", *(seen or status(script.group))]))
    return "\n\n".join(blocks) + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path):
    text = path.read_text()
    seen = play(text)
    if os.environ.get("REWRITE"):
        path.write_text(seen)
    assert seen == text
