"""The files docker commands read: those a scenario brings along, then those in a folder of the real machine."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from pathlib import Path

from swarmsim.docker.errors import CommandError


class Files:
    """``inline`` are texts by path; anything else is looked for in ``folder``, if there is one.

    ``environment`` are the shell's variables, which compose files may use; ``stdin`` is what is piped in.
    """

    def __init__(
        self,
        inline: Mapping[str, str] | None = None,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.inline = dict(inline or {})
        self.folder = folder
        self.environment = dict(environment or {})
        self.stdin = ""

    def piped(self, stdin: str) -> Files:
        """The same files for one command that is given ``stdin``."""
        files = copy(self)
        files.stdin = stdin
        return files

    def read(self, path: str) -> str:
        """The text of a file, ``-`` is what was piped in. Raises :class:`CommandError` in Go's words."""
        if path == "-":
            return self.stdin
        if path in self.inline:
            return self.inline[path]
        if self.folder is None:
            raise CommandError(f"open {path}: no such file or directory")
        try:
            return (self.folder / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise CommandError(f"open {path}: no such file or directory") from None
        except IsADirectoryError:
            raise CommandError(f"read {path}: is a directory") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path}: only text is understood here") from None
        except OSError as problem:
            raise CommandError(f"open {path}: {(problem.strerror or 'error').lower()}") from None
