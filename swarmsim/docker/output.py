"""Docker's tables, templates and help (docker/cli formatter, cobra's usage)."""

from __future__ import annotations

from typing import Any, NamedTuple

from swarmsim.docker.templates import FUNCTIONS, HEADER_FUNCTIONS, unescape
from swarmsim.go.json import compact, indented
from swarmsim.go.tabwriter import align
from swarmsim.go.template import Template

MIN_WIDTH, PADDING = 10, 3  # of columns: tabwriter.NewWriter(out, 10, 1, 3, ' ', 0)


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
            return "".join(compact({field: row[field] for field in self.json_fields}) + "\n" for row in rows)
        if format.startswith("table"):
            source = format.removeprefix("table").strip(" ") or self.table
            headers = Template(unescape(source), HEADER_FUNCTIONS, self.type_name).execute(self.headers)
            template = Template(unescape(source), FUNCTIONS, self.type_name)
            lines = [headers, *map(template.execute, rows)]
            return align("".join(f"{line}\n" for line in lines), MIN_WIDTH, PADDING)
        template = Template(unescape(format), FUNCTIONS, self.type_name)
        return "".join(template.execute(row) + "\n" for row in rows)


def render_inspected(values: list[Any], format: str, type_name: str) -> str:
    """The output of an ``inspect`` command. Raises :class:`TemplateError`."""
    if not format:
        return indented(values) + "\n" if values else "[]\n"
    if format == "json":
        return compact(values) + "\n"
    template = Template(format, FUNCTIONS, type_name)
    return "".join(template.execute(value) + "\n" for value in values)
