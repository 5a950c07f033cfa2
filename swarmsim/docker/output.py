"""What docker's lists and ``inspect`` print (docker/cli formatter, inspect): tables, templates, JSON."""

from __future__ import annotations

from functools import cached_property
from operator import itemgetter
from typing import Any

from swarmsim.apitypes.base import ApiType, go_type
from swarmsim.docker.templates import FUNCTIONS, HEADER_FUNCTIONS, unescape
from swarmsim.go import reflect
from swarmsim.go.json import RawMessage, compact, indented, marshal
from swarmsim.go.reflect import Method
from swarmsim.go.tabwriter import align
from swarmsim.go.template import Template, TemplateError

MIN_WIDTH, PADDING = 10, 3  # of columns: tabwriter.NewWriter(out, 10, 1, 3, ' ', 0)
Json = dict[str, Any]


def _label(row: Json, name: str) -> str:
    """One label of a row, which has the map of all of them beside its fields."""
    return str((row["labels"] or {}).get(name, ""))


_HEADER = reflect.Type(
    "formatter.SubHeaderContext",
    "map",
    reflect.STRING,
    methods={
        "Label": Method(lambda _, name: name.rpartition(".")[2].translate(str.maketrans("-_", "  ")), ("string",))
    },
)


def ellipsis(text: str, most: int) -> str:
    """The text, or what of it fits into so many characters with an ellipsis at the end."""
    return text if len(text) <= most else text[: most - 1] + "…"


class Listing:
    """How one kind of thing is listed: the default table, and the headers of the fields its templates have.

    ``type_name`` is the type of its rows, structs with a method for each field. ``labels`` says whether labels can be
    asked for one by one; ``raw`` is what ``--format raw`` means, the first line of it with ``--quiet``.
    """

    def __init__(
        self,
        table: str,
        headers: dict[str, str],
        type_name: str,
        quiet: str = "ID",
        labels: bool = False,
        raw: str = "",
    ) -> None:
        self.table = table
        self.headers = headers
        self.quiet = quiet
        self._labels = labels
        self._type_name = type_name
        self._raw = raw

    @cached_property
    def type(self) -> reflect.Type:
        """What a template is given: methods alone, which are also all that ``json`` writes."""
        methods = {name: Method(itemgetter(name)) for name in self.headers}

        def marshalled(row: Json) -> RawMessage:
            return RawMessage(marshal({name: row[name] for name in sorted(self.headers)}))

        if self._labels:
            methods["Label"] = Method(_label, ("string",))
        return reflect.pointer_to(reflect.Type(self._type_name, "struct", methods=methods, marshal=marshalled))

    def render(self, rows: list[Any], format: str, quiet: bool) -> str:
        """Raises :class:`TemplateError`."""
        format = format or "table"
        table = format.startswith("table")
        source = format.removeprefix("table").strip(" ")
        if format == "table":
            source, table = (f"{{{{.{self.quiet}}}}}", False) if quiet else (self.table, True)
        elif format == "raw" and self._raw:
            source = self._raw.partition(r"\n")[0] if quiet else self._raw
        elif format == "json":
            source = "{{json .}}"
        template = Template(unescape(source), FUNCTIONS)
        lines = [template.execute(reflect.Value(self.type, row)) + "\n" for row in rows]
        if not table:
            return "".join(lines)
        return align("".join([self._first_line(source), *lines]), MIN_WIDTH, PADDING)

    def _first_line(self, source: str) -> str:
        """What the headers cannot do, they leave out."""
        try:
            template = Template(unescape(source), HEADER_FUNCTIONS)
            return template.execute(reflect.Value(_HEADER, self.headers)) + "\n"
        except TemplateError:
            return "\n"


class Inspection:
    """The output of an ``inspect`` command, put together from one thing after the other (inspect.Inspector).

    Without a template it is JSON: the daemon's own where ``raw``, else what the client's types make of it.
    """

    def __init__(self, format: str) -> None:
        """Raises :class:`TemplateError`."""
        self._format = format
        self._template = Template(format, FUNCTIONS) if format not in ("", "json") else None
        self._found: list[Any] = []
        self._text = ""
        self._escape = True

    def add(self, kind: type[ApiType], body: Json, raw: bool) -> None:
        """A template that the typed value cannot satisfy is run again over the daemon's JSON, where that was kept.

        Raises :class:`TemplateError`.
        """
        typed = reflect.make(go_type(kind), body)
        if self._template is None:
            self._found.append(body if raw else typed)
            self._escape = not raw
            return
        try:
            self._text += self._template.execute(typed) + "\n"
        except TemplateError:
            if not raw:
                raise
            self._text += self._template.execute(reflect.Value(reflect.ANYTHING, body), missing_key="error") + "\n"

    def text(self) -> str:
        """What to print in the end."""
        if self._template is not None:
            return self._text or "\n"
        if not self._found:
            return "[]\n"
        if self._format == "json":
            return (marshal(self._found) if self._escape else compact(self._found)) + "\n"
        return indented(self._found, escape=self._escape) + "\n"
