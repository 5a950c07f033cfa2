"""A tree of files made of layers, of which the uppermost is written to and those below are shared (copy on write, as overlay2).

A layer says for some paths what is there, or that nothing is there any more (a whiteout); what it does not speak of the next layer below
decides. So the uppermost layer of a container is what ``docker diff`` shows and ``docker commit`` keeps, and a container that
writes nothing has an empty one. A volume and a host's own disk are trees of one layer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

FULL = 32 << 20
"""Bytes that a file may have; the model's own bound, after which there is no space left on the device."""


class NotModelled(Exception):
    """A program or a script has something that is real and not modelled: ``what``."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def failure(code: int, path: str = "") -> OSError:
    """``OSError`` with the words of the C library."""
    return OSError(code, os.strerror(code), path)


class Inode:
    """A file, folder, symbolic link or device. ``partial``: a folder in which there is more than we know. ``mode`` are its twelve permission bits; ``mtime`` is in seconds of the simulation.

    ``data`` is a file's content, ``target`` a link's, ``device`` a device's name. ``made`` tells the content of a file that is written
    anew each time it is read, as those of ``/proc``.
    """

    __slots__ = ("data", "device", "gid", "kind", "links", "made", "mode", "mtime", "partial", "target", "uid")

    def __init__(
        self,
        kind: str,
        mode: int,
        *,
        uid: int = 0,
        gid: int = 0,
        mtime: float = 0.0,
        data: bytes = b"",
        target: str = "",
        device: str = "",
        made: Callable[[], bytes] | None = None,
        partial: bool = False,
    ) -> None:
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        self.data = bytearray(data)
        self.target = target
        self.device = device
        self.made = made
        self.partial = partial
        self.links = 1

    @property
    def content(self) -> bytes:
        return self.made() if self.made is not None else bytes(self.data)

    @property
    def size(self) -> int:
        return len(self.target) if self.kind == "link" else len(self.data)

    def copy(self) -> Inode:
        return Inode(
            self.kind,
            self.mode,
            uid=self.uid,
            gid=self.gid,
            mtime=self.mtime,
            data=bytes(self.data),
            target=self.target,
            device=self.device,
            made=self.made,
            partial=self.partial,
        )


def folder(mode: int = 0o755, *, partial: bool = False) -> Inode:
    return Inode("folder", mode, partial=partial)


def file(data: bytes | str = b"", mode: int = 0o644) -> Inode:
    return Inode("file", mode, data=data.encode() if isinstance(data, str) else data)


def link(target: str) -> Inode:
    return Inode("link", 0o777, target=target)


def parent(path: str) -> str:
    """
    >>> parent("/a/b"), parent("/a"), parent("/")
    ('/a', '/', '/')
    """
    return path.rpartition("/")[0] or "/"


def join(folder: str, name: str) -> str:
    """
    >>> join("/", "a"), join("/a", "b")
    ('/a', '/a/b')
    """
    return f"{folder.rstrip('/')}/{name}"


class Layer:
    """What stands at some absolute paths; ``None`` is a whiteout."""

    def __init__(self, entries: Mapping[str, Inode | None] | None = None) -> None:
        self.entries: dict[str, Inode | None] = {}
        self.children: dict[str, dict[str, None]] = {}
        for path, inode in (entries or {}).items():
            self.put(path, inode)

    def put(self, path: str, inode: Inode | None) -> None:
        self.entries[path] = inode
        if path != "/":
            self.children.setdefault(parent(path), {})[path.rpartition("/")[2]] = None

    def forget(self, path: str) -> None:
        """It speaks of this path no more."""
        self.entries.pop(path, None)
        self.children.get(parent(path), {}).pop(path.rpartition("/")[2], None)

    @property
    def size(self) -> int:
        """Bytes in its files."""
        return sum(inode.size for inode in self.entries.values() if inode is not None and inode.kind == "file")


class Tree:
    """Layers, the uppermost first in ``lower``, below one that is written to. Paths are absolute and without links or dots."""

    def __init__(self, lower: tuple[Layer, ...] = (), *, root: Inode | None = None) -> None:
        self.lower = lower
        self.upper = Layer()
        self._root = root or folder()

    def get(self, path: str) -> Inode | None:
        """What is there, which must not be changed: :meth:`own` gives what may be."""
        if path in self.upper.entries:
            return self.upper.entries[path]
        for layer in self.lower:
            if path in layer.entries:
                return layer.entries[path]
        return self._root if path == "/" else None

    def names(self, path: str) -> list[str]:
        """Of what is in a folder, in alphabetical order."""
        found: dict[str, None] = {}
        for layer in (self.upper, *self.lower):
            found |= layer.children.get(path, {})
        return sorted(name for name in found if self.get(join(path, name)) is not None)

    def own(self, path: str) -> Inode:
        """What is there, copied up if it was below. Raises :class:`KeyError`."""
        inode = self.get(path)
        if inode is None:
            raise KeyError(path)
        if self.upper.entries.get(path) is not inode:
            inode = inode.copy()
            self.upper.put(path, inode)
        return inode

    def put(self, path: str, inode: Inode) -> None:
        self.upper.put(path, inode)

    def remove(self, path: str) -> None:
        """Take away one path, in which nothing must be left."""
        if any(path in layer.entries for layer in self.lower):
            self.upper.put(path, None)
        else:
            self.upper.forget(path)

    def walk(self, path: str = "/") -> Iterator[str]:
        """That path and all below it, a folder before what is in it."""
        yield path
        for name in self.names(path):
            inner = join(path, name)
            inode = self.get(inner)
            if inode is not None and inode.kind == "folder":
                yield from self.walk(inner)
            else:
                yield inner

    def move(self, old: str, new: str) -> None:
        """All that is at ``old`` is at ``new`` afterwards."""
        for path in list(self.walk(old)):
            inode = self.get(path)
            assert inode is not None
            self.put(new + path[len(old) :], inode)
        for path in reversed(list(self.walk(old))):
            self.remove(path)
