"""The ``swarmsim`` command within this process: a new one takes a second to begin, and there are hundreds of commands to try."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from swarmsim.cli import app


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def swarmsim(*words: str, cwd: Path) -> Done:
    """What ``swarmsim WORDS…`` left behind, typed in ``cwd`` without a terminal."""
    with chdir(cwd):
        result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)
