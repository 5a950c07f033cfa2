"""A command that is typed on a real host: what it prints as it appears, Ctrl-C, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from swarmsim.docker.client import Result
from swarmsim.docker.command import Write
from swarmsim.real.waits import Happening

GRACE = 2.0
"""Seconds a command gets to end after Ctrl-C, before it is killed."""


async def end_of(
    process: asyncio.subprocess.Process,
    stdin: str,
    limit: float | None,
    write: Write | None,
    interrupt: Happening[None] | None,
) -> Result:
    """What a command printed, and how it ended: by itself, or by Ctrl-C after ``limit`` seconds or when ``interrupt`` happens."""
    printed: dict[str, list[str]] = {"out": [], "err": []}

    async def read(stream: str, pipe: asyncio.StreamReader) -> None:
        while piece := await pipe.read(65536):
            text = piece.decode(errors="replace")
            printed[stream].append(text)
            if write is not None:
                write(stream, text, text)

    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(stdin.encode())
    process.stdin.close()
    ended = asyncio.gather(read("out", process.stdout), read("err", process.stderr), process.wait())
    first = asyncio.Event()
    ended.add_done_callback(lambda _: first.set())
    if interrupt is not None:
        interrupt.then(first.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(first.wait(), limit)
    if not ended.done():
        for sent in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(process.pid, sent)
            if (await asyncio.wait([ended], timeout=GRACE))[0]:
                break
    await ended
    code = process.returncode or 0
    return Result(128 - code if code < 0 else code, "".join(printed["out"]), "".join(printed["err"]))
