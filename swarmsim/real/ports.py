"""Which hosts reach which ports of each other: really tried, with a program that listens and one that asks.

On every host a small Python program (2.7 or 3; no more than what CentOS 7 brings) opens the ports that nobody uses, answers for some seconds and ends by itself.
Then every host asks every other: TCP, UDP there and back, UDP packets as large as its link's, and how long an answer takes. A port that an engine uses
already is asked over TCP all the same; whether UDP reaches it cannot be told from outside.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from swarmsim.real.facts import Facts
from swarmsim.real.machine import Machine, MachineError

PORTS = (("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789))
"""Managers, gossip, gossip, overlays."""
LISTENS = 20
"""Seconds until a program that listens ends, if nobody ends it before."""

LISTENER = """\
import json, os, select, signal, socket, sys
address, ports, seconds = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
opened, used = [], []
for kind, port in ports:
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    if kind == "tcp": one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((address, port))
        if kind == "tcp": one.listen(16)
        opened.append(one)
    except (OSError, socket.error) as problem:
        used.append([kind, port])
child = os.fork()
if child:
    print(json.dumps({"pid": child, "used": used}))
    sys.exit(0)
os.setsid()
nothing = os.open(os.devnull, os.O_RDWR)
for number in (0, 1, 2): os.dup2(nothing, number)
signal.alarm(seconds)
while opened:
    for one in select.select(opened, [], [])[0]:
        try:
            if one.type & socket.SOCK_STREAM == socket.SOCK_STREAM and one.type & socket.SOCK_DGRAM == 0: one.accept()[0].close()
            else:
                data, asker = one.recvfrom(65536)
                one.sendto(data[:16], asker)
        except (OSError, socket.error): pass
"""

ASKER = """\
import errno, json, socket, sys, threading, time
targets, mtu = json.loads(sys.argv[1]), int(sys.argv[2])
found = []
def tcp(address, port):
    asked = socket.socket(); asked.settimeout(1.5)
    began = time.time()
    try: asked.connect((address, port)); return "ok", time.time() - began
    except socket.timeout: return "silence", None
    except (OSError, socket.error) as problem: return errno.errorcode.get(problem.errno, "error"), None
    finally: asked.close()
def udp(address, port, size):
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); asked.settimeout(0.5)
    asked.setsockopt(socket.IPPROTO_IP, 10, 2)
    took = []
    try:
        asked.connect((address, port))
        for number in range(4):
            began = time.time()
            try:
                asked.send(b"swarmsim".ljust(size, b"."))
                asked.recv(64)
                took.append(time.time() - began)
            except socket.timeout: pass
    except (OSError, socket.error) as problem: return errno.errorcode.get(problem.errno, "error"), None
    finally: asked.close()
    return ("ok", min(took)) if took else ("silence", None)
def one(to, address, kind, port):
    how, took = tcp(address, port) if kind == "tcp" else udp(address, port, 16)
    full = udp(address, port, mtu - 28)[0] if kind == "udp" and how == "ok" and mtu else None
    found.append([to, kind, port, how, took, full])
threads = [threading.Thread(target=one, args=target) for target in targets]
for each in threads: each.start()
for each in threads: each.join()
print(json.dumps(found))
"""


class Way(NamedTuple):
    """One port of one host, asked from another: ``how`` is ``ok``, ``silence``, ``used`` (by an engine, and not to be told) or a name of errno.

    ``took`` is the shortest time of an answer in seconds, ``full`` what became of packets as large as the link's.
    """

    source: str
    to: str
    kind: str
    port: int
    how: str
    took: float | None = None
    full: str | None = None

    @property
    def ok(self) -> bool:
        return self.how in ("ok", "used")

    def __str__(self) -> str:
        return f"{self.source} → {self.to} {self.port}/{self.kind}"


async def try_all(machines: Sequence[Machine], facts: Mapping[str, Facts]) -> list[Way]:
    """Every port from every host to every other, of those that can run such a program."""
    able = [machine for machine in machines if facts[machine.name].python is not None]
    listening = await asyncio.gather(*(_listen(machine, facts) for machine in able))
    listeners = {machine.name: listener for machine, listener in zip(able, listening, strict=True)}
    try:
        asked = await asyncio.gather(*(_ask(machine, able, facts, listeners) for machine in able))
    finally:
        await asyncio.gather(*(_end(machine, listeners[machine.name]) for machine in able))
    return [way for ways in asked for way in ways]


class _Listener(NamedTuple):
    pid: int | None
    used: Sequence[tuple[str, int]]


async def _listen(machine: Machine, facts: Mapping[str, Facts]) -> _Listener:
    told = await _python(machine, facts, LISTENER, machine.address, json.dumps(PORTS), str(LISTENS))
    if not isinstance(told, dict):
        return _Listener(None, PORTS)
    return _Listener(told["pid"], [(kind, port) for kind, port in told["used"]])


async def _ask(
    machine: Machine, able: Sequence[Machine], facts: Mapping[str, Facts], listeners: Mapping[str, _Listener]
) -> list[Way]:
    targets, told = [], []
    for other in able:
        for kind, port in PORTS if other is not machine else ():
            if kind == "udp" and (kind, port) in listeners[other.name].used:
                told.append(Way(machine.name, other.name, kind, port, "used"))
            else:
                targets.append([other.name, other.address, kind, port])
    found = await _python(machine, facts, ASKER, json.dumps(targets), str(facts[machine.name].mtu))
    answered = (
        found if isinstance(found, list) else [[to, kind, port, "error", None, None] for to, _, kind, port in targets]
    )
    return [*told, *(Way(machine.name, *answer) for answer in answered)]


async def _end(machine: Machine, listener: _Listener) -> None:
    if listener.pid is not None:
        await machine.shell(machine.inside(f"kill {listener.pid} 2>/dev/null; true"))


async def _python(machine: Machine, facts: Mapping[str, Facts], program: str, *words: str) -> object:
    """What a program prints as JSON, run on a host as root; ``None`` if it prints none."""
    line = shlex.join([facts[machine.name].python or "python3", "-c", program, *words])
    try:
        done = await machine.shell(machine.inside(line))
        return json.loads(done.out)
    except (MachineError, ValueError):
        return None


def latency(ways: Sequence[Way]) -> float | None:
    """Half of the middle time that an answer took, in seconds: one way, program to program."""
    took = [way.took for way in ways if way.took is not None]
    return median(took) / 2 if took else None
