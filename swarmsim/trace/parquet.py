"""Traces as one wide Parquet table, for pandas, DuckDB and the like: a column for every field, empty where a kind has no such field.

==========  ================================================================================================================
column      what it has
==========  ================================================================================================================
``t``       seconds since the run began
``kind``    the kind of row
a field     its value: a number, a text, a truth value or a list of texts; what is none of these (or, in different kinds,
            different things) is JSON text, and the column's metadata say ``json``
``nulls``   names of the fields that are there and have no value, which an empty cell alone cannot tell from absent ones
==========  ================================================================================================================
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from swarmsim.trace.rows import Row

JSON = {b"json": b"true"}


def write_table(rows: list[Row], path: Path | str) -> None:
    """Write rows in their order. Raises :class:`OSError`."""
    by_kind: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_kind.setdefault(row["kind"], []).append(number)
    types: dict[str, pa.DataType | None] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None and name not in ("t", "kind"):
                found = _type_of(value)
                types[name] = found if name not in types else _common(types[name], found)
    schema = pa.schema(
        [
            pa.field("t", pa.float64()),
            pa.field("kind", pa.string()),
            *(
                pa.field(name, pa.string(), metadata=JSON) if type is None else pa.field(name, type)
                for name, type in types.items()
            ),
            pa.field("nulls", pa.list_(pa.string())),
        ]
    )
    # Kind by kind, so that no list is longer than the rows that have the field.
    parts = [_part([rows[number] for number in numbers], schema, types) for numbers in by_kind.values()]
    table = pa.concat_tables(parts, promote_options="default").select(schema.names)
    order = [number for numbers in by_kind.values() for number in numbers]
    places = pa.array(sorted(range(len(order)), key=order.__getitem__), pa.int64())
    pq.write_table(table.take(places).cast(schema), path, compression="zstd")


def _part(rows: list[Row], schema: pa.Schema, types: dict[str, pa.DataType | None]) -> pa.Table:
    """Rows of one kind, with the columns they have."""
    columns: dict[str, pa.Array] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if name in types and types[name] is None:
            values = [None if value is None else msgspec.json.encode(value).decode() for value in values]
        if name in schema.names:
            columns[name] = pa.array(values, schema.field(name).type)
    nulls = [[name for name, value in row.items() if value is None] for row in rows]
    columns["nulls"] = pa.array([names or None for names in nulls], pa.list_(pa.string()))
    return pa.table(columns)


def _type_of(value: Any) -> pa.DataType | None:
    """The type of a column for such values; ``None``: JSON."""
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.int64()
    if isinstance(value, float):
        return pa.float64()
    if isinstance(value, str):
        return pa.string()
    texts = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return pa.list_(pa.string()) if texts else None


def _common(one: pa.DataType | None, other: pa.DataType | None) -> pa.DataType | None:
    if one == other:
        return one
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else None


def read_table(path: Path | str) -> list[Row]:
    """The rows of such a table. Raises :class:`OSError`, :class:`pyarrow.ArrowException`, :class:`KeyError` if it is none."""
    table = pq.read_table(path)
    json = {field.name for field in table.schema if (field.metadata or {}).get(b"json") == b"true"}
    table.select(["t", "kind", "nulls"])  # KeyError, if it is another table
    decode = msgspec.json.decode
    rows: list[Row] = []
    for batch in table.to_batches(max_chunksize=10_000):
        for cells in batch.to_pylist():
            nulls = cells.pop("nulls") or ()
            row = {name: decode(value) if name in json else value for name, value in cells.items() if value is not None}
            rows.append({**row, **dict.fromkeys(nulls)})
    return rows
