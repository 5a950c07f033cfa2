"""Image references (distribution/reference): ``[registry/]path[:tag][@digest]`` and their familiar form."""

from __future__ import annotations

import re
from typing import NamedTuple

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"^(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$"
)


class InvalidReference(ValueError):
    """The text names no image; the message is docker's."""


class Reference(NamedTuple):
    name: str
    tag: str
    digest: str

    @property
    def familiar(self) -> str:
        """``nginx:latest``: what docker shows; a tag of ``latest`` is added where nothing is given."""
        if self.digest:
            return f"{self.name}{':' + self.tag if self.tag else ''}@{self.digest}"
        return f"{self.name}:{self.tag or 'latest'}"


def with_digest(image: str, digest: str) -> str:
    """The familiar name with a digest, where there is none yet (client/service_create.go imageWithDigestString)."""
    reference = parse_reference(image)
    if reference.digest:
        return image
    return reference._replace(digest=digest).familiar


def _mistake(text: str) -> str:
    """What is wrong with a text that names no image (distribution/reference normalize.go)."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
    domain, slash, rest = text.partition("/")
    if not slash or not (re.search("[.:]", domain) or domain == "localhost" or domain.lower() != domain):
        domain, rest = "docker.io", text
    if domain == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    remote = rest.partition(":")[0]
    if remote.lower() != remote:
        return f"invalid reference format: repository name ({remote}) must be lowercase"
    return "invalid reference format"


def parse_reference(text: str) -> Reference:
    """Raises :class:`InvalidReference`.

    >>> parse_reference("nginx").familiar
    'nginx:latest'
    >>> parse_reference("docker.io/library/redis:7").name
    'redis'
    """
    match = _REFERENCE.match(text)
    if match is None or re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidReference(_mistake(text))
    name = match["name"]
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "library/"):
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    return Reference(name, match["tag"] or "", match["digest"] or "")
