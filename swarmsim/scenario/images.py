"""``images:`` in a scenario: images of one's own, in the scenario or in a file for several of them.

An entry describes all images whose name, or name and tag, fit its ``name``; the first that fits counts. Of an image the
model knows it changes only what it says; any other is, where it says nothing, a server of 200 MB that runs until it is
told to stop.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.image import ImageCheck, OwnImage
from swarmsim.scenario.distribution import DurationDistribution
from swarmsim.scenario.duration import PositiveDuration
from swarmsim.scenario.parts import Strict
from swarmsim.trace.rows import Row

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg])b?", re.IGNORECASE)
_MEGABYTES = {"k": 0.001, "m": 1.0, "g": 1000.0}
_WILD = frozenset("*?[")
MOST_NAMES = 8
NO_SUCH_IMAGE = "No such image: "
SOURCES = {
    "registry": {"in_registry": True, "on_hosts": False},
    "cached": {"in_registry": True, "on_hosts": True},
    "local": {"in_registry": False, "on_hosts": True},
}
"""Where an image is, in the words of :class:`~swarmsim.image.Image`."""


def megabytes(value: Any) -> float:
    """A size as ``docker images`` shows it. Raises :class:`ValueError`.

    >>> megabytes("1.2GB"), megabytes(80)
    (1200.0, 80.0)
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no size: write 300MB, 1.2GB or a number of megabytes")
    return float(found[1]) * _MEGABYTES[found[2].lower()]


def _pattern(value: Any) -> str:
    """A name as docker shows it, or a pattern of such names."""
    if not isinstance(value, str) or not value or value.split() != [value]:
        raise ValueError(
            f"{value!r} is no image: write a name such as shop/api, with a tag or without, or a pattern such as shop/*"
        )
    if _WILD & set(value):
        return value.removeprefix("docker.io/").removeprefix("library/")
    try:
        parsed = parse_reference(value)
    except InvalidReference as problem:
        raise ValueError(f"{value!r} is no image: {problem}") from None
    if parsed.digest:
        raise ValueError(f"{value!r}: leave the digest out, the name says enough")
    return f"{parsed.name}:{parsed.tag}" if parsed.tag else parsed.name


def _port(value: Any) -> str:
    text = str(value)
    if not re.fullmatch(r"\d{1,5}(/(tcp|udp|sctp))?", text):
        raise ValueError(f"{value!r} is no port: write 8080 or 8080/tcp")
    return text if "/" in text else f"{text}/tcp"


BEHAVIOUR = {"any_command", "runs", "stop", "ignores_stop", "stop_code"}
"""Keys that say how the image's own program behaves, so that it has one that runs."""
Code = Annotated[int, Field(ge=0, le=255)]


class Healthcheck(Strict):
    """The image's own ``HEALTHCHECK``. What a service says of its health check goes before it."""

    interval: PositiveDuration | None = Field(None, description="from one check to the next; default: 30s")
    timeout: PositiveDuration | None = Field(None, description="a check that takes longer has failed; default: 30s")
    start_period: PositiveDuration | None = Field(None, description="failures in this time do not count; default: none")
    retries: int | None = Field(None, ge=1, description="so many failures in a row are too many; default: 3")


class ImageEntry(Strict):
    """Images of one name or pattern, or a file that has such entries."""

    name: Annotated[str, BeforeValidator(_pattern)] | None = Field(
        None, description="name as docker shows it, with a tag or without: shop/api, nginx:1.27; or a pattern: shop/*"
    )
    file: str | None = Field(
        None, min_length=1, description="a YAML file with a list of such entries, beside the scenario"
    )
    tags: list[str] | None = Field(None, description="the tags there are; default: any")
    size: Annotated[float, BeforeValidator(megabytes, json_schema_input_type=float | str)] | None = Field(
        None, description="300MB, 1.2GB or a number of megabytes; how long it takes to pull"
    )
    source: Literal["registry", "cached", "local"] | None = Field(
        None,
        description="registry: pulled when first needed; cached: in a registry, and on every host already; local: on every host only",
    )
    start: DurationDistribution | None = Field(
        None, description="how long its container takes to start, besides what the engine itself takes"
    )
    healthy: DurationDistribution | None = Field(
        None, description="how long it runs before its health check can succeed; default: at once"
    )
    healthcheck: Healthcheck | None = Field(None, description="the image's own HEALTHCHECK; default: none")
    answers: DurationDistribution | None = Field(
        None, description="how long its server takes for an answer to a request; default: half a millisecond"
    )
    finishes: bool | None = Field(
        None,
        description="told to stop, it answers what it was asked before it ends; default: false, of nginx and Apache true",
    )
    runs: DurationDistribution | None = Field(
        None, description="how long it runs by itself; default: until it is told to stop"
    )
    code: Code | None = Field(None, description="the exit code when it has run that long; default: 0")
    stop: DurationDistribution | None = Field(
        None, description="how long it takes to stop when told to; default: at once"
    )
    ignores_stop: bool = Field(False, description="it does not stop when told to, and is killed after the grace period")
    stop_signal: str | None = Field(None, description="STOPSIGNAL of the image; default: SIGTERM")
    stop_code: Code | None = Field(None, description="the exit code when it was told to stop; default: 0")
    any_command: bool = Field(
        False, description="whatever command a service gives it is its program, also of an image the model knows"
    )
    ports: list[Annotated[str, BeforeValidator(_port, json_schema_input_type=int | str)]] | None = Field(
        None, description="ports it exposes, as docker ps shows them: 8080/tcp"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> ImageEntry:
        if (self.name is None) == (self.file is None):
            raise ValueError("an entry has either a name or a file")
        if self.file is not None and len(self.model_fields_set) > 1:
            other = next(key for key in ImageEntry.model_fields if key in self.model_fields_set - {"file"})
            raise ValueError(f"{other!r} belongs into {self.file}")
        if self.ignores_stop and (self.stop is not None or self.stop_code is not None):
            raise ValueError("it cannot ignore being told to stop, and stop")
        if self.code is not None and self.runs is None:
            raise ValueError("'code' is the exit code of what ends by itself: say with 'runs' when")
        return self

    def image(self) -> OwnImage:
        """What the world is told. Not for an entry that names a file."""
        assert self.name is not None, "a file is read before"
        check = self.healthcheck
        changes: dict[str, Any] = {
            "tags": None if self.tags is None else tuple(self.tags),
            "size": self.size,
            "start": self.start,
            "healthy": self.healthy,
            "answers": self.answers,
            "finishes": self.finishes,
            "runs": self.runs,
            "exit_code": self.code,
            "stop": self.stop,
            "stop_code": self.stop_code,
            "stop_signal": self.stop_signal,
            "ignores_stop": self.ignores_stop or None,
            "ports": None if self.ports is None else tuple(self.ports),
            "check": None
            if check is None
            else ImageCheck(check.interval or 0.0, check.timeout or 0.0, check.start_period or 0.0, check.retries or 0),
            "opaque": self.any_command or None,
            "server": True if self.model_fields_set & BEHAVIOUR else None,
            **(SOURCES[self.source] if self.source is not None else {}),
        }
        return OwnImage(self.name, {key: value for key, value in changes.items() if value is not None})


class UnknownImages:
    """What there is to say of images that nobody described, from the rows of a run.

    >>> unknown = UnknownImages()
    >>> unknown.hear({"kind": "task", "service": "web", "err": "No such image: ngnix:latest"})
    >>> unknown.warnings()
    ['there is no image ngnix:latest (web), so its tasks are rejected; if there is, describe it under images:']
    """

    KINDS = frozenset(("task", "image.assumed"))

    def __init__(self) -> None:
        self._assumed: dict[str, str] = {}
        self._missing: dict[str, str] = {}
        """Names of images, and of a service of each."""

    def hear(self, row: Row) -> None:
        if row["kind"] == "image.assumed":
            self._assumed.setdefault(row["image"], row["service"])
        elif (row["err"] or "").startswith(NO_SUCH_IMAGE):
            self._missing.setdefault(row["err"].removeprefix(NO_SUCH_IMAGE), row["service"])

    def warnings(self) -> list[str]:
        """A sentence for those that are assumed to be there, and one for those that are missing."""
        sentences = []
        if self._assumed:
            one = len(self._assumed) == 1
            so = "is not known here: taken for a server" if one else "are not known here: taken for servers"
            what = f"image{'' if one else 's'} {_listed(self._assumed)} {so}"
            sentences.append(
                f"{what} that every host has, well at once, stopping when told to; say under images: what is so"
            )
        if self._missing:
            one = len(self._missing) == 1
            what = f"there {'is no image' if one else 'are no images'} {_listed(self._missing)}"
            end = "its tasks are rejected; if there is" if one else "their tasks are rejected; if there are"
            sentences.append(f"{what}, so {end}, describe {'it' if one else 'them'} under images:")
        return sentences


def _listed(images: dict[str, str]) -> str:
    shown = [f"{image} ({service})" for image, service in list(images.items())[:MOST_NAMES]]
    return ", ".join(shown) + (f" and {len(images) - MOST_NAMES} more" if len(images) > MOST_NAMES else "")
