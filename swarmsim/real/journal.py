"""The journal of what has been done to hosts: how to undo it is on disk before it is done.

A journal is a folder. An entry is a shell script in it, ``000007-cut-m1.undo``, that undoes one change; it is written, and safely on disk,
before the change is made, and removed once it has been undone. So whatever happens to whoever made the changes (an error, ``kill -9``),
running the scripts that are there, the last first, leaves the hosts as they were. A script may be run any number of times.

That is also what the dead man's switch does: a small shell that outlives the one who starts it, and undoes everything when nobody has
moved its deadline on for a while. It is plain ``sh``, so it works the same on a host that has nothing of ours.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from swarmsim.real.machine import MachineError

PATIENCE = 30.0
"""Seconds without a sign of life after which the dead man's switch undoes everything."""

UNDO_ALL = """\
cd {folder} || exit 0
exec 9>lock; flock 9
for entry in $(ls -r *.undo 2>/dev/null); do sh "$entry" >>undone.log 2>&1 && rm -f "$entry"; done
left=$(ls *.undo 2>/dev/null); [ -z "$left" ]
"""
"""Undoes what there is to undo, one at a time; exit code 0 if nothing is left."""

SWITCH = """\
while sleep 1; do
  until=$(cat {folder}/deadline 2>/dev/null) || exit 0
  [ "$(date +%s)" -le "$until" ] || break
done
rm -f {folder}/deadline
{undo}"""


class Entry(NamedTuple):
    """One change that is, or may be, made."""

    path: Path

    def undone(self) -> None:
        """It has been undone, or what it undid has been overwritten by a later one."""
        self.path.unlink(missing_ok=True)


class Journal:
    """The journal in ``folder``, which is made if there is none."""

    heal = "swarmsim lab heal"
    """What one types to have undone what is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._number = max((int(entry.name[:6]) for entry in folder.glob("*.undo")), default=0)

    def write(self, what: str, undo: str) -> Entry:
        """Have it on disk how to undo what is about to be done."""
        self._number += 1
        name = f"{self._number:06}-{re.sub(r'[^a-z0-9]+', '-', what.lower()).strip('-')}"
        draft, path = self.folder / f"{name}.draft", self.folder / f"{name}.undo"
        with draft.open("w", encoding="utf-8") as file:
            file.write(undo + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return Entry(path)

    @property
    def entries(self) -> list[str]:
        """What is not undone yet, the oldest first."""
        return sorted(entry.stem[7:] for entry in self.folder.glob("*.undo"))

    def undo_all(self) -> bool:
        """Undo everything, the last first; whether nothing is left. Waits if somebody else is at it."""
        return subprocess.run(["sh", "-c", self._undo], check=False).returncode == 0

    @property
    def _undo(self) -> str:
        return UNDO_ALL.format(folder=shlex.quote(str(self.folder)))

    # -- the dead man's switch

    def arm(self, patience: float = PATIENCE) -> subprocess.Popen[bytes] | None:
        """Start the switch: everything is undone unless :meth:`still_here` is called at least every ``patience`` seconds. The process
        that does it."""
        self._put_off(patience)
        script = SWITCH.format(folder=shlex.quote(str(self.folder)), undo=self._undo)
        return subprocess.Popen(
            ["sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def still_here(self, patience: float = PATIENCE) -> None:
        """A sign of life. Raises :class:`MachineError` if it comes too late: then all is undone, and nobody watches any more."""
        if not self._deadline.exists():
            raise MachineError("this process stood still for too long: the dead man's switch has undone what it did")
        self._put_off(patience)

    def _put_off(self, patience: float) -> None:
        draft = self.folder / "deadline.draft"
        draft.write_text(f"{int(time.time() + patience)}\n", encoding="utf-8")
        draft.replace(self._deadline)

    @property
    def _deadline(self) -> Path:
        return self.folder / "deadline"

    def disarm(self) -> None:
        """The switch is not needed any more; it ends within a second."""
        self._deadline.unlink(missing_ok=True)
