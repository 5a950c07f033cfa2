"""What ``--help`` prints (cobra's usage)."""

from __future__ import annotations

from swarmsim.docker.grammar import COMMANDS, GROUPS, Command, known_to_daemons
from swarmsim.docker.values import FLAG_TYPES
from swarmsim.go.pflag import FlagSet


def command_help(command: Command) -> str:
    options = FlagSet(filter(known_to_daemons, command.flags), FLAG_TYPES).usages()
    return f"Usage:  {command.use_line}\n\n{command.about}\n" + (f"\nOptions:\n{options}" if options else "")


def group_help(group: str) -> str:
    members = sorted(
        (command.path.split()[1], command.about) for command in COMMANDS if command.path.startswith(f"{group} ")
    )
    width = max(len(name) for name, _ in members)
    listing = "".join(f"  {name:<{width}}  {about}\n" for name, about in members)
    return (
        f"Usage:  docker {group} COMMAND\n\n{GROUPS[group]}\n\nCommands:\n{listing}\n"
        f"Run 'docker {group} COMMAND --help' for more information on a command.\n"
    )
