"""What programs that read text have in common: their input, whole or line by line, and their complaints.

Text is a ``str`` of bytes, one character for each (latin-1), since busybox compares and counts bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from swarmsim.sim.future import Activity
from swarmsim.unix.process import Process, Program
from swarmsim.unix.programs.options import Complaint, Usage

BANNER = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary."


def octets(word: str) -> str:
    """A word of the command line, as text."""
    return word.encode(errors="surrogateescape").decode("latin-1")


def lines_of(text: str) -> list[str]:
    """Without their ends; a last one without an end counts.

    >>> lines_of("a\\nb"), lines_of("a\\n"), lines_of("")
    (['a', 'b'], ['a'], [])
    """
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def write(process: Process, text: str) -> Activity[None]:
    if text:
        yield from process.write(text.encode("latin-1"))


def contents(process: Process, path: str) -> Activity[str]:
    """Of a file, or of standard input for ``-``. Raises :class:`OSError`."""
    stream = process.streams[0] if path == "-" else process.open(path)
    return (yield from process.read_all(stream)).decode("latin-1")


def complain(process: Process, program: str, path: str, problem: OSError) -> Activity[None]:
    yield from process.say(f"{program}: {path}: {problem.strerror}\n")


def inputs(
    process: Process, program: str, paths: list[str], use: Callable[[str, str], Activity[None]]
) -> Activity[int]:
    """Call ``use`` with each file's name and text, complain of those that cannot be read; the status so far."""
    status = 0
    for path in paths or ["-"]:
        try:
            text = yield from contents(process, path)
        except OSError as problem:
            yield from complain(process, program, path, problem)
            status = 1
            continue
        yield from use(path, text)
    return status


def guarded(program: Program) -> Program:
    """The program, which says how it was used wrongly. busybox prints its whole help after that; here it ends with the banner."""

    def run(process: Process, words: list[str]) -> Activity[int]:
        try:
            return (yield from program(process, words))
        except Usage as usage:
            first = f"{usage}\n" if str(usage) else ""
            yield from process.say(f"{first}{BANNER}\n")
            return 1
        except Complaint as problem:
            yield from process.say(f"{problem}\n")
            return 1
        except BrokenPipeError:
            raise
        except OSError as problem:
            yield from process.say(f"{words[0].rpartition('/')[2]}: {problem.strerror or os.strerror(5)}\n")
            return 1

    return run
