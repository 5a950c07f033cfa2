"""What is drawn on a terminal while a command waits, against what the real client drew (tests/records/cli/progress.jsonl).

The recorded bytes are read as frames, line by line what was shown. Drawn anew they must be the same bytes, over a pseudo-terminal as
they were recorded; and our client, given the tasks that a recorded poll shows, must show the same in that poll.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from swarmsim.apitypes.http import Request, Response
from swarmsim.docker.client import run_docker
from swarmsim.docker.display import Screen, Shown, piped
from swarmsim.sim.future import Activity
from tests.conftest import RECORDS

FRAME = re.compile(
    r"(?P<new>\r\n)?\x1b\[(?P<up>\d+)A\x1b\[2K\r(?P<name>[^:\r]+): (?P<action>[^\r]*?) (?P<bar>\[=*> *\] )?"
    r"((?P<current>\d+)/(?P<total>\d+) (?P<units>nodes))?\r\x1b\[(?P<down>\d+)B"
)
STEPS_OF_A_TASK = {False: 9, True: 10}
"""… until it runs, and of a job's until it is complete."""


class Recorded(NamedTuple):
    command: str
    text: str
    pieces: list[tuple[float, str]]
    interrupted: bool

    @property
    def is_job(self) -> bool:
        return "job" in self.command

    @property
    def begin(self) -> int:
        """Where the first frame begins; before it is what was created."""
        return found.start() if (found := FRAME.search(self.text)) else len(self.text)


def read(tty: bool) -> list[Recorded]:
    rows = map(json.loads, (RECORDS / "cli" / "progress.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Recorded(row["cmd"], "".join(text for _, text in row["out"]), row["out"], bool(row.get("ctrl_c")))
        for row in rows
        if row["kind"] == "docker" and row.get("tty") is tty
    ]


DRAWN = [each for each in read(tty=True) if FRAME.search(each.text)]


def shown_in(recorded: Recorded) -> list[tuple[float, Shown]]:
    """What was shown, and when. A bar tells the steps by what the state is called."""
    ends, length = [], 0
    for t, text in recorded.pieces:
        length += len(text)
        ends.append((length, t))
    found = []
    for frame in FRAME.finditer(recorded.text):
        current, total, units = 0, 0, frame["units"] or ""
        if units:
            current, total = int(frame["current"]), int(frame["total"])
        elif frame["bar"]:
            total, current = progress_of(frame["name"], frame["action"], recorded.is_job)
        t = next(t for end, t in ends if end > frame.start())
        found.append((t, Shown(frame["name"], frame["action"], current, total, units)))
    return found


STATES = [
    "new",
    "allocated",
    "pending",
    "assigned",
    "accepted",
    "preparing",
    "ready",
    "starting",
    "running",
    "complete",
]


def progress_of(name: str, action: str, is_job: bool) -> tuple[int, int]:
    if name == "job progress":
        complete, total = re.findall(r"\d+", action)
        return int(total), int(complete)
    return STEPS_OF_A_TASK[is_job], 1 + STATES.index(action.strip())


def over_a_terminal(text: str) -> str:
    """The text as it comes out of a pseudo-terminal that a program wrote it to."""
    master, slave = pty.openpty()
    try:
        read, wanted = b"", text.encode()
        while wanted or not read.endswith(b"\n" if text.endswith("\n") else text[-1:].encode()):
            wanted = wanted[os.write(slave, wanted[:1024]) :] if wanted else wanted
            read += os.read(master, 65536)
        return read.decode()
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("recorded", DRAWN, ids=lambda each: each.command[:40])
def test_frames_are_drawn_as_recorded(recorded):
    """Byte for byte, up to where something else than frames was printed."""
    screen, frames = Screen(), shown_in(recorded)
    last = list(FRAME.finditer(recorded.text))[-1]
    drawn = "".join(screen.drawn(shown) for _, shown in frames)
    assert over_a_terminal(drawn) == recorded.text[recorded.begin : last.end()]


@pytest.mark.parametrize("recorded", DRAWN, ids=lambda each: each.command[:40])
def test_nothing_is_drawn_but_frames(recorded):
    after = recorded.text[list(FRAME.finditer(recorded.text))[-1].end() :]
    assert re.fullmatch(
        r"(\^C)?(job complete\r\n|Operation continuing .*\r\nUse .*\r\n|service update paused: .*\r\n|-----BEGIN CERTIFICATE-----\r\n[\w+/=\r\n]+-----END CERTIFICATE-----\r\n)?",
        after,
    )


def polls_of(recorded: Recorded) -> list[tuple[float, list[Shown]]]:
    """What was shown at each poll: a new one begins where nothing was shown for a while."""
    polls: list[tuple[float, list[Shown]]] = []
    last = -1.0
    for t, shown in shown_in(recorded):
        if t - last > 0.1:
            polls.append((t, []))
        polls[-1][1].append(shown)
        last = t
    return polls


def ordered(shown: list[Shown]) -> list[Shown]:
    """Bars of a poll come in the order of a Go map; what is shown of several is shown at its place."""
    bars = [i for i, each in enumerate(shown) if each.total and each.name != "job progress"]
    result = list(shown)
    for place, bar in zip(bars, sorted((shown[i] for i in bars), key=lambda each: each.name), strict=True):
        result[place] = bar
    return result


class Replay:
    """A daemon and a machine on which tasks are as the polls of a recording show."""

    def __init__(self, recorded: Recorded, spec: dict[str, Any]) -> None:
        self.polls = polls_of(recorded)
        self.poll = 0
        self.id = recorded.text.split()[0]
        self.spec = spec
        self.is_job = recorded.is_job
        self.running: dict[str, str] = {}

    @property
    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.polls[self.poll][0])

    def shuffle(self, items: list[str]) -> None:
        items.sort()

    def handle(self, request: Request) -> Activity[Response]:
        kind, _, _ = request.path.strip("/").partition("/")
        if request.method == "POST":
            return Response(201, {"ID": self.id})
        if kind == "services":
            return Response(200, self.service())
        return Response(200, self.tasks() if kind == "tasks" else self.nodes())
        yield

    def service(self) -> dict[str, Any]:
        version = {"Index": 7}
        job = {"JobStatus": {"JobIteration": {"Index": 0}}} if self.is_job else {}
        return {"ID": self.id, "Version": version, "Spec": self.spec, "Endpoint": {}, **job}

    def nodes(self) -> list[dict[str, Any]]:
        names = {shown.name for _, poll in self.polls for shown in poll if shown.total and "/" not in shown.name}
        return [{"ID": name, "Status": {"State": "ready"}, "Description": {}} for name in ["there", *sorted(names)]]

    def tasks(self) -> list[dict[str, Any]]:
        for shown in self.polls[self.poll][1]:
            if shown.name not in ("overall progress", "job progress", "active tasks", "verify") and shown.action != " ":
                self.running[shown.name] = shown.action if not shown.total else shown.action.strip()
        return [self.task(name, said) for name, said in self.running.items()]

    def task(self, name: str, said: str) -> dict[str, Any]:
        failed = said not in STATES
        state = "rejected" if said.startswith("No such image") else "pending" if failed else said
        wanted = {"rejected": "shutdown"}.get(state, "complete" if self.is_job else "running")
        number = name.partition("/")[0]
        place = {"Slot": int(number) - self.is_job, "NodeID": "there"} if number.isdigit() else {"NodeID": name}
        return {
            "ID": f"task{name}", "ServiceID": self.id, **place, "DesiredState": wanted,
            "Status": {"State": state, **({"Err": said} if failed else {})}, "JobIteration": {"Index": 0},
        }  # fmt: skip


REPLAYED = {
    "service create --no-resolve-image --name t1": {"Mode": {"Replicated": {"Replicas": 3}}},
    "service create --no-resolve-image --name tg": {"Mode": {"Global": {}}},
    "service create --no-resolve-image --name tj": {
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 3}}
    },
    "service create --no-resolve-image --name bad": {"Mode": {"Replicated": {"Replicas": 1}}},
    "service create --no-resolve-image --name pend": {"Mode": {"Replicated": {"Replicas": 1}}},
    "service scale": {"Mode": {"Replicated": {"Replicas": 4}}},
}
"""Commands without an update, and the service they are about."""


def replayed() -> Iterator[Any]:
    for recorded in DRAWN:
        for begin, mode in REPLAYED.items():
            if recorded.command.startswith(begin + " "):
                spec = {"Name": "t1", "TaskTemplate": {"ContainerSpec": {"Image": "mini:1"}}, **mode}
                yield pytest.param(recorded, spec, id=begin.removeprefix("service create --no-resolve-image "))


def type_again(recorded: Recorded, spec: dict[str, Any]) -> tuple[str, list[list[Shown]]]:
    """All that a pipe has, and what is drawn at each poll."""
    replay, text, drawn = Replay(recorded, spec), [], [""]

    def write(stream: str, piped: str, shown: str) -> None:
        text.append(piped)
        drawn[-1] += shown

    activity = run_docker(replay, replay, shlex.split(recorded.command), write)
    for _ in activity:
        replay.poll += 1
        if replay.poll == len(replay.polls):
            break
        drawn.append("")
    frames = [
        Recorded(recorded.command, over_a_terminal(each), [(0.0, over_a_terminal(each))], False) for each in drawn
    ]
    return "".join(text), [[shown for _, shown in shown_in(each)] for each in frames]


@pytest.mark.parametrize(("recorded", "spec"), replayed())
def test_what_is_shown_at_each_poll(recorded, spec):
    _, ours = type_again(recorded, spec)
    real = [shown for _, shown in polls_of(recorded)]
    assert list(map(ordered, ours)) == list(map(ordered, real))


@pytest.mark.parametrize(("recorded", "spec"), replayed())
def test_a_pipe_has_the_same_without_bars(recorded, spec):
    text, ours = type_again(recorded, spec)
    lines = "".join(piped(shown) for poll in ours for shown in poll)
    assert text.removesuffix("job complete\n").endswith(lines)
    assert "\x1b" not in text


def test_a_rotation_shows_at_each_poll_what_the_record_shows(lab):
    """The roots differ, so their digests do; polls come every 0.2 s, and the first says nothing yet."""

    def told(text: str) -> list[str]:
        shown = re.findall(r"desired root digest: (?:sha256:(\w{64}))?\n", text)
        roots = list(dict.fromkeys(shown))
        return [f"root {roots.index(root)}" for root in shown]

    recorded = next(each for each in read(tty=False) if each.command == "swarm ca --rotate")
    result = lab.docker("swarm ca --rotate")
    ours, real = told(result.out), told(recorded.text)
    assert dict.fromkeys(ours) == dict.fromkeys(real)
    assert abs(len(ours) - len(real)) <= 2  # 3.35 s against 3.49 s
    assert re.sub(r"(?s).*\n(?=-----BEGIN)", "", result.out) == lab.docker("swarm ca").out
