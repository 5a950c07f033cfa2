"""What a file descriptor stands for: a file that is open, one end of a pipe, a device, or whoever reads what a container prints."""

from __future__ import annotations

import errno
from collections.abc import Callable
from random import Random
from typing import Protocol

from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Activity, Future
from swarmsim.unix.files import FULL, Inode, failure

CAPACITY = 65536  # bytes in a pipe, man 7 pipe
MANY = 65536
"""Bytes that a device gives at once, however many are asked for."""


class Stream(Protocol):
    """Descriptors share it; :meth:`opened` and :meth:`closed` say that there is one more or less."""

    def opened(self) -> None: ...

    def closed(self) -> None: ...

    def read(self, size: int) -> Activity[bytes]:
        """At most so many bytes, none at the end. Raises :class:`OSError`."""

    def write(self, data: bytes) -> Activity[None]:
        """All of it. Raises :class:`OSError`."""

    def put(self, data: bytes) -> None:
        """All of it at once, if anybody takes it."""


class OpenFile:
    """A file with a place where it is read or written next; ``append``: always at its end."""

    def __init__(self, inode: Inode, clock: Clock, *, reads: bool, writes: bool, append: bool = False) -> None:
        self.inode = inode
        self.offset = 0
        self._clock = clock
        self._reads, self._writes, self._append = reads, writes, append

    def opened(self) -> None:
        pass

    def closed(self) -> None:
        pass

    def read(self, size: int) -> Activity[bytes]:
        if not self._reads:
            raise failure(errno.EBADF)
        if self.inode.kind == "folder":
            raise failure(errno.EISDIR)
        data = self.inode.content[self.offset : self.offset + size]
        self.offset += len(data)
        return data
        yield

    def write(self, data: bytes) -> Activity[None]:
        if not self._writes:
            raise failure(errno.EBADF)
        self.put(data)
        return
        yield

    def put(self, data: bytes) -> None:
        if len(self.inode.data) + len(data) > FULL:
            raise failure(errno.ENOSPC)
        at = len(self.inode.data) if self._append else self.offset
        if at > len(self.inode.data):
            self.inode.data += bytes(at - len(self.inode.data))
        self.inode.data[at : at + len(data)] = data
        self.offset = at + len(data)
        self.inode.mtime = self._clock.now


class Pipe:
    """Bytes between processes: whoever reads waits for some, whoever writes waits for room."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.data = bytearray()
        self.readers = 0
        self.writers = 0
        self._waiting: list[Future[None]] = []

    def changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.succeed()

    def wait(self) -> Future[None]:
        future: Future[None] = self._clock.future()
        self._waiting.append(future)
        return future


class ReadEnd:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def opened(self) -> None:
        self.pipe.readers += 1

    def closed(self) -> None:
        self.pipe.readers -= 1
        self.pipe.changed()

    def read(self, size: int) -> Activity[bytes]:
        pipe = self.pipe
        while not pipe.data and pipe.writers:
            yield pipe.wait()
        data = bytes(pipe.data[:size])
        if data:
            del pipe.data[:size]
            pipe.changed()
        return data

    def write(self, data: bytes) -> Activity[None]:
        raise failure(errno.EBADF)
        yield

    def put(self, data: bytes) -> None:
        pass


class WriteEnd:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def opened(self) -> None:
        self.pipe.writers += 1

    def closed(self) -> None:
        self.pipe.writers -= 1
        self.pipe.changed()

    def read(self, size: int) -> Activity[bytes]:
        raise failure(errno.EBADF)
        yield

    def write(self, data: bytes) -> Activity[None]:
        pipe = self.pipe
        while data:
            if not pipe.readers:
                raise failure(errno.EPIPE)
            room = CAPACITY - len(pipe.data)
            if room > 0:
                pipe.data += data[:room]
                data = data[room:]
                pipe.changed()
            else:
                yield pipe.wait()

    def put(self, data: bytes) -> None:
        if self.pipe.readers:
            self.pipe.data += data
            self.pipe.changed()


class Sink:
    """Where what is written leaves the container."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take

    def opened(self) -> None:
        pass

    def closed(self) -> None:
        pass

    def read(self, size: int) -> Activity[bytes]:
        raise failure(errno.EBADF)
        yield

    def write(self, data: bytes) -> Activity[None]:
        self.put(data)
        return
        yield

    def put(self, data: bytes) -> None:
        if data:
            self._take(data)


class Device:
    """``null``, ``zero``, ``full`` or ``urandom``."""

    def __init__(self, name: str, rng: Random) -> None:
        self.name = name
        self._rng = rng

    def opened(self) -> None:
        pass

    def closed(self) -> None:
        pass

    def read(self, size: int) -> Activity[bytes]:
        size = min(size, MANY)
        if self.name == "null":
            return b""
        return self._rng.randbytes(size) if self.name == "urandom" else bytes(size)
        yield

    def write(self, data: bytes) -> Activity[None]:
        if self.name == "full":
            raise failure(errno.ENOSPC)
        return
        yield

    def put(self, data: bytes) -> None:
        pass
