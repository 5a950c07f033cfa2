"""Writing a trace: line by line beside its place, moved there when whole.

An existing file is never half overwritten: rows go to ``<name>.partial`` and the file is renamed at the
end. If the run is interrupted what there is is kept and readable. What is no regular file (a pipe, a device) cannot
be replaced by one: it is written to directly.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from swarmsim.trace.reader import TraceError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises :class:`TraceError`."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as problem:
        raise TraceError(f"{path}: cannot be written: {problem.strerror}") from None


def write_trace(path: Path, header: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
    """Write a trace of which all rows are there. Raises :class:`TraceError`."""
    with TraceWriter(path, header) as writer:
        for row in rows:
            writer.write(row)


class TraceWriter:
    """A context manager; :meth:`write` takes one row. Raises :class:`TraceError` if it cannot write."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        special = path.exists() and not path.is_file()
        self._partial = path if special else path.with_name(path.name + ".partial")
        self._encoder = msgspec.json.Encoder()
        try:
            self._file: IO[bytes] = self._partial.open("wb")
        except OSError as problem:
            raise TraceError(f"{path}: cannot be written: {problem.strerror}") from None
        self.write(header)

    def write(self, row: dict[str, Any]) -> None:
        try:
            self._file.write(self._encoder.encode(row) + b"\n")
        except OSError as problem:
            raise TraceError(f"{self.path}: cannot be written: {problem.strerror}") from None

    def close(self) -> None:
        """Put the trace in its place, complete or not."""
        if self._file.closed:
            return
        try:
            self._file.close()
            if self._partial != self.path:
                os.replace(self._partial, self.path)
        except OSError as problem:
            raise TraceError(f"{self.path}: cannot be written: {problem.strerror}") from None

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
