"""Completion of what is being typed, by the grammar's table and the names there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from swarmsim.docker.grammar import BY_PATH, COMMANDS, GROUPS

WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("node update", "--availability"): ("active", "drain", "pause"),
    ("node update", "--role"): ("manager", "worker"),
    ("service create", "--mode"): ("replicated", "global"),
    ("service create", "--restart-condition"): ("any", "none", "on-failure"),
    ("service update", "--restart-condition"): ("any", "none", "on-failure"),
    ("service update", "--update-failure-action"): ("continue", "pause", "rollback"),
    ("service create", "--update-failure-action"): ("continue", "pause", "rollback"),
    ("service update", "--update-order"): ("start-first", "stop-first"),
    ("service create", "--update-order"): ("start-first", "stop-first"),
}
"""Values that flags take."""


class Names(NamedTuple):
    """What there is to be named."""

    managers: Sequence[str] = ()
    workers: Sequence[str] = ()
    services: Sequence[str] = ()
    stacks: Sequence[str] = ()


NO_NAMES = Names()

ARGUMENTS: dict[str, Callable[[Names], Sequence[str]]] = {
    "node promote": lambda names: names.workers,
    "node demote": lambda names: names.managers,
    "node inspect": lambda names: ["self", *names.managers, *names.workers],
    "service scale": lambda names: [f"{service}=" for service in names.services],
    "swarm join-token": lambda names: ["worker", "manager"],
    "stack deploy": lambda names: names.stacks,
}
"""Commands whose arguments are not told by their usage alone."""
BY_USAGE: dict[str, Callable[[Names], Sequence[str]]] = {
    "NODE": lambda names: [*names.managers, *names.workers],
    "SERVICE": lambda names: names.services,
    "STACK": lambda names: names.stacks,
}


def completions(line: str, names: Names = NO_NAMES) -> list[str]:
    """Words the last word of ``line`` may become, in order; the last word is empty after a blank.

    >>> completions("service sc")
    ['scale']
    >>> completions("node promote ", Names(managers=["m1"], workers=["w1"]))
    ['w1']
    >>> completions("service scale w", Names(services=["web"]))
    ['web=']
    """
    words = line.removeprefix("docker ").split(" ")
    words = [word for word in words[:-1] if word] + words[-1:]
    *before, last = words
    found = _candidates(before, last, names)
    return [word for word in dict.fromkeys(found) if word.startswith(last) and word != last and word not in before]


def _candidates(before: list[str], last: str, names: Names) -> Sequence[str]:
    command = next((BY_PATH[path] for path in (" ".join(before[:2]), *before[:1]) if path in BY_PATH), None)
    if command is None:
        if not before:
            return [*GROUPS, *(known.path for known in COMMANDS if " " not in known.path)]
        return [
            known.path.split()[1] for known in COMMANDS if known.path.startswith(before[0] + " ") and known.modelled
        ]
    values = WORDS.get((command.path, before[-1]))
    if values is not None:
        return values
    if last.startswith("-"):
        return [f"--{flag.name}" for flag in command.flags if flag.modelled]
    if any(flag.type != "bool" and before[-1] in (f"--{flag.name}", f"-{flag.short}") for flag in command.flags):
        return ()  # a value that only who types knows
    if command.path in ARGUMENTS:
        return ARGUMENTS[command.path](names)
    return next((find(names) for word, find in BY_USAGE.items() if word in command.usage), ())
