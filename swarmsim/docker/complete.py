"""Completion of what is being typed, by the grammar's table and the names there are."""

from __future__ import annotations

from collections.abc import Sequence

from swarmsim.docker.grammar import BY_PATH, COMMANDS, GROUPS, Command

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


def completions(line: str, nodes: Sequence[str] = (), services: Sequence[str] = ()) -> list[str]:
    """Words the last word of ``line`` may become, in order; the last word is empty after a blank.

    >>> completions("service sc")
    ['scale']
    >>> completions("node update --availability d", nodes=["m1"])
    ['drain']
    >>> completions("service scale w", services=["web"])
    ['web=']
    """
    words = line.removeprefix("docker ").split(" ")
    words = [word for word in words[:-1] if word] + words[-1:]
    *before, last = words
    found = _candidates(before, last, nodes, services)
    return [word for word in dict.fromkeys(found) if word.startswith(last) and word != last]


def _candidates(before: list[str], last: str, nodes: Sequence[str], services: Sequence[str]) -> list[str]:
    command = next((BY_PATH[path] for path in (" ".join(before[:2]), *before[:1]) if path in BY_PATH), None)
    if command is None:
        if not before:
            return [*GROUPS, *(known.path for known in COMMANDS if " " not in known.path)]
        return [
            known.path.split()[1] for known in COMMANDS if known.path.startswith(before[0] + " ") and known.modelled
        ]
    values = WORDS.get((command.path, before[-1]))
    if values is not None:
        return list(values)
    if last.startswith("-"):
        return [f"--{flag.name}" for flag in command.flags if flag.modelled]
    return _names(command, nodes, services)


def _names(command: Command, nodes: Sequence[str], services: Sequence[str]) -> list[str]:
    if command.path == "service scale":
        return [f"{service}=" for service in services]
    if command.path == "swarm join-token":
        return ["worker", "manager"]
    if "NODE" in command.usage:
        return list(nodes)
    return list(services) if "SERVICE" in command.usage else []
