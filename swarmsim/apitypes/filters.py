"""``--filter`` on its way from a client to a daemon (moby api/types/filters): ``filters={"name":{"web":true}}``.

The client sends what was typed; the daemon knows which keys a list has and what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import msgspec


class InvalidFilter(ValueError):
    """The daemon's complaint about a filter."""


class Filters:
    """Values by key, in the order they were given; within a key one of them has to fit, except for labels."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, dict[str, None]] = {}
        for key, value in pairs:
            self.add(key, value)

    @classmethod
    def from_json(cls, text: str) -> Filters:
        """``{"name":{"web":true}}``, or ``{"name":["web"]}`` as old clients write it. Raises :class:`InvalidFilter`."""
        if not text:
            return cls()
        try:
            given = msgspec.json.decode(text, type=dict[str, dict[str, bool] | list[str]])
        except msgspec.MsgspecError as problem:
            raise InvalidFilter(f"invalid filter: {problem}") from None
        return cls((key, value) for key, values in given.items() for value in values)

    def to_json(self) -> str:
        """Empty without filters."""
        if not self._values:
            return ""
        as_sets = {key: dict.fromkeys(sorted(values), True) for key, values in sorted(self._values.items())}
        return msgspec.json.encode(as_sets).decode()

    def add(self, key: str, value: str) -> None:
        self._values.setdefault(key, {})[value] = None

    def values(self, key: str) -> list[str]:
        return list(self._values.get(key, ()))

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __bool__(self) -> bool:
        return bool(self._values)

    def check(self, known: Collection[str]) -> None:
        """Raises :class:`InvalidFilter` for a key that is not known."""
        for key in self._values:
            if key not in known:
                raise InvalidFilter(f"Invalid filter '{key}'")

    def exact(self, key: str, *texts: str) -> bool:
        """Whether one of ``texts`` is one of the values, or nothing was asked."""
        wanted = self._values.get(key)
        return not wanted or any(text in wanted for text in texts)

    def prefix(self, key: str, *texts: str) -> bool:
        """Whether one of ``texts`` begins with one of the values, or nothing was asked."""
        wanted = self._values.get(key)
        return not wanted or any(text.startswith(value) for value in wanted for text in texts)

    def match(self, key: str, *texts: str) -> bool:
        """Whether one of the values is, or as a regular expression is found in, one of ``texts``."""
        return self.exact(key, *texts) or any(_found(value, text) for value in self._values[key] for text in texts)

    def labels(self, key: str, labels: Mapping[str, str] | None) -> bool:
        """Whether all of the values, ``key`` or ``key=value``, are among the labels."""
        labels = labels or {}
        for value in self._values.get(key, ()):
            name, equals, wanted = value.partition("=")
            if name not in labels or (equals and labels[name] != wanted):
                return False
        return True


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
