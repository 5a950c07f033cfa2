"""Is a stack file what docker takes? The schema of the file's own version, and docker's words for what is not in it.

``schema.yaml`` has what may stand where, and since which version. It is walked as docker's validator (gojsonschema) walks
its own: complaints come in the order of that walk, of several alternatives the one that fitted best is complained of, and
docker shows only the complaint with the longest path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from swarmsim.docker.ports import parse_port_spec
from swarmsim.go.duration import parse_duration
from swarmsim.yamldoc import Document

LATEST = 13
"""Version 3.13, what a file without a version is."""
TYPES = {"null": "null", "boolean": "boolean", "number": "number", "object": "mapping", "array": "list"}
"""The schema's types in docker's words."""


class Problem(NamedTuple):
    """``path`` leads to the value from the root; ``kind`` is the schema's keyword, or ``version``; ``text`` are docker's words;
    ``wanted`` is what would be right."""

    path: tuple[Any, ...]
    kind: str
    text: str
    wanted: str = ""


class Complaint(Exception):
    """A file does not fit its schema."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class Schema(NamedTuple):
    """One node: what a value may be. No ``types`` are any; ``keys`` of ``None`` are not looked at."""

    types: tuple[str, ...] = ()
    format: str = ""
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    one: tuple[Schema, ...] = ()
    item: Schema | None = None
    unique: bool = False
    keys: dict[str, Schema] | None = None
    needed: tuple[str, ...] = ()
    patterns: tuple[tuple[str, Schema], ...] = ()
    closed: bool = False


def dotted(path: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in path) or "(root)"


def check(config: dict[str, Any], version: str) -> None:
    """Raises :class:`Complaint` about the most particular mistake."""
    schema = schema_of(version)
    if schema is None:
        raise Complaint(Problem((), "version", f"unsupported Compose file version: {version}"))
    found = _Walk()
    found.value(schema, config, ())
    if found.problems:
        raise Complaint(_most_particular(found.problems))


def _most_particular(problems: list[Problem]) -> Problem:
    """The longest path, dots in keys counted; of equals a wrong type, else the first (schema.go getMostSpecificError)."""
    chosen = 0
    for number, problem in enumerate(problems):
        longer = _length(problem) - _length(problems[chosen])
        if longer > 0 or (longer == 0 and problem.kind == "type" and problems[chosen].kind != "type"):
            chosen = number
    problem = problems[chosen]
    if problem.kind == "one" and chosen + 1 < len(problems):
        return problems[chosen + 1]._replace(path=problem.path)
    return problem


def _length(problem: Problem) -> int:
    return dotted(problem.path).count(".")


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "string"


def _in_words(types: tuple[str, ...]) -> str:
    *others, last = (TYPES.get(type, type) for type in types)
    return f"{', '.join(others)} or {last}" if others else last


class _Walk:
    """Collects complaints; ``score`` tells how well a value fitted."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.score = 0

    def value(self, schema: Schema, value: Any, path: tuple[Any, ...]) -> None:
        type = _type_of(value)
        if schema.types and type not in schema.types and not (type == "integer" and "number" in schema.types):
            words = _in_words(schema.types)
            self._complain(path, "type", f"must be a {words}", words)
            return
        self._alternatives(schema, value, path)
        if isinstance(value, list):
            self._list(schema, value, path)
        if isinstance(value, dict):
            self._mapping(schema, value, path)
        if type in ("integer", "number"):
            self._number(schema, value, path)
        if schema.enum and value not in schema.enum:
            allowed = ", ".join(f'"{each}"' for each in schema.enum)
            self._complain(path, "enum", f"{dotted(path)} must be one of the following: {allowed}")
        self.score += 1
        if isinstance(value, dict):
            for key, inner in (schema.keys or {}).items():
                if key in value:
                    self.value(inner, value[key], (*path, key))
        if isinstance(value, str):
            self._format(schema, value, path)
            self.score += 1
        self.score += 1

    def _complain(self, path: tuple[Any, ...], kind: str, text: str, wanted: str = "") -> None:
        self.problems.append(Problem(path, kind, text, wanted))
        self.score -= 2

    def _apart(self, schema: Schema, value: Any, path: tuple[Any, ...]) -> _Walk:
        walk = _Walk()
        walk.value(schema, value, path)
        return walk

    def _take(self, other: _Walk) -> None:
        self.problems += other.problems
        self.score += other.score

    def _alternatives(self, schema: Schema, value: Any, path: tuple[Any, ...]) -> None:
        if schema.one:
            walks = [self._apart(each, value, path) for each in schema.one]
            fitting = sum(not walk.problems for walk in walks)
            if fitting != 1:
                self._complain(path, "one", "Must validate one and only one schema (oneOf)")
            if not fitting:
                self._take(max(walks, key=lambda walk: walk.score))
        self.score += 1

    def _list(self, schema: Schema, value: list[Any], path: tuple[Any, ...]) -> None:
        for number, item in enumerate(value):
            if schema.item is not None:
                self._take(self._apart(schema.item, item, (*path, number)))
        if schema.unique:
            seen: dict[str, int] = {}
            for number, item in enumerate(value):
                text = json.dumps(item, sort_keys=True, default=str)
                if text in seen:
                    self._complain(path, "unique", f"array items[{seen[text]},{number}] must be unique")
                seen[text] = number
        self.score += 1

    def _mapping(self, schema: Schema, value: dict[str, Any], path: tuple[Any, ...]) -> None:
        for key in schema.needed:
            if key in value:
                self.score += 1
            else:
                self._complain(path, "required", f"{key} is required", f"a key {key!r}")
        for key, item in value.items():
            matching = [inner for pattern, inner in schema.patterns if re.search(pattern, key)]
            for inner in matching:
                self._take(self._apart(inner, item, (*path, key)))
            self.score += bool(matching)
            if not matching and key not in (schema.keys or ()) and schema.closed:
                self._complain(path, "additional", f"Additional property {key} is not allowed", key)
        self.score += 1

    def _number(self, schema: Schema, value: float, path: tuple[Any, ...]) -> None:
        if schema.minimum is not None and value < schema.minimum:
            self._complain(path, "minimum", f"Must be greater than or equal to {schema.minimum}")
        self._format(schema, str(value).partition(".")[0], path)
        self.score += 1

    def _format(self, schema: Schema, text: str, path: tuple[Any, ...]) -> None:
        if schema.format and not FORMATS[schema.format](text):
            self._complain(path, "format", f"Does not match format '{schema.format}'", WANTED[schema.format])


def _read_by(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


FORMATS = {"duration": _read_by(parse_duration), "ports": _read_by(parse_port_spec)}
WANTED = {"duration": "a duration like 1m30s", "ports": "ports from 1 to 65535 like 8080:80"}


def hint(path: tuple[Any, ...], key: str, version: str) -> str:
    """What a key that is not known may have meant."""
    known = _keys_at(path, version)
    for outer, inner in known.items():
        if key in (inner.keys or ()):
            return f"{key!r} belongs under {outer!r}"
    since = [n for n in range(LATEST + 1) if key in _keys_at(path, f"3.{n}")]
    if since and since[0] > int(version.partition(".")[2] or 0):
        return f"{key!r} is known from version 3.{since[0]} on"
    close = get_close_matches(key, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(known))}"


def _keys_at(path: tuple[Any, ...], version: str) -> dict[str, Schema]:
    schema = schema_of(version)
    for part in path:
        schema = _inner(schema, str(part)) if schema is not None else None
    return (schema.keys or {}) if schema is not None else {}


def _inner(schema: Schema, key: str) -> Schema | None:
    """Where a key or a list's number leads."""
    for each in (schema, *schema.one):
        if each.keys and key in each.keys:
            return each.keys[key]
        for pattern, inner in each.patterns:
            if re.search(pattern, key) and inner != ANYTHING:
                return inner
        if each.item is not None:
            return next((one for one in each.item.one if one.keys), each.item)
    return None


# -- the data


ANYTHING = Schema()


@cache
def schema_of(version: str) -> Schema | None:
    """The schema of a version ``3.N``; ``None`` if there is none."""
    match = re.fullmatch(r"3\.(\d|1[0-3])", version)
    return _Reader(int(match[1])).node(_data()["root"]) if match else None


@cache
def _data() -> dict[str, Any]:
    text = files("swarmsim.docker.compose").joinpath("schema.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = Document(text).data
    return data


class _Reader:
    """Reads the data as it is for one version."""

    def __init__(self, version: int) -> None:
        self._version = version

    def node(self, data: Any) -> Schema:
        if isinstance(data, str):
            if data.startswith("$"):
                return self.node(_data()["parts"][data[1:]])
            types, _, format = data.partition(":")
            return Schema(types=tuple(types.split("|")), format=format)
        has = dict(self._known(data))
        if "one" in has:
            return Schema(one=tuple(self.node(each) for each in has["one"]))
        if "enum" in has:
            return Schema(types=("string",), enum=tuple(has["enum"]))
        if "list" in has:
            return Schema(types=("array",), item=self.node(has["list"]), unique=bool(has.get("unique")))
        if "map" in has:
            named = has.get("named", ".")
            pattern = _data()["parts"][named[1:]] if named.startswith("$") else named
            patterns = ((pattern, self.node(has["map"])),)
            return Schema(types=("object",), patterns=patterns, closed=bool(has.get("closed")))
        kinds = tuple(has.get("types", "object").split("|"))
        if "keys" not in has:
            return Schema(types=kinds, minimum=has.get("minimum"))
        return Schema(
            types=kinds,
            keys={key: self.node(inner) for key, inner in self._known(has["keys"])},
            needed=tuple(has.get("needed", ())),
            patterns=(("^x-", ANYTHING),) if has.get("x", LATEST + 1) <= self._version else (),
            closed=not has.get("open"),
        )

    def _known(self, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, inner in data.items():
            key, _, since = name.partition("@")
            if not since or (self._version < -int(since) if since.startswith("-") else self._version >= int(since)):
                yield key, inner


UNSUPPORTED = (
    "build",
    "cgroupns_mode",
    "cgroup_parent",
    "devices",
    "domainname",
    "external_links",
    "ipc",
    "links",
    "mac_address",
    "network_mode",
    "pid",
    "privileged",
    "restart",
    "security_opt",
    "shm_size",
    "userns_mode",
)
"""Keys of a service that are understood and passed over (cli/compose/types UnsupportedProperties)."""

DEPRECATED = {
    "container_name": "Setting the container name is not supported.",
    "expose": "Exposing ports is unnecessary - services on the same network can access each other's containers on any port.",
}
FORBIDDEN = {
    "extends": "Support for `extends` is not implemented yet.",
    "volume_driver": "Instead of setting the volume driver on the service, define a volume using the top-level `volumes` "
    "option and specify the driver there.",
    "volumes_from": "To share a volume between services, define it using the top-level `volumes` option and reference it "
    "from each service that shares it using the service-level `volumes` option.",
    "cpu_quota": "Set resource limits using deploy.resources",
    "cpu_shares": "Set resource limits using deploy.resources",
    "cpuset": "Set resource limits using deploy.resources",
    "mem_limit": "Set resource limits using deploy.resources",
    "memswap_limit": "Set resource limits using deploy.resources",
}
