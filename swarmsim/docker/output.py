"""Docker's tables, templates and help (docker/cli formatter, cobra's usage)."""

from __future__ import annotations

import json
import textwrap
from typing import Any, NamedTuple

from swarmsim.docker.gotemplate import Template, to_json
from swarmsim.docker.grammar import COMMANDS, GROUPS, Command
from swarmsim.docker.values import SHOWN_AS

CELL_WIDTH, CELL_PADDING = 10, 3  # tabwriter.NewWriter(out, 10, 1, 3, ' ', 0)


def tabulate(lines: list[list[str]]) -> str:
    """Go's text/tabwriter over rows of cells; the last cell of a row is not padded."""
    widths: list[int] = []
    for row in lines:
        for column, cell in enumerate(row[:-1]):
            if column == len(widths):
                widths.append(0)
            widths[column] = max(widths[column], len(cell) + CELL_PADDING, CELL_WIDTH)
    return "".join(
        "".join(f"{cell:<{widths[column]}}" for column, cell in enumerate(row[:-1])) + row[-1] + "\n" for row in lines
    )


class Listing(NamedTuple):
    """How one kind of thing is listed: the default table, headers by field, the fields ``json`` shows."""

    table: str
    headers: dict[str, str]
    quiet: str
    type_name: str
    json_fields: tuple[str, ...]

    def render(self, rows: list[dict[str, Any]], format: str, quiet: bool) -> str:
        """Raises :class:`TemplateError`."""
        format = format or "table"
        if quiet and format == "table":
            return "".join(f"{row[self.quiet]}\n" for row in rows)
        if format == "json":
            return "".join(to_json({field: row[field] for field in self.json_fields}) + "\n" for row in rows)
        if format.startswith("table"):
            source = format.removeprefix("table").strip() or self.table
            template = Template(unescape(source), self.type_name)
            headers = template.execute(self.headers)
            return tabulate([line.split("\t") for line in [headers, *map(template.execute, rows)]])
        template = Template(unescape(format), self.type_name)
        return "".join(template.execute(row) + "\n" for row in rows)


def unescape(format: str) -> str:
    """``\\t`` and ``\\n`` as people type them on a command line."""
    return format.replace(r"\t", "\t").replace(r"\n", "\n")


def indented(value: Any) -> str:
    """JSON as ``docker inspect`` prints it: four spaces, ``{}`` and ``[]`` closed at once."""
    return json.dumps(value, indent=4, ensure_ascii=False)


def render_inspected(values: list[Any], format: str, type_name: str) -> str:
    """The output of an ``inspect`` command. Raises :class:`TemplateError`."""
    if not format:
        return indented(values) + "\n" if values else "[]\n"
    if format == "json":
        return to_json(values) + "\n"
    template = Template(unescape(format), type_name)
    return "".join(template.execute(value) + "\n" for value in values)


# -- help


def flag_usages(command: Command) -> str:
    """The options of a command, as pflag lays them out in 80 columns."""
    lines = []
    for flag in sorted(command.flags, key=lambda flag: flag.name):
        short = f"-{flag.short}, " if flag.short else "    "
        kind = "" if flag.type == "bool" else f" {SHOWN_AS.get(flag.type, flag.type)}"
        about = flag.about + (f" (default {flag.default})" if flag.default and flag.default not in ("0", "0s") else "")
        lines.append((f"  {short}--{flag.name}{kind}", about))
    if not lines:
        return ""
    indent = max(len(left) for left, _ in lines) + 3
    out = ""
    for left, about in lines:
        wrapped = textwrap.wrap(about, max(80 - indent, 24), break_long_words=False) or [""]
        out += f"{left:<{indent}}" + ("\n" + " " * indent).join(wrapped) + "\n"
    return out


def command_help(command: Command) -> str:
    options = flag_usages(command)
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
