"""Reading traces: simulated ones, and the records of real clusters, which have no header.

>>> trace = Trace({}, [{"t": 1.0, "kind": "begin", "scenario": "x"}, {"t": 3.5, "kind": "end"}])
>>> trace.duration
2.5
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from swarmsim.trace.recorded import upgrade, upgraded
from swarmsim.trace.rows import FORMAT, Row

if TYPE_CHECKING:
    import pandas as pd

TRACE_FILES = (".jsonl", ".parquet", ".partial")
"""How names of traces end; the last is one whose run was cut off."""
LARGEST = 2 * 1024**3
"""Bytes of a trace that is read as lines: all rows are held in memory, at several times the size of the file."""


class TraceError(Exception):
    """A trace cannot be read or written; the message names the file, the line and what would be right."""


class Trace:
    """A run's rows in order. ``header`` is empty for a recorded real cluster."""

    def __init__(self, header: Row, rows: list[Row]) -> None:
        self.header = header
        self.rows = rows

    @cached_property
    def begin(self) -> float:
        """When the scenario proper began; before it the cluster is built. Rows never change, so it never goes stale."""
        return next((row["t"] for row in self.rows if row["kind"] == "begin"), self.rows[0]["t"] if self.rows else 0.0)

    @property
    def scenario(self) -> str:
        return str(
            next((row["scenario"] for row in self.rows if row["kind"] == "begin"), self.header.get("scenario", ""))
        )

    @property
    def duration(self) -> float:
        """Seconds from the beginning of the scenario to the last row."""
        return float(self.rows[-1]["t"] - self.begin) if self.rows else 0.0

    def of(self, kind: str) -> list[Row]:
        """The rows of one kind, since the scenario began."""
        return [row for row in self.rows if row["kind"] == kind and row["t"] >= self.begin]

    def frame(self, kind: str) -> pd.DataFrame:
        """The rows of one kind as a pandas data frame; ``t`` counts from the scenario's beginning."""
        import pandas as pd

        rows = [{**row, "t": round(row["t"] - self.begin, 6)} for row in self.rows if row["kind"] == kind]
        return pd.DataFrame(rows).drop(columns="kind", errors="ignore")

    @property
    def tasks(self) -> pd.DataFrame:
        """One row for every change of a task that was seen."""
        return self.frame("task")

    @property
    def nodes(self) -> pd.DataFrame:
        """One row for every change of a node that was seen."""
        return self.frame("node")

    @property
    def commands(self) -> pd.DataFrame:
        """One row for every docker command."""
        return self.frame("docker")

    def kinds(self) -> list[str]:
        """The kinds of rows in this trace, in order of appearance."""
        return list(dict.fromkeys(row["kind"] for row in self.rows))

    def to_parquet(self, path: Path | str) -> None:
        """All rows in one wide Parquet table (:mod:`swarmsim.trace.parquet`). Raises :class:`TraceError`."""
        from swarmsim.trace.parquet import write_table

        try:
            write_table([self.header, *self.rows] if self.header else self.rows, path)
        except OSError as problem:
            raise TraceError(f"{path}: cannot be written: {problem}") from None


def load_trace(path: Path | str) -> Trace:
    """Read a trace written by swarmsim (JSON Lines or Parquet) or a recorded one. Raises :class:`TraceError`."""
    path = Path(path)
    rows = _read_parquet(path) if path.suffix == ".parquet" else _read_lines(path)
    header: Row = {}
    if rows and rows[0]["kind"] == "header":
        header = rows.pop(0)
        if header.get("format") != FORMAT:
            raise TraceError(
                f"{path}:1: trace format {header.get('format')!r}; this swarmsim reads format {FORMAT}: "
                "run the scenario again, or read it with the version named in its header"
            )
    return Trace(header, [upgrade(row) for row in rows] if header else upgraded(rows))


def _read_lines(path: Path) -> list[Row]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise TraceError(
                f"{path}: {size / 1e9:.1f} GB; a trace is held in memory, so at most {LARGEST / 1e9:.1f} GB can be read: "
                f"take a part of it, such as head -n 1000000 {path.name} > part.jsonl"
            )
        lines = path.read_bytes().split(b"\n")
    except OSError as problem:
        raise TraceError(f"{path}: cannot be read: {problem.strerror}") from None
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    rows: list[Row] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except msgspec.DecodeError as problem:
            cut = number == len(lines)
            reason = "the trace is cut off here" if cut else f"not a JSON object ({problem})"
            if number == 1 and path.suffix in (".yaml", ".yml"):
                hint = f"is it a scenario? swarmsim run {path} makes a trace of it"
                raise TraceError(f"{path}:1: not a JSON object; {hint}") from None
            raise TraceError(f"{path}:{number}: {reason}; each line must be one JSON object") from None
        except UnicodeDecodeError:
            raise TraceError(f"{path}:{number}: not UTF-8 text; a trace is JSON Lines") from None
        if not isinstance(row.get("kind"), str) or not isinstance(row.get("t"), int | float):
            raise TraceError(f"{path}:{number}: a row needs a number 't' and a text 'kind'")
        rows.append(row)
    if not rows:
        raise TraceError(f"{path}: empty; a trace has at least one row")
    return rows


def _read_parquet(path: Path) -> list[Row]:
    import pyarrow as pa

    from swarmsim.trace.parquet import read_table

    try:
        return read_table(path)
    except (OSError, pa.ArrowException, KeyError) as problem:
        raise TraceError(f"{path}: not a trace in Parquet: {str(problem).splitlines()[0]}") from None
