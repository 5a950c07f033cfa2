"""``sleep date env id whoami hostname uname ps which pwd nproc timeout``: of time, users and the system."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import Activity
from swarmsim.unix.executables import PATH, Found, find, load
from swarmsim.unix.files import NotModelled
from swarmsim.unix.process import SIGNALS, Process, signal_number
from swarmsim.unix.programs.attributes import name_of
from swarmsim.unix.programs.options import Usage, options

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
FOR_EVER = 1e9
"""Seconds; longer than any simulation."""


def seconds_of(text: str) -> float | None:
    """
    >>> seconds_of("1.5m"), seconds_of("x")
    (90.0, None)
    """
    if text in ("inf", "infinity"):
        return FOR_EVER
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", text)
    return float(match[1]) * UNITS[match[2]] if match is not None else None


def sleep(process: Process, words: list[str]) -> Activity[int]:
    if len(words) < 2:
        raise Usage
    total = 0.0
    for word in words[1:]:
        seconds = seconds_of(word)
        if seconds is None:
            yield from process.say(f"sleep: invalid number '{word}'\n")
            return 1
        total += seconds
    yield min(total, FOR_EVER)
    return 0


def timeout(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "s:k:", mixed=False)
    if len(given.words) < 2:
        raise Usage
    seconds = seconds_of(given.words[0])
    if seconds is None:
        yield from process.say(f"timeout: invalid number '{given.words[0]}'\n")
        return 1
    number = signal_number(given.flags.get("s", "TERM"))
    if not number:
        raise Usage(f"timeout: bad signal name '{given.flags['s']}'")
    found = find(process, given.words[1])
    if found.status:
        yield from process.say(f"timeout: can't execute '{given.words[1]}': No such file or directory\n")
        return found.status
    program, call = load(process, found, given.words[1:])
    child = process.fork(lambda child: program(child, call), call[0])
    clock = process.system.clock
    yield clock.first_of((child.ended, clock.timeout(seconds)))
    if child.status is None:
        child.kill(SIGNALS[number])
        yield from child.ended
        process.kill(SIGNALS[number])
        return 128 + number
    return child.status


def date(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "uI", not_modelled="sdrRD")
    now = EPOCH + timedelta(seconds=process.system.wall())
    if not given.words:
        format = "%Y-%m-%d" if "I" in given else "%a %b %e %H:%M:%S UTC %Y"
    elif given.words[0].startswith("+"):
        format = given.words[0][1:]
    else:
        yield from process.say(f"date: invalid date '{given.words[0]}'\n")
        return 1
    yield from process.write(_formatted(now, format) + "\n")
    return 0


def _formatted(now: datetime, format: str) -> str:
    """
    >>> _formatted(EPOCH + timedelta(days=1), "%s %F %T %e")
    '1767344400 2026-01-02 09:00:00  2'
    """
    known = "aAbBcdDeFHIjkmMnNpSTuUwWyYZz%"
    wrong = next((letter for letter in re.findall("%(.)", format) if letter not in known + "s"), None)
    if wrong is not None:
        raise NotModelled(f"date +%{wrong}")
    format = format.replace("%N", f"{now.microsecond * 1000:09d}").replace("%s", str(int(now.timestamp())))
    return now.strftime(format.replace("%n", "\n").replace("%k", f"{now.hour:2d}").replace("%Z", "UTC"))


def env(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "iu:0", mixed=False)
    values = {} if "i" in given else dict(process.env)
    values.pop(given.flags.get("u", ""), None)
    rest = list(given.words)
    if rest[:1] == ["-"]:
        rest, values = rest[1:], {}
    while rest and "=" in rest[0]:
        name, _, values[name] = rest.pop(0).partition("=")
    if not rest:
        yield from process.write("".join(f"{name}={value}\n" for name, value in values.items()))
        return 0
    path = process.env.get("PATH", PATH)
    process.env = values
    found = find(process, rest[0]) if "/" in rest[0] or "PATH" in values else _in(process, path, rest[0])
    if found.status:
        yield from process.say(f"env: can't execute '{rest[0]}': No such file or directory\n")
        return found.status
    program, rest = load(process, found, rest)
    return (yield from program(process, rest))


def _in(process: Process, path: str, name: str) -> Found:
    process.env = {**process.env, "PATH": path}
    found = find(process, name)
    del process.env["PATH"]
    return found


def id_(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "ugnG", not_modelled="r")
    user = process.user
    if given.words:
        raise NotModelled("id of another user")
    names = (name_of(process, user.uid, "/etc/passwd"), name_of(process, user.gid, "/etc/group"))
    if "u" in given:
        text = names[0] if "n" in given else str(user.uid)
    elif "g" in given or "G" in given:
        text = names[1] if "n" in given else str(user.gid)
    else:
        shown = [f"({name})" if not name.isdigit() else "" for name in names]
        text = f"uid={user.uid}{shown[0]} gid={user.gid}{shown[1]} groups={user.gid}{shown[1]}"
    yield from process.write(f"{text}\n")
    return 0


def whoami(process: Process, words: list[str]) -> Activity[int]:
    name = name_of(process, process.user.uid, "/etc/passwd")
    if name.isdigit():
        yield from process.say(f"whoami: unknown uid {name}\n")
        return 1
    yield from process.write(f"{name}\n")
    return 0


def hostname(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "s", not_modelled="ifdF")
    if given.words:
        yield from process.say("hostname: sethostname: Operation not permitted\n")
        return 1
    yield from process.write(f"{process.system.hostname}\n")
    return 0


KERNEL = ("5.15.0-91-generic", "#101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023")


def uname(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "asnrvmpio")
    parts = {
        "s": "Linux",
        "n": process.system.hostname,
        "r": KERNEL[0],
        "v": KERNEL[1],
        "m": "x86_64",
        "o": "GNU/Linux",
    }
    wanted = list(parts) if "a" in given else [letter for letter in parts if letter in given] or ["s"]
    yield from process.write(" ".join(parts[letter] for letter in wanted) + "\n")
    return 0


def ps(process: Process, words: list[str]) -> Activity[int]:
    options(words, "aefwxu", not_modelled="oT")
    lines = ["PID   USER     COMMAND\n"]
    for each in process.system.processes.values():
        name = name_of(process, each.user.uid, "/etc/passwd")
        lines.append(f"{each.pid:5d} {name[:8]:<8} {each.name}\n")
    yield from process.write("".join(lines))
    return 0


def which(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "a")
    if not given.words:
        raise Usage
    status = 0
    for word in given.words:
        found = find(process, word)
        if found.status:
            status = 1
        else:
            yield from process.write(f"{found.path}\n")
    return status


def pwd(process: Process, words: list[str]) -> Activity[int]:
    yield from process.write(f"{process.system.files.resolve(process.cwd).path}\n")
    return 0


def nproc(process: Process, words: list[str]) -> Activity[int]:
    yield from process.write("2\n")
    return 0
