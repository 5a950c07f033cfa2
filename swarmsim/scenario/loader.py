"""Reading scenario files: YAML with places, so that every complaint names file, line and column.

Shipped scenarios are found by name. A file is read whole or not at all; nothing in it can make the loader
raise anything but :class:`ScenarioError`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import ValidationError

from swarmsim.profile import FILES as PROFILE_FILES
from swarmsim.scenario.exercise_rules import complaints
from swarmsim.scenario.images import ImageEntry
from swarmsim.scenario.names import misnamed
from swarmsim.scenario.parts import SUBJECTS, Strict
from swarmsim.scenario.schema import (
    STEPS,
    BackupStep,
    ClusterLayout,
    ExpectStep,
    FaultStep,
    RestoreStep,
    Scenario,
    SleepStep,
    WaitStep,
)
from swarmsim.scenario.traffic import CurlStep, TrafficStep
from swarmsim.world import Capability
from swarmsim.yamldoc import Document, DocumentError, KeyPath

MAX_BYTES = 1_000_000
LONG = 3600.0
"""Seconds of a scenario that nobody waits for in a world whose time is the wall's."""
M = TypeVar("M", bound=Strict)


class ScenarioError(Exception):
    """A scenario cannot be used; a line for each mistake: ``file:line:column: what is wrong and what would be right``."""


class Need(NamedTuple):
    """What a scenario asks of the world it is run on, and where: a fault verb, or what not every world can do."""

    what: str | Capability
    place: str


class LoadedScenario(NamedTuple):
    """A scenario with the digest of its text (and of what was changed in it), for the trace's header."""

    scenario: Scenario
    digest: str
    source: str
    needs: tuple[Need, ...] = ()
    changed: bool = False
    """Whether anything in it is not as its text has it."""


def shipped_scenarios() -> dict[str, str]:
    """Names of the scenarios that come with swarmsim and their texts, sorted by name."""
    return _shipped("scenarios")


def shipped_exercises() -> dict[str, str]:
    """The same of exercises."""
    return _shipped("exercises")


def _shipped(what: str) -> dict[str, str]:
    folder = resources.files("swarmsim") / what
    if not folder.is_dir():
        folder = resources.files("swarmsim") / ".." / what  # a checkout
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }


def load_scenario(where: str | Path) -> LoadedScenario:
    """A scenario by path, or by the name of a shipped one. Raises :class:`ScenarioError`."""
    return parse_scenario(*read_scenario(where))


def read_scenario(where: str | Path) -> tuple[str, str]:
    """The text of a scenario and where it is from, as for :func:`load_scenario`. Raises :class:`ScenarioError`."""
    path = Path(where)
    if not path.exists() and "/" not in str(where) and not str(where).endswith((".yaml", ".yml")):
        shipped = shipped_scenarios() | shipped_exercises()
        if str(where) not in shipped:
            close = get_close_matches(str(where), shipped, 1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise ScenarioError(
                f"{where}: no such file, and no shipped scenario of that name{meant or '; swarmsim list shows them'}"
            )
        return shipped[str(where)], str(where)
    return _read_text(path), str(path)


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError(f"{path}: larger than {MAX_BYTES:,} bytes; a scenario is a few kilobytes")
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise ScenarioError(f"{path}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise ScenarioError(f"{path}: not UTF-8 text (byte {problem.start}); save the file as UTF-8") from None


Changes = Mapping[str, Any]
"""Values to put into a scenario, by dotted path: ``cluster.managers``, ``faults.0.every``."""


def parse_scenario(text: str, source: str, changes: Changes = MappingProxyType({})) -> LoadedScenario:
    """Check the text of a scenario, with other values at some paths. Raises :class:`ScenarioError`."""
    form = _Form(text, source)
    for path, value in changes.items():
        form.change(path, value)
    data = form.data
    if not isinstance(data, dict):
        raise ScenarioError(f"{source}:1:1: a scenario is a mapping with name, cluster, steps and expect")
    steps, expectations = form.list_of("steps"), form.list_of("expect")
    scenario = form.body()
    checked = [form.step(number, step) for number, step in enumerate(steps)]
    finals = [form.final(number, entry) for number, entry in enumerate(expectations)]
    form.refuse()
    scenario.steps, scenario.expect = checked, [final for final in finals if final is not None]
    own_profiles = _with_profile_files(scenario.cluster, source)
    for key, message in (*misnamed(scenario), *complaints(scenario)):
        form.complain(key, message)
    form.refuse()
    scenario.images, read = _with_image_files(scenario, source)
    changed = json.dumps(dict(changes), sort_keys=True) if changes else ""
    digest = hashlib.sha256((text + changed + read + own_profiles).encode()).hexdigest()[:16]
    return LoadedScenario(scenario, digest, source, tuple(_needs(scenario, form)), bool(changes))


def beside(source: str) -> Path:
    """The folder in which files stand that a scenario names: its own, of a shipped one where one is."""
    return Path(source).parent if Path(source).is_file() else Path.cwd()


def _with_profile_files(cluster: ClusterLayout, source: str) -> str:
    """Have files of profiles named by paths that lead to them, from the scenario's folder or else from where one is; their texts."""
    read = ""

    def found(name: str) -> str:
        nonlocal read
        path = beside(source) / name
        path = path if path.exists() or not Path(name).exists() else Path(name)
        with contextlib.suppress(OSError, UnicodeDecodeError):  # told with its place in the scenario
            read += path.read_text(encoding="utf-8")
        return str(path)

    if cluster.profile.endswith(PROFILE_FILES):
        cluster.profile = found(cluster.profile)
    for settings in cluster.hosts.values():
        if settings.profile is not None and settings.profile.endswith(PROFILE_FILES):
            settings.profile = found(settings.profile)
    return read


def _with_image_files(scenario: Scenario, source: str) -> tuple[list[ImageEntry], str]:
    """The entries of ``images:`` with those of files in their place, and the texts of these. Raises :class:`ScenarioError`."""
    found: list[ImageEntry] = []
    read = ""
    for entry in scenario.images:
        if entry.file is None:
            found.append(entry)
            continue
        text = scenario.files.get(entry.file)
        path = entry.file if text is not None else str(beside(source) / entry.file)
        form = _Form(_read_text(Path(path)) if text is None else text, path)
        if not isinstance(form.data, list):
            raise ScenarioError(
                f"{path}:1:1: a file of images is a list of entries with a name and what is so about it"
            )
        found += form.images()
        read += form.text
    return found, read


def _meant(root: str, place: KeyPath) -> str:
    """The key that was perhaps meant at a place in the model of that name, or which there are."""
    keys = _keys_at([model for model in Strict.__subclasses__() if model.__name__ == root], place[:-1])
    close = get_close_matches(str(place[-1]), keys, 1, cutoff=0.7)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(keys)}" if keys else ""


def _keys_at(models: list[type[Strict]], place: KeyPath) -> list[str]:
    """All keys that these models may have there. What is no field of theirs (a number, a name of a host) leads no further down."""
    for part in place:
        fields = [
            field for model in models for name, field in model.model_fields.items() if part in (name, field.alias)
        ]
        models = [inner for field in fields for inner in _models_in(field.annotation)] or models
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def _models_in(annotation: Any) -> list[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


class _Form:
    """A scenario as plain values, to be changed and checked; every complaint has its place."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.text = text
        self._complaints: list[tuple[int, int, str]] = []
        try:
            self._document = Document(text, text_keys=True)
        except DocumentError as problem:
            raise ScenarioError(
                f"{source}:{problem.place.line}:{problem.place.column}: not YAML: {problem.problem}"
            ) from None
        self.data = self._document.data

    def change(self, path: str, value: Any) -> None:
        """Put a value where the path leads. What it leads through may be new; whether it may be there, the form says."""
        *parents, last = path.split(".")
        place, walked = self.data, "the scenario"
        for part in parents:
            if isinstance(place, dict):
                place = place.setdefault(part, {})
            else:
                place = place[self._index(place, part, path, walked)]
            walked = part
        if isinstance(place, dict):
            place[last] = value
        else:
            place[self._index(place, last, path, walked)] = value

    def _index(self, place: Any, part: str, path: str, walked: str) -> int:
        if isinstance(place, list) and part.isdecimal() and int(part) < len(place):
            return int(part)
        entries = f"its entries are 0 to {len(place) - 1}" if isinstance(place, list) else "it is a single value"
        raise ScenarioError(f"{self.source}: no {path!r} to set: {walked} has no {part!r}; {entries}")

    def place(self, path: KeyPath) -> str:
        line, column = self._document.place(path)
        return f"{self.source}:{line}:{column}"

    # -- complaints

    def complain(self, path: KeyPath, message: str) -> None:
        """One more mistake; :meth:`refuse` tells them all."""
        line, column = self._document.place(path)
        complaint = (line, column, message)
        if complaint not in self._complaints:
            self._complaints.append(complaint)

    def refuse(self) -> None:
        """Raises :class:`ScenarioError` with all mistakes so far, in the order of the file, if there are any."""
        if self._complaints:
            told = sorted(self._complaints, key=lambda complaint: complaint[:2])
            raise ScenarioError("\n".join(f"{self.source}:{line}:{column}: {what}" for line, column, what in told))

    def _invalid(self, problem: ValidationError, prefix: KeyPath) -> None:
        """What pydantic found wrong, each place once."""
        found: dict[KeyPath, Any] = {}
        for error in problem.errors(include_url=False):
            where = error["loc"][: 2 if len(error["loc"]) > 1 and isinstance(error["loc"][1], int) else 1]
            # Of a value that may be several things the complaint that got furthest is the one that helps.
            if where not in found or len(error["loc"]) > len(found[where]["loc"]):
                found[where] = error
        for error in found.values():
            parts = [part for part in error["loc"] if not _is_type(part)]
            message = str(error["msg"]).removeprefix("Value error, ")
            kind = error["type"]
            field = ".".join(map(str, parts))
            if kind == "extra_forbidden":
                message = f"unknown key {error['loc'][-1]!r}{_meant(problem.title, error['loc'])}"
            elif kind == "missing":
                message = f"{error['loc'][-1]!r} is missing"
            elif kind != "value_error" and field:
                message = f"{field}: {message[0].lower()}{message[1:]}, not {error['input']!r}"[:300]
            self.complain((*prefix, *parts), message)

    # -- parts

    def list_of(self, key: str) -> list[Any]:
        value = self.data.get(key) or []
        if not isinstance(value, list):
            self.complain((key,), f"{key} is a list")
            return []
        return value

    def body(self) -> Scenario:
        """All but steps and expectations; what is wrong is complained of, and the scenario then an empty one."""
        body = {key: value for key, value in self.data.items() if key not in ("steps", "expect")}
        found = self._validated(Scenario, body, ())
        return found if found is not None else Scenario(name="wrong")

    def step(self, number: int, step: Any) -> Any:
        path: KeyPath = ("steps", number)
        if not isinstance(step, dict):
            self.complain(path, f"a step is a mapping with one of {', '.join(STEPS)}")
            return None
        kinds = [key for key in STEPS if key in step]
        if len(kinds) != 1:
            close = [match for key in step if not kinds for match in get_close_matches(str(key), STEPS, 1)]
            meant = f"; did you mean {close[0]!r}?" if close else ""
            self.complain(path, f"a step has exactly one of {', '.join(STEPS)}{meant}")
            return None
        return self._validated(STEPS[kinds[0]], step, path)

    def images(self) -> list[ImageEntry]:
        """All of a file of images. Raises :class:`ScenarioError`."""
        entries = [self._validated(ImageEntry, entry, (number,)) for number, entry in enumerate(self.data)]
        for number, entry in enumerate(entries):
            if entry is not None and entry.file is not None:
                self.complain((number, "file"), "a file of images names no other file")
        self.refuse()
        return [entry for entry in entries if entry is not None]

    def final(self, number: int, entry: Any) -> ExpectStep | None:
        if not isinstance(entry, dict):
            self.complain(("expect", number), f"an expectation is a mapping with one of {', '.join(SUBJECTS)}")
            return None
        condition = {key: value for key, value in entry.items() if key != "within"}
        body = {"expect": condition, **({"within": entry["within"]} if "within" in entry else {})}
        return self._validated(ExpectStep, body, ("expect", number))

    def _validated(self, model: type[M], value: Any, prefix: KeyPath) -> M | None:
        try:
            return model.model_validate(value)
        except ValidationError as problem:
            self._invalid(problem, prefix)
            return None


def _is_type(part: str | int) -> bool:
    """Whether a part of pydantic's location is the name of a type, not of a key."""
    return isinstance(part, str) and (part in ("int", "str", "float", "bool") or "[" in part or "constrained" in part)


def _needs(scenario: Scenario, form: _Form) -> Iterator[Need]:
    """What not every world can do, in the order of the file."""
    if scenario.cluster.formed:
        yield Need(Capability.FORMATION, form.place(("cluster",)))
    if scenario.cluster.authorities:
        yield Need(Capability.AUTHORITIES, form.place(("cluster", "authorities")))
    if scenario.images:
        yield Need(Capability.IMAGES, form.place(("images",)))
    if scenario.duration is not None and scenario.duration > LONG:
        yield Need(Capability.JUMP, form.place(("duration",)))
    for number, process in enumerate(scenario.faults):
        yield Need(process.fault, form.place(("faults", number)))
    for number, step in enumerate(scenario.steps):
        if isinstance(step, CurlStep | TrafficStep):
            word = "curl" if isinstance(step, CurlStep) else "traffic"
            yield Need(Capability.PACKETS, form.place(("steps", number, word)))
        elif isinstance(step, FaultStep):
            yield Need(step.fault.verb, form.place(("steps", number, "fault")))
        elif isinstance(step, SleepStep):
            if step.sleep > LONG:
                yield Need(Capability.JUMP, form.place(("steps", number, "sleep")))
        elif isinstance(step, BackupStep | RestoreStep):
            word = "backup" if isinstance(step, BackupStep) else "restore"
            yield Need(word, form.place(("steps", number, word)))
        elif isinstance(step, WaitStep | ExpectStep):
            key = "wait" if isinstance(step, WaitStep) else "expect"
            condition = step.wait if isinstance(step, WaitStep) else step.expect
            if condition.internal is not None:
                yield Need(Capability.INTERNAL, form.place(("steps", number, key, "internal")))
    for number, beside in enumerate(scenario.meanwhile):
        if beside.moments[-1] > LONG:
            yield Need(Capability.JUMP, form.place(("meanwhile", number)))
        for word in ("curl", "traffic"):
            if getattr(beside, word) is not None:
                yield Need(Capability.PACKETS, form.place(("meanwhile", number, word)))
        if beside.seed is not None:
            yield Need(Capability.SEED, form.place(("meanwhile", number, "seed")))
        if beside.fault is not None:
            yield Need(beside.fault.verb, form.place(("meanwhile", number, "fault")))
    for number, entry in enumerate(scenario.expect):
        if entry.expect.internal is not None:
            yield Need(Capability.INTERNAL, form.place(("expect", number, "internal")))
