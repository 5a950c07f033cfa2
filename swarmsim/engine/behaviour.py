"""What a container's process does, as far as it matters from outside, and what single programs do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

SILENT = frozenset(("true", ":", "date", "env", "hostname", "id", "pwd", "uname", "whoami", "/hello"))
"""Commands that end at once with code 0, whatever they print (which is not modelled)."""
UNMODELLED = frozenset(
    (
        *("awk", "basename", "cat", "chmod", "chown", "cp", "curl", "cut", "dd", "df", "dirname", "du", "expr", "find"),
        *("getent", "grep", "gzip", "head", "ifconfig", "ip", "kill", "killall", "less", "ln", "ls", "mktemp", "mount"),
        *("mv", "nc", "netstat", "nslookup", "pgrep", "pidof", "printf", "ps", "read", "sed", "seq", "set", "shift"),
        *("sort", "source", "stat", "su", "tar", "tee", "timeout", "tr", "ulimit", "umask", "uniq", "wc", "wget"),
        *("which", "xargs", "yes", "eval", "export", "cd", "local", "return", "continue", "exit_on", ".", "case"),
        *("bash", "sh", "ash", "httpd", "python", "python3", "perl", "node", "npm", "java"),
    )
)
"""Programs and builtins that there are, and whose doings matter too much to be left out."""
SIGNALS = {"1": "HUP", "2": "INT", "3": "QUIT", "9": "KILL", "10": "USR1", "12": "USR2", "15": "TERM"}
NOT_FOUND = 127


class NotUnderstood(Exception):
    """A script has something that is not modelled; its name."""


def signal_name(text: str) -> str:
    """
    >>> signal_name("SIGTERM"), signal_name("15"), signal_name("quit")
    ('TERM', 'TERM', 'QUIT')
    """
    name = text.upper().removeprefix("SIG")
    return SIGNALS.get(name, name)


class Trap(NamedTuple):
    """What a shell does at a signal: nothing, or, between two commands, something of ``seconds`` that ends it with ``code``."""

    signal: str
    code: int | None
    seconds: float = 0.0


class Behaviour(NamedTuple):
    """What a container's process does: exits with ``code`` after ``seconds`` (``inf``: until stopped).

    ``stops`` is the exit code it stops with, in ``stop_seconds``, when it gets a signal it has no trap for, ``None`` if it ignores that.
    ``lines`` are what it prints, each after so many seconds; the last ``again`` of them come again ``every`` so many
    seconds. ``pauses`` are when a shell is between two commands; those after ``since`` are repeated likewise.
    """

    seconds: float
    code: int
    stops: int | None
    lines: tuple[tuple[float, str], ...] = ()
    again: int = 0
    every: float = 0.0
    since: float = 0.0
    traps: tuple[Trap, ...] = ()
    pauses: tuple[float, ...] = ()
    stop_seconds: float = 0.0

    def printed(self, lasted: float) -> Iterator[tuple[float, str]]:
        """What it has printed when it has run for ``lasted`` seconds."""
        repeated = self.lines[len(self.lines) - self.again :]
        yield from (line for line in self.lines if line[0] <= lasted)
        rounds = 1
        while repeated and repeated[0][0] + rounds * self.every <= lasted:
            shift = rounds * self.every
            yield from ((at + shift, text) for at, text in repeated if at + shift <= lasted)
            rounds += 1

    def ends_by(self, signal: str, elapsed: float) -> tuple[float, int] | None:
        """In how many seconds a signal ends it that comes after ``elapsed`` seconds, and with which code; ``None``: it does not."""
        for trap in self.traps:
            if trap.signal == signal_name(signal):
                return None if trap.code is None else (self._next_pause(elapsed) + trap.seconds, trap.code)
        return None if self.stops is None else (self.stop_seconds, self.stops)

    def _next_pause(self, elapsed: float) -> float:
        rounds = math.floor((elapsed - self.since) / self.every) if self.every and elapsed > self.since else 0
        for turn in (rounds, rounds + 1):
            for pause in self.pauses:
                at = pause + turn * self.every if pause > self.since else pause
                if at >= elapsed:
                    return at - elapsed
        return max(0.0, self.seconds - elapsed)


def run_command(words: list[str]) -> Behaviour:
    """What one program does. Raises :class:`NotUnderstood` for one that is there and not modelled."""
    if not words:
        return Behaviour(0.0, 0, None)
    name = words[0].removeprefix("/bin/").removeprefix("/usr/bin/")
    if name == "sleep":
        return Behaviour(*sleep_seconds(words[1:]), None)
    if name == "false":
        return Behaviour(0.0, 1, None)
    if name == "echo":
        return Behaviour(0.0, 0, None, ((0.0, " ".join(words[1:])),))
    if name in SILENT:
        return Behaviour(0.0, 0, None)
    if name == "tail" and words[1:2] in (["-f"], ["-F"]):
        return Behaviour(math.inf, 0, None)
    if name == "httpd" and "-f" in words:
        return Behaviour(math.inf, 0, None)
    if name in ("tail", "ping"):
        if "-c" in words or (name == "tail" and len(words) > 1):
            raise NotUnderstood(" ".join(words[:2]))
        return Behaviour(math.inf, 0, None) if len(words) > 1 else Behaviour(0.0, 1, None)
    if name == "top":
        return Behaviour(math.inf, 0, None)
    if name in UNMODELLED:
        raise NotUnderstood(name)
    return Behaviour(0.0, NOT_FOUND, None, ((0.0, f"sh: {words[0]}: not found"),))


def sleep_seconds(arguments: list[str]) -> tuple[float, int]:
    """How long ``sleep`` sleeps, and its exit code."""
    if not arguments:
        return 0.0, 1
    total = 0.0
    for argument in arguments:
        if argument in ("infinity", "inf"):
            return math.inf, 0
        number, unit = (argument[:-1], argument[-1]) if argument[-1:] in "smhd" else (argument, "s")
        try:
            total += float(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
        except (KeyError, ValueError):
            return 0.0, 1
    return total, 0
