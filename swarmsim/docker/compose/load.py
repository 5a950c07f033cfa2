"""Reading stack files: YAML, variables, the schema, the long form of everything, several files merged (cli/compose/loader)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from swarmsim.docker.compose import forms
from swarmsim.docker.compose.interpolate import BadVariable, cast, shown, substitute
from swarmsim.docker.compose.merge import merged
from swarmsim.docker.compose.schema import DEPRECATED, FORBIDDEN, LATEST, UNSUPPORTED, Complaint, check, dotted, hint
from swarmsim.docker.compose.volumes import bind_source
from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from swarmsim.docker.specs import read_env_file
from swarmsim.go import yaml
from swarmsim.go.fmt import sprint
from swarmsim.yamldoc import MERGES_NO_MAPPING, Document, DocumentError, DuplicateKey, KeyPath

Config = dict[str, Any]
Warn = Callable[[str], None]


class Forbidden(CommandError):
    """Keys of compose files that no stack has; ``told`` says what to do instead."""

    def __init__(self, told: str) -> None:
        super().__init__("Configuration contains forbidden properties")
        self.told = told


class Loaded(NamedTuple):
    """Checked and merged files in long form; ``raw`` is each file as it was written."""

    config: Config
    raw: list[Config]
    at: Callable[[KeyPath], str]
    """Our own line for a complaint: where in which file a value stands."""

    @property
    def ignored(self) -> list[str]:
        """Keys of services that are understood and passed over."""
        return sorted({key for service in self._services() for key in service if key in UNSUPPORTED})

    @property
    def deprecated(self) -> dict[str, str]:
        return {key: DEPRECATED[key] for service in self._services() for key in service if key in DEPRECATED}

    def _services(self) -> Iterator[Config]:
        for raw in self.raw:
            for service in (raw.get("services") or {}).values():
                yield service or {}


def advice(told: dict[str, str]) -> str:
    """A paragraph for each key."""
    return "\n\n".join(sorted(f"{key}: {text}" for key, text in told.items()))


def load(names: list[str], files: Files, warn: Warn, interpolates: bool = True) -> Loaded:
    """Read, fill in, check, bring into long form and merge; ``warn`` is told what docker logs.

    Raises :class:`CommandError`, with the place in the file where there is one.
    """
    documents = [_Document(name, files.read(name)) for name in names]
    directory = files.directory if names == ["-"] else posixpath.dirname(files.absolute(names[0]))
    version = _version(documents[0].raw)
    configs: list[Config] = []
    for document in documents:
        own = _version(document.raw)
        if own != version:
            raise CommandError(f"version mismatched between two composefiles : {version} and {own}")
        _refuse_forbidden(document.raw)
        filled = document.filled_in(files) if interpolates else document.raw
        document.check(filled, version)
        configs.append(_Reader(document, files, directory, version, warn).config(filled))

    def at(path: KeyPath) -> str:
        return max(documents, key=lambda document: document.depth(path)).at(path)

    return Loaded(merged(configs), [document.raw for document in documents], at)


def _version(config: Config) -> str:
    version = sprint(config["version"]) if "version" in config else ""
    return f"3.{LATEST}" if version in ("", "3") else version


def _refuse_forbidden(config: Config) -> None:
    services = config.get("services")
    if not isinstance(services, dict):
        return
    found = {key for service in services.values() if isinstance(service, dict) for key in service if key in FORBIDDEN}
    if found:
        raise Forbidden(advice({key: FORBIDDEN[key] for key in found}))


# -- one file's text

EXPECTED = {
    "while parsing a block mapping": "did not find expected key",
    "while parsing a block collection": "did not find expected '-' indicator",
    "while parsing a flow sequence": "did not find expected ',' or ']'",
    "while parsing a flow mapping": "did not find expected ',' or '}'",
    "while parsing a flow node": "did not find expected node content",
    "while parsing a block node": "did not find expected node content",
}
"""libyaml's complaints, by what was being read."""
SCANNED = {
    "found character '": "found character that cannot start any token",
    "mapping values are not allowed here": "mapping values are not allowed in this context",
    "found unknown escape character": "found unknown escape character",
    "expected alphabetic or numeric character": "did not find expected alphabetic or numeric character",
}
"""Its complaints about letters, by how the library's begin."""


def _yaml_error(problem: DocumentError) -> str:
    text = problem.problem
    if text.startswith("found undefined alias"):
        return f"yaml: unknown anchor {text.removeprefix('found undefined alias ')} referenced"
    if problem.context in EXPECTED:
        begun = problem.begun or problem.place
        line = begun.line - 1 or problem.place.line - 1
        return f"yaml: line {line}: {EXPECTED[problem.context]}" if line else f"yaml: {EXPECTED[problem.context]}"
    if text == MERGES_NO_MAPPING:
        return "yaml: map merge requires map or sequence of maps as the value"
    text = next((said for begins, said in SCANNED.items() if text.startswith(begins)), text)
    line = problem.place.line
    if problem.begun is not None and problem.begun.line > 1:
        line = problem.begun.line
    return f"yaml: line {line}: {text}"


class _Document:
    """One YAML file, its values and where they stand."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        try:
            self._document = Document(text, scalar=yaml.scalar, first=True)
        except DuplicateKey as problem:
            told = f'mapping key "{problem.key}" already defined at line {problem.first.line}'
            said = f"yaml: unmarshal errors:\n  line {problem.place.line}: {told}"
            raise CommandError(f"{said}{self._line(problem.place.line)}") from None
        except DocumentError as problem:
            raise CommandError(f"{_yaml_error(problem)}{self._line(problem.place.line)}") from None
        if not isinstance(self._document.data, dict):
            raise CommandError(f"top-level object must be a mapping{self._line(1)}")
        self.raw: Config = self._document.data
        odd = next(_odd_keys(self.raw, ()), None)
        if odd is not None:
            raise CommandError(f"json: unsupported type: map[interface {{}}]interface {{}}{self.at(odd)}")

    def filled_in(self, files: Files) -> Config:
        filled: Config = self._fill(self.raw, (), files)
        return filled

    def _fill(self, value: Any, path: KeyPath, files: Files) -> Any:
        if isinstance(value, dict):
            return {key: self._fill(item, (*path, key), files) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, (*path, number), files) for number, item in enumerate(value)]
        if not isinstance(value, str) or "$" not in value:
            return value
        try:
            text = substitute(value, files.environment)
            return value if text == value else cast(path, text)
        except BadVariable as problem:
            said = f'invalid interpolation format for {shown(path)}: "{problem}"'
            raise CommandError(f"{said}; you may need to escape any $ with another ${self.at(path)}") from None
        except ValueError as problem:
            said = f"error while interpolating {shown(path)}: failed to cast to expected type: {problem}"
            raise CommandError(f"{said}{self.at(path)}") from None

    def check(self, config: Config, version: str) -> None:
        try:
            check(config, version)
        except Complaint as complaint:
            found, kind, text, wanted = complaint.problem
            if kind == "version":
                raise CommandError(f"{text}{self.at(('version',))}") from None
            path, more = found, f"; wanted: {wanted}" if wanted else ""
            if kind == "additional":
                path, more = (*found, wanted), f"; {hint(found, wanted, version)}"
            raise CommandError(f"{dotted(found)} {text}{self.at(path, more)}") from None

    def depth(self, path: KeyPath) -> int:
        """How far the path leads in this file."""
        return self._document.depth(path)

    def at(self, path: KeyPath, more: str = "") -> str:
        """Our own remark below docker's words: where it is, and what would be right."""
        return self._line(self._document.place(path).line, more)

    def _line(self, line: int, more: str = "") -> str:
        return f"\nswarmsim: {self.name}, line {line}{more}"


def _odd_keys(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    """Mappings whose keys are not all text."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield (*path, key)
            yield from _odd_keys(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _odd_keys(item, (*path, number))


# -- the long form


class _Reader:
    """From one checked file to its long form: what needs the shell, the folder and other files too."""

    def __init__(self, document: _Document, files: Files, directory: str, version: str, warn: Warn) -> None:
        self._document = document
        self._files = files
        self._directory = directory
        self._version = int(version.partition(".")[2] or 0)
        self._warn = warn

    def config(self, raw: Config) -> Config:
        config: Config = {"version": _version(raw)}
        for section, form in forms.SECTIONS.items():
            config[section] = {
                name: self._decoded(form, item, (section, name)) for name, item in (raw.get(section) or {}).items()
            }
        for name, service in config["services"].items():
            self._service(("services", name), service)
        for section in ("networks", "volumes", "secrets", "configs"):
            for name, item in config[section].items():
                self._object(section, name, item)
        return config | {key: value for key, value in raw.items() if key.startswith("x-")}

    def _decoded(self, form: forms.Form, item: Any, path: KeyPath) -> Config:
        where = forms.Where(path, "", self._warn, [])
        found: Config = form.read(item or {}, where)
        if where.misfits:
            told = "\n".join(misfit.said for misfit in where.misfits)
            places = "".join(self._document.at(misfit.path) for misfit in where.misfits)
            raise CommandError(f"decoding failed due to the following error(s):\n\n{told}{places}")
        return found

    def _service(self, path: KeyPath, service: Config) -> None:
        variables: dict[str, str | None] = {}
        for number, name in enumerate(service.get("env_file") or ()):
            file = self._path(name)
            try:
                entries = read_env_file(self._files.read(file), file, self._files.environment)
            except CommandError as problem:
                self._refuse(problem.message, (*path, "env_file", number))
            variables |= self._from_shell({key: value for key, _, value in (each.partition("=") for each in entries)})
        variables |= self._from_shell(service.get("environment") or {})
        service["environment"] = variables
        for number, volume in enumerate(service.get("volumes") or ()):
            if volume["type"] != "bind":
                continue
            if not volume.get("source"):
                said = 'invalid mount config for type "bind": field Source must not be empty'
                self._refuse(said, (*path, "volumes", number))
            volume["source"] = bind_source(volume["source"], self._directory, self._files.environment, self._warn)

    def _from_shell(self, variables: dict[str, Any]) -> dict[str, str | None]:
        """A variable without a value, or with an empty one, has the shell's if that has one."""
        shell = self._files.environment
        return {key: value or shell.get(key, value) for key, value in variables.items()}

    def _path(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self._directory, path))

    def _object(self, section: str, name: str, item: Config) -> None:
        """A network, volume, secret or config: names of external ones, and what does not go together."""
        kind, path = section.removesuffix("s"), (section, name)
        external = item.get("external") or {}
        if not external.get("external"):
            if kind in ("secret", "config"):
                if item.get("driver"):
                    if item.get("file"):
                        self._refuse(
                            f"{kind} {name}: {kind}.driver and {kind}.file conflict; only use {kind}.driver", path
                        )
                else:
                    item["file"] = self._path(item.get("file", ""))
            else:
                for key in [key for key in item if key.startswith("x-") and key != "x-cluster-spec"]:
                    del item[key]  # docker keeps those of external ones only
            return
        for key in ("driver", "driver_opts", "labels") if kind == "volume" else ():
            if item.get(key):
                said = f'conflicting parameters "external" and "{key}" specified for volume "{name}"'
                self._refuse(said, (*path, key))
        old = external.pop("name", "")
        if old:
            if item.get("name"):
                said = f"{kind} {name}: {kind}.external.name and {kind}.name conflict; only use {kind}.name"
                self._refuse(said, (*path, "name"))
            if self._version >= (4 if kind == "volume" else 5):
                self._warn(f"{kind} {name}: {kind}.external.name is deprecated in favor of {kind}.name")
            item["name"] = old
        item["name"] = item.get("name") or name

    def _refuse(self, said: str, path: KeyPath) -> NoReturn:
        raise CommandError(f"{said}{self._document.at(path)}") from None
