"""No secret in a trace: what would let a reader of it into the cluster is masked, in every row, before anybody sees it.

Masked are what has a form of its own (join tokens, unlock keys, private keys, passwords given as variables) and what was typed as a secret's
data, wherever it turns up again. Certificates, ids and names of secrets are no secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from swarmsim.yamldoc import Document, DocumentError

STARS = "****"
SHORTEST = 4
"""Characters of a secret's data that can be masked elsewhere: a shorter one is part of too many words."""

FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"SWMTKN-1-[0-9a-z]+(-[0-9a-z]+)?"), f"SWMTKN-1-{STARS}"),
    (re.compile(r"SWMKEY-1-[0-9A-Za-z+/=]+"), f"SWMKEY-1-{STARS}"),
    (
        re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        rf"\1\n{STARS}\n\2",
    ),
    (re.compile(r"\b([A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY)(?!_FILE)[A-Z0-9_]*=)[^\s'\"]+"), rf"\1{STARS}"),
)
"""What a secret looks like, and what stands in its place."""


class Mask:
    """Masks texts; it is told which commands are typed, so that it knows a secret's data when it sees them again."""

    def __init__(self) -> None:
        self._data: list[str] = []

    def learn(self, words: Sequence[str], stdin: str, files: Files) -> None:
        """A command is typed: ``words`` without ``docker``. The data of a secret that it creates will be masked."""
        try:
            found = list(_secrets(words, files.piped(stdin)))
        except CommandError:  # the command itself says what is wrong
            return
        self._data += [piece for data in found for piece in _pieces(data) if piece not in self._data]
        self._data.sort(key=len, reverse=True)

    def text(self, text: str) -> str:
        for form, instead in FORMS:
            text = form.sub(instead, text)
        for data in self._data:
            text = text.replace(data, STARS)
        return text

    def row(self, value: Any) -> Any:
        """A row, or a part of one, with all its texts masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.row(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.row(inner) for inner in value]
        return value


def _secrets(words: Sequence[str], files: Files) -> Iterator[str]:
    """The data of the secrets that a command brings in, by itself or with a stack."""
    if list(words[:2]) == ["secret", "create"] and len(words) >= 4:
        yield files.read(words[-1])
    elif list(words[:2]) == ["stack", "deploy"]:
        given = [value for flag, value in pairwise(words) if flag in ("-c", "--compose-file")]
        for path in given:
            try:
                stack = Document(files.read(path)).data
            except DocumentError:
                continue
            secrets = stack.get("secrets") if isinstance(stack, Mapping) else None
            for secret in secrets.values() if isinstance(secrets, Mapping) else ():
                source = secret.get("file") if isinstance(secret, Mapping) else None
                if isinstance(source, str):
                    yield files.read(source)


def _pieces(data: str) -> Iterator[str]:
    """What of a secret's data may be printed again: all of it, or a line."""
    whole = data.strip()
    for piece in dict.fromkeys((whole, *(line.strip() for line in whole.splitlines()))):
        if len(piece) >= SHORTEST:
            yield piece
