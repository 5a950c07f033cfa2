"""Consent: nothing is done to somebody's hosts before somebody has agreed to it, knowing which hosts, which commands, and what will be stopped.

It is remembered for an inventory with these hosts and the cluster they were in, so it is asked for once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from swarmsim.real.machine import MachineError

QUESTION = "May swarmsim do that to these hosts? [y/N] "


class Radius(NamedTuple):
    """What a run does, and to whom.

    ``commands`` are pairs of a host (or whom a scenario calls so: ``leader``) and what is typed on it; ``stopped`` are sentences about what will be stopped.
    """

    scenario: str
    hosts: Sequence[tuple[str, str]]
    """Names and addresses."""
    commands: Sequence[tuple[str, str]]
    stopped: Sequence[str]

    def lines(self, place: str) -> list[str]:
        """What is shown to whoever is asked."""
        names = ", ".join(f"{name} ({address})" for name, address in self.hosts)
        commands = [f"  {host}: {line}" for host, line in self.commands]
        return [
            f"{self.scenario} on {place} is going to",
            f"- make one swarm of {len(self.hosts)} hosts: {names}",
            *(["- type there:", *commands] if commands else []),
            *(["- stop or disturb:", *(f"  {sentence}" for sentence in self.stopped)] if self.stopped else []),
            "- undo all of it at the end: leave the swarm; remove containers, networks and volumes that came into being",
        ]


def state_folder() -> Path:
    """Where swarmsim remembers things about this user's hosts."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "swarmsim"


class Consents:
    """Those that were given, in a file of ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or state_folder()) / "consent.json"

    @staticmethod
    def key(place: str, hosts: Sequence[tuple[str, str]], cluster: str) -> str:
        """Of an inventory with these hosts, and the id of the cluster they were in (empty: none)."""
        where = str(Path(place).resolve()) if Path(place).exists() else place
        told = json.dumps([where, sorted(hosts), cluster])
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def _given(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def has(self, key: str) -> bool:
        return key in self._given()

    def remember(self, key: str, place: str) -> None:
        """Raises :class:`MachineError` if it cannot be written down."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps({**self._given(), key: place}, indent=1) + "\n", encoding="utf-8")
            draft.replace(self._file)
        except OSError as problem:
            raise MachineError(f"{self._file}: cannot be written: {problem.strerror}") from None


def ask_on_terminal(lines: Sequence[str]) -> bool | None:
    """Whether whoever sits at the terminal agrees; ``None`` if nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    print("\n".join(lines), file=sys.stderr)
    print(QUESTION, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "j", "是")


def must_agree(
    place: str,
    radius: Radius,
    cluster: str = "",
    *,
    yes: bool = False,
    consents: Consents | None = None,
    ask: Callable[[Sequence[str]], bool | None] = ask_on_terminal,
) -> None:
    """Returns if there is consent, now or from earlier; raises :class:`MachineError` if not. ``yes`` is consent given beforehand."""
    known = consents or Consents()
    key = known.key(place, radius.hosts, cluster)
    if known.has(key):
        return
    if not yes:
        agreed = ask(radius.lines(place))
        if agreed is None:
            raise MachineError(
                f"{place}: nobody has agreed yet to what this does to its hosts, and there is no terminal to ask at: look with --dry-run, agree with --yes"
            )
        if not agreed:
            raise MachineError(f"{place}: not agreed; nothing was done")
    known.remember(key, place)
