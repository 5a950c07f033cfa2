"""The files docker commands read: those a scenario brings along, then those in a folder of the real machine."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from copy import copy
from pathlib import Path

from swarmsim.docker.errors import CommandError


class Files:
    """``inline`` are texts by path; anything else is looked for in ``folder``, if there is one.

    ``environment`` are the shell's variables, which compose files may use; ``directory`` is where the shell is;
    ``stdin`` is what is piped in.
    """

    def __init__(
        self,
        inline: Mapping[str, str] | None = None,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        directory: str = "/",
    ) -> None:
        self.inline = dict(inline or {})
        self.folder = folder
        self.directory = directory
        self.environment = dict(environment or {})
        self.stdin = ""

    def absolute(self, path: str) -> str:
        """Where a path leads from the shell's directory."""
        return posixpath.normpath(posixpath.join(self.directory, path))

    def with_more(self, inline: Mapping[str, str]) -> Files:
        """These, and others where there are none of their names."""
        files = copy(self)
        files.inline = {**inline, **self.inline}
        return files

    def piped(self, stdin: str) -> Files:
        """The same files for one command that is given ``stdin``."""
        files = copy(self)
        files.stdin = stdin
        return files

    def read(self, path: str) -> str:
        """The text of a file, ``-`` is what was piped in. Raises :class:`CommandError` in Go's words."""
        if path == "-":
            return self.stdin
        here = posixpath.relpath(self.absolute(path), self.directory)
        for name in (path, here):
            if name in self.inline:
                return self.inline[name]
        if here == ".":
            raise CommandError(f"read {path}: is a directory")
        if self.folder is None:
            raise CommandError(f"open {path}: no such file or directory")
        found = self.folder / here
        try:
            return (found if found.exists() else self.folder / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise CommandError(f"open {path}: no such file or directory") from None
        except IsADirectoryError:
            raise CommandError(f"read {path}: is a directory") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path}: only text is understood here") from None
        except OSError as problem:
            raise CommandError(f"open {path}: {(problem.strerror or 'error').lower()}") from None
