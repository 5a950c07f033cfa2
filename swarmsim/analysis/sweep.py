"""Sweeps: one scenario with other values at some paths, each with many seeds; a table with one row for every run.

The grid decides what is run, and the order of the table; who runs it (the cores of this machine, the workers of a Dask
cluster), in which order the runs end, and whether it was interrupted on the way changes nothing in the result.

While a sweep runs, each finished run is a line in ``RESULTS.part``; the table is written in one piece at the end, from
these lines. Both carry the sweep's digest, so runs of another sweep are never mixed in. Asking for more seeds, or for
fewer, is the same sweep: finished runs are not run again, and none is dropped.

====================  ============================================================================================
column                a run's
====================  ============================================================================================
a path                value there, as the scenario has it
``seed``              seed
``unmet``             number of expectations that did not hold
``simulated``         seconds from the scenario's beginning to its end
``no quorum: share``  and all other figures of availability (:meth:`Availability.figures`)
a milestone           mean in seconds, where it was reached
====================  ============================================================================================
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import json
import os
import statistics
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from swarmsim.analysis.ensemble import RunResult, run_one
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, parse_scenario
from swarmsim.version import VERSION

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Row = dict[str, Any]
Key = tuple[int, int]
"""A run: the number of its point in the grid, and its seed."""
MOST_RUNS = 1_000_000
CONNECT_WITHIN = 10.0
"""Seconds to wait for a Dask scheduler."""
METADATA = b"swarmsim.sweep"


class SweepError(Exception):
    """A sweep cannot be run, or its results not be kept; the message says what would be right."""


class Setting(NamedTuple):
    """A path in a scenario and the values to try there."""

    path: str
    values: list[Any]


class Sweep(NamedTuple):
    """``points`` are the grid's, in order: what is changed, and the scenario that makes."""

    settings: list[Setting]
    points: list[tuple[Mapping[str, Any], LoadedScenario]]
    digest: str


def parse_setting(text: str) -> Setting:
    """A setting as it is typed; the values are YAML. Raises :class:`SweepError`.

    >>> parse_setting("faults.every={exponential: 10d},{fixed: 30d}").values
    [{'exponential': '10d'}, {'fixed': '30d'}]
    """
    path, equals, values = text.partition("=")
    example = "write --set cluster.managers=1,3,5"
    if not equals or not path.strip(".") or not values.strip():
        raise SweepError(f"--set {text}: {example}")
    try:
        found = YAML(typ="safe", pure=True).load(StringIO(f"[{values}]"))
    except (YAMLError, ValueError):
        raise SweepError(f"--set {text}: the values are not YAML; {example}") from None
    repeated = [value for number, value in enumerate(found) if value in found[:number]]
    if repeated:
        raise SweepError(f"--set {text}: {repeated[0]!r} is there twice")
    return Setting(path, found)


def parse_changes(texts: list[str]) -> dict[str, Any]:
    """Settings of a single run as they are typed, each with the one value to put there. Raises :class:`SweepError`.

    >>> parse_changes(["cluster.managers=5", "faults=[]"])
    {'cluster.managers': 5, 'faults': []}
    """
    changes: dict[str, Any] = {}
    for text in texts:
        path, values = parse_setting(text)
        if len(values) != 1:
            raise SweepError(f"--set {text}: a run has one value there; swarmsim sweep tries several")
        if path in changes:
            raise SweepError(f"--set {text}: {path} is given twice")
        changes[path] = values[0]
    return changes


def plan(text: str, source: str, settings: list[Setting]) -> Sweep:
    """Every point of the grid, checked before anything is run.

    Raises :class:`SweepError` for settings that contradict each other and :class:`ScenarioError` for values the
    scenario cannot have.
    """
    if not settings:
        raise SweepError("nothing to sweep over: give --set, such as --set cluster.managers=1,3,5")
    paths = [setting.path for setting in settings]
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise SweepError(f"--set {twice[0]}: given twice; list all its values in one")
    size = 1
    for setting in settings:
        size *= len(setting.values)
    if size > MOST_RUNS:
        raise SweepError(f"a grid of {size:,} points: at most {MOST_RUNS:,} are possible")
    points: list[tuple[Mapping[str, Any], LoadedScenario]] = []
    for values in itertools.product(*(setting.values for setting in settings)):
        changes = dict(zip(paths, values, strict=True))
        try:
            points.append((changes, parse_scenario(text, source, changes)))
        except ScenarioError as problem:
            tried = ", ".join(f"{path}={_cell(value)}" for path, value in changes.items())
            raise SweepError(f"{problem} (with {tried})") from None
    told = json.dumps([VERSION, text, [list(setting) for setting in settings]])
    return Sweep(settings, points, hashlib.sha256(told.encode()).hexdigest()[:16])


def _cell(value: Any) -> Any:
    """A value as it stands in the table: numbers and texts as they are, anything else as JSON."""
    return value if isinstance(value, int | float | str) else json.dumps(value)


def row_of(changes: Mapping[str, Any], run: RunResult) -> Row:
    """A run as a row of the table."""
    row = {path: _cell(value) for path, value in changes.items()}
    row |= {"seed": run.seed, "unmet": len(run.failures), "simulated": run.simulated}
    row |= run.availability.figures()
    return row | {name: statistics.fmean(values) for name, values in run.milestones.items() if values}


class Cores:
    """Runs on the cores of this machine."""

    def run(self, sweep: Sweep, keys: list[Key]) -> Iterator[tuple[Key, Row]]:
        """The row of every run, as they end."""
        from joblib import Parallel, delayed

        work = (delayed(_run)(key, *sweep.points[key[0]]) for key in keys)
        yield from Parallel(n_jobs=-1, return_as="generator_unordered")(work)


class DaskCluster:
    """Runs on the workers of a Dask cluster that is there already, by its address or its scheduler file.

    A run whose worker dies is run by another (Dask's ``allowed-failures`` says how often). Raises :class:`SweepError`.
    """

    def __init__(self, where: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise SweepError("--cluster needs Dask: pip install 'docker-swarmsim[cluster]'") from None
        place: dict[str, str] = {"scheduler_file": where} if where.endswith(".json") else {"address": where}
        if where.endswith(".json") and not Path(where).is_file():
            raise SweepError(f"--cluster {where}: no such scheduler file")
        try:
            self._client = Client(**place, timeout=CONNECT_WITHIN, set_as_default=False)
        except (OSError, ValueError, TypeError, KeyError) as problem:
            reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            raise SweepError(f"--cluster {where}: no Dask scheduler answers there: {reason}") from None
        if not self._client.scheduler_info()["workers"]:
            self._client.close()
            raise SweepError(f"--cluster {where}: the scheduler has no workers; start some with dask worker")

    def run(self, sweep: Sweep, keys: list[Key]) -> Iterator[tuple[Key, Row]]:
        """The row of every run, as they end."""
        from distributed import CancelledError, as_completed
        from distributed.scheduler import KilledWorker

        try:
            futures = [self._client.submit(_run, key, *sweep.points[key[0]], pure=False) for key in keys]
            for _, done in as_completed(futures, loop=self._client.loop, with_results=True):
                yield done
        except KilledWorker as problem:
            raise SweepError(f"--cluster: the workers of one run died again and again: {problem}") from None
        except (CancelledError, OSError) as problem:
            raise SweepError(f"--cluster: the scheduler is gone: {type(problem).__name__}") from None
        except ImportError as problem:
            raise SweepError(f"--cluster: a worker lacks {problem.name}; install swarmsim {VERSION} there") from None
        finally:
            self._client.close()


def _run(key: Key, changes: Mapping[str, Any], loaded: LoadedScenario) -> tuple[Key, Row]:
    return key, row_of(changes, run_one(loaded, key[1]))


class Results:
    """The finished runs of a sweep, in a file that grows and in the table at the end.

    Raises :class:`SweepError` if either is of another sweep or cannot be read or written.
    """

    def __init__(self, path: Path, sweep: Sweep) -> None:
        if path.suffix != ".parquet":
            raise SweepError(f"--out {path}: results are Parquet; name a file that ends in .parquet")
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self.sweep = sweep
        self.rows: dict[Key, Row] = {}
        if path.exists():
            self._read_table()
        try:
            self._file = self.part.open("a+b", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SweepError(f"--out {path}: another swarmsim is writing it") from None
        except OSError as problem:
            raise SweepError(f"--out {path}: cannot be written: {_why(problem)}") from None
        kept = self._read_part()
        try:
            self._file.truncate(kept)
            if not kept:
                self._write({"sweep": sweep.digest})
        except OSError as problem:
            raise SweepError(f"--out {path}: cannot be written: {_why(problem)}") from None

    def add(self, key: Key, row: Row) -> None:
        """Keep a finished run."""
        try:
            self._write({"point": key[0], "row": row})
        except OSError as problem:
            raise SweepError(f"{self.part}: cannot be written: {_why(problem)}") from None
        self.rows[key] = row

    def _write(self, line: Row) -> None:
        text = json.dumps(line).encode() + b"\n"
        written = self._file.write(text)
        if written is not None and written < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write_table(self) -> None:
        """All rows in the order of the grid; then the file that grew is no longer needed."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        ordered = [self.rows[key] for key in sorted(self.rows)]
        first = [*(setting.path for setting in self.sweep.settings), "seed", "unmet", "simulated"]
        names = [*first, *sorted({name for row in ordered for name in row} - set(first))]
        table = pa.table({name: _column([row.get(name) for row in ordered]) for name in names})
        told = {"digest": self.sweep.digest, "parameters": [setting.path for setting in self.sweep.settings]}
        points = [key[0] for key in sorted(self.rows)]
        table = table.replace_schema_metadata({METADATA: json.dumps({**told, "points": points})})
        new = self.path.with_name(self.path.name + ".new")
        try:
            pq.write_table(table, new, compression="zstd")
            new.replace(self.path)
            self._file.close()
            self.part.unlink()
        except OSError as problem:
            new.unlink(missing_ok=True)
            raise SweepError(f"{self.path}: cannot be written: {_why(problem)}; all runs are in {self.part}") from None

    def _read_table(self) -> None:
        table, told = _read(self.path)
        if told["digest"] != self.sweep.digest:
            raise self._another(self.path)
        for point, row in zip(told["points"], table.to_pylist(), strict=True):
            self.rows[point, row["seed"]] = {name: value for name, value in row.items() if value is not None}

    def _read_part(self) -> int:
        """Read the runs finished so far; how many bytes are whole lines."""
        self._file.seek(0)
        data = self._file.readall()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            lines = [msgspec.json.decode(line, type=Row) for line in whole.splitlines()]
            if lines and lines[0]["sweep"] != self.sweep.digest:
                raise self._another(self.part)
            for line in lines[1:]:
                self.rows[line["point"], line["row"]["seed"]] = line["row"]
        except (msgspec.DecodeError, KeyError) as problem:
            raise SweepError(f"{self.part}: not the runs of a sweep ({problem}); move it away") from None
        return len(whole)

    def _another(self, path: Path) -> SweepError:
        return SweepError(
            f"{path}: has the results of another sweep (another scenario text, other --set values or another version); "
            "name another file with --out, or move it away"
        )

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _why(problem: OSError) -> str:
    return "the disk is full" if problem.errno == errno.ENOSPC else problem.strerror or str(problem)


def _column(values: list[Any]) -> list[Any]:
    """Values of one type: Parquet knows no columns of numbers and texts."""
    if any(isinstance(value, str) for value in values):
        return [value if value is None else str(value) for value in values]
    if any(isinstance(value, float) for value in values):
        return [value if value is None else float(value) for value in values]
    return values


def run_sweep(sweep: Sweep, seeds: range, results: Results, place: Cores | DaskCluster) -> Iterator[int]:
    """RunResult what is not yet in the results, then write the table; yields how many of the runs are finished.

    Stopped on the way (an exception, Ctrl-C), the runs so far stay in the file that grows.
    """
    keys = [(point, seed) for point in range(len(sweep.points)) for seed in seeds]
    missing = [key for key in keys if key not in results.rows]
    yield (done := len(keys) - len(missing))
    if missing:
        for key, row in place.run(sweep, missing):
            results.add(key, row)
            yield (done := done + 1)
    results.write_table()


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        told = json.loads((table.schema.metadata or {})[METADATA])
    except KeyError:
        raise SweepError(f"{path}: is no table of a sweep's results") from None
    except (OSError, ValueError, pa.ArrowException) as problem:
        raise SweepError(f"{path}: cannot be read: {str(problem).splitlines()[0]}") from None
    return table, told


def load_results(path: Path | str) -> pd.DataFrame:
    """A sweep's table; ``frame.attrs["parameters"]`` are the paths it went over. Raises :class:`SweepError`."""
    table, told = _read(Path(path))
    frame: pd.DataFrame = table.to_pandas()
    frame.attrs["parameters"] = told["parameters"]
    return frame
