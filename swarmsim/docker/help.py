"""What ``--help`` prints (cobra's usage)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from swarmsim.docker.grammar import (
    ALIASES,
    COMMANDS,
    GLOBAL_FLAGS,
    GROUPS,
    NOT_MODELLED,
    Command,
    known_to_daemons,
)
from swarmsim.docker.values import FLAG_TYPES
from swarmsim.go.pflag import FlagSet

COMMON = ("run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info")
"""What docker's own help shows first, in its order."""
MANAGEMENT = ("builder", "container", "context", "image", "manifest", "plugin", "system", "trust")
SWARM_GROUPS = {"config", "node", "secret", "service", "stack", "swarm"}
UNLISTED = {"volume update", "buildx", "compose", "checkpoint"}
"""Plugins, and what is shown only where it can be used."""
NOT_YET = "(real, but not modelled yet)"


def command_help(command: Command) -> str:
    options = FlagSet(filter(known_to_daemons, command.flags), FLAG_TYPES).usages()
    names = ", ".join(f"docker {name}" for name in _names(command.path))
    aliases = f"\nAliases:\n  {names}\n" if names != f"docker {command.path}" else ""
    return f"Usage:  {command.use_line}\n\n{command.about}\n" + aliases + (f"\nOptions:\n{options}" if options else "")


def _names(path: str) -> list[str]:
    """All that a command is called; one without a group goes last, for the one in a group is the true one."""
    others = [alias for alias, meant in ALIASES.items() if meant == path and path != "inspect"]
    return [path, *others] if " " in path else [*others, path]


def _listed(members: Mapping[str, str], order: Iterable[str]) -> str:
    width = max(len(name) for name in members)
    return "".join(f"  {name:<{width}}  {members[name]}\n" for name in order)


def _members(prefix: str) -> dict[str, str]:
    """What commands there are whose path begins so, the rest of it; and what each is for. Of some we only know that it is real."""
    known = {command.path: command.about for command in COMMANDS} | dict.fromkeys(NOT_MODELLED - UNLISTED, NOT_YET)
    rest = {path.removeprefix(prefix): about for path, about in known.items() if path.startswith(prefix)}
    return {path: about for path, about in rest.items() if " " not in path}


def root_help() -> str:
    """Of ``docker`` itself."""
    members = _members("") | GROUPS
    management = sorted({*MANAGEMENT, *GROUPS} - SWARM_GROUPS)
    others = sorted(members.keys() - {*COMMON, *management, *SWARM_GROUPS})
    return (
        "Usage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n\n"
        f"Common Commands:\n{_listed(members, COMMON)}\n"
        f"Management Commands:\n{_listed(members, management)}\n"
        f"Swarm Commands:\n{_listed(members, sorted(SWARM_GROUPS))}\n"
        f"Commands:\n{_listed(members, others)}\n"
        f"Global Options:\n{FlagSet(GLOBAL_FLAGS, FLAG_TYPES).usages()}\n"
        "Run 'docker COMMAND --help' for more information on a command.\n"
    )


def group_help(group: str) -> str:
    members = _members(f"{group} ")
    return (
        f"Usage:  docker {group} COMMAND\n\n{GROUPS[group]}\n\nCommands:\n{_listed(members, sorted(members))}\n"
        f"Run 'docker {group} COMMAND --help' for more information on a command.\n"
    )
