"""What a process sees: one tree at ``/`` and others mounted on its folders, through links, and as far as it is permitted."""

from __future__ import annotations

import errno
from typing import NamedTuple

from swarmsim.unix.files import Inode, NotModelled, Tree, failure, file, folder, join, link, parent

MOST_LINKS = 40  # MAXSYMLINKS of Linux
READ, WRITE, SEARCH = 4, 2, 1


class User(NamedTuple):
    """Who asks."""

    uid: int = 0
    gid: int = 0

    def may(self, inode: Inode, wanted: int) -> bool:
        """``wanted`` is a sum of ``READ``, ``WRITE`` and ``SEARCH``; root may all but execute what nobody may."""
        if self.uid == 0:
            return not (wanted & SEARCH and inode.kind == "file" and not inode.mode & 0o111)
        shift = 6 if self.uid == inode.uid else 3 if self.gid == inode.gid else 0
        return (inode.mode >> shift) & wanted == wanted


ROOT = User()


class Mount(NamedTuple):
    """``tree`` from its folder ``source`` on, seen at ``path``."""

    path: str
    tree: Tree
    source: str = "/"
    read_only: bool = False


class Place(NamedTuple):
    """Where a path leads: ``path`` as the process sees it, without links; ``inner`` in the mount's tree."""

    mount: Mount
    path: str
    inner: str

    @property
    def inode(self) -> Inode | None:
        return self.mount.tree.get(self.inner)


class FileSystem:
    """Mounts of one container, or of a host. All calls raise :class:`OSError` with the kernel's words.

    Nobody can say whether something is in a folder of which only a part is known: to ask for it raises :class:`NotModelled`.
    """

    def __init__(self, root: Tree, *, read_only: bool = False) -> None:
        self.mounts: list[Mount] = [Mount("/", root, read_only=read_only)]

    def mount(self, mount: Mount) -> None:
        """The last one over a path hides those before."""
        self.mounts.append(mount)

    # -- paths

    def _place(self, path: str) -> Place:
        for mount in reversed(self.mounts):
            if mount.path == "/" or path == mount.path or path.startswith(f"{mount.path}/"):
                rest = path[len(mount.path.rstrip("/")) :]
                inner = (mount.source.rstrip("/") + rest) or "/"
                return Place(mount, path, inner)
        raise AssertionError("there is always a root")

    def resolve(self, path: str, user: User = ROOT, *, follow: bool = True) -> Place:
        """The place of an absolute path. Its last part may be missing, all others must be folders that ``user`` may search."""
        return self._resolve(path, user, follow, 0)

    def _resolve(self, path: str, user: User, follow: bool, links: int) -> Place:
        parts = [part for part in path.split("/") if part and part != "."]
        place = self._place("/")
        for n, part in enumerate(parts):
            inode = place.inode
            if inode is None:
                raise self._missing(place, path)
            if inode.kind != "folder":
                raise failure(errno.ENOTDIR, path)
            if not user.may(inode, SEARCH):
                raise failure(errno.EACCES, path)
            if part == "..":
                place = self._place(parent(place.path))
                continue
            inner = self._place(join(place.path, part))
            found = inner.inode
            last = n == len(parts) - 1
            if found is not None and found.kind == "link" and (follow or not last or path.endswith("/")):
                if links >= MOST_LINKS:
                    raise failure(errno.ELOOP, path)
                target = found.target if found.target.startswith("/") else join(place.path, found.target)
                rest = "/".join(parts[n + 1 :])
                return self._resolve(f"{target}/{rest}" if rest else target, user, follow, links + 1)
            place = inner
        if path.endswith("/") and place.inode is not None and place.inode.kind != "folder":
            raise failure(errno.ENOTDIR, path)
        return place

    def _missing(self, place: Place, path: str) -> Exception:
        above = self._place(parent(place.path)).inode
        if above is not None and above.partial and parent(place.path) != place.path:
            return NotModelled(f"{place.path} in this image")
        return failure(errno.ENOENT, path)

    def stat(self, path: str, user: User = ROOT, *, follow: bool = True) -> Inode:
        place = self.resolve(path, user, follow=follow)
        inode = place.inode
        if inode is None:
            raise self._missing(place, path)
        return inode

    def exists(self, path: str, user: User = ROOT) -> bool:
        try:
            self.stat(path, user)
        except OSError:
            return False
        return True

    # -- reading

    def names(self, path: str, user: User = ROOT) -> list[str]:
        """Of what is in a folder, mounts included."""
        place = self.resolve(path, user)
        inode = place.inode
        if inode is None:
            raise failure(errno.ENOENT, path)
        if inode.kind != "folder":
            raise failure(errno.ENOTDIR, path)
        if not user.may(inode, READ):
            raise failure(errno.EACCES, path)
        if inode.partial:
            raise NotModelled(f"all that is in {place.path} of this image")
        return place.mount.tree.names(place.inner)

    def read(self, path: str, user: User = ROOT) -> bytes:
        inode = self.stat(path, user)
        if inode.kind == "folder":
            raise failure(errno.EISDIR, path)
        if not user.may(inode, READ):
            raise failure(errno.EACCES, path)
        return inode.content

    # -- writing

    def _writable(self, place: Place) -> Tree:
        if place.mount.read_only:
            raise failure(errno.EROFS, place.path)
        return place.mount.tree

    def _folder_of(self, place: Place, user: User) -> Tree:
        """The tree of a place whose folder is to be changed."""
        if place.path == "/" or any(place.path == mount.path for mount in self.mounts):
            raise failure(errno.EBUSY, place.path)
        above = self._place(parent(place.path))
        tree = self._writable(above)
        inode = above.inode
        if inode is None:
            raise failure(errno.ENOENT, place.path)
        if not user.may(inode, WRITE | SEARCH):
            raise failure(errno.EACCES, place.path)
        return tree

    def touched(self, path: str, now: float) -> None:
        """A folder's content changed."""
        above = self._place(parent(path))
        above.mount.tree.own(above.inner).mtime = now

    def make(self, path: str, inode: Inode, user: User, now: float) -> Inode:
        """Put something where nothing is yet."""
        place = self.resolve(path, user, follow=False)
        if place.inode is not None:
            raise failure(errno.EEXIST, path)
        tree = self._folder_of(place, user)
        inode.uid, inode.gid, inode.mtime = user.uid, user.gid, now
        tree.put(place.inner, inode)
        self.touched(place.path, now)
        return inode

    def make_folder(self, path: str, user: User, now: float, mode: int = 0o755) -> None:
        self.make(path.rstrip("/") or "/", folder(mode), user, now)

    def make_link(self, target: str, path: str, user: User, now: float) -> None:
        self.make(path, link(target), user, now)

    def open_for_writing(
        self, path: str, user: User, now: float, *, truncate: bool, mode: int = 0o644, create: bool = True
    ) -> Inode:
        """A file to be written to, made if there is none."""
        place = self.resolve(path, user)
        inode = place.inode
        if inode is None:
            if not create or path.endswith("/"):
                raise failure(errno.EISDIR if create else errno.ENOENT, path)
            return self.make(place.path, file(mode=mode), user, now)
        if inode.kind == "folder":
            raise failure(errno.EISDIR, path)
        if not user.may(inode, WRITE):
            raise failure(errno.EACCES, path)
        if inode.kind == "device":
            return inode
        own = self._writable(place).own(place.inner)
        if truncate:
            own.data.clear()
            own.mtime = now
        return own

    def write(self, path: str, data: bytes, user: User = ROOT, now: float = 0.0) -> None:
        """Replace a file's content."""
        self.open_for_writing(path, user, now, truncate=True).data += data

    def unlink(self, path: str, user: User, now: float) -> None:
        place = self.resolve(path, user, follow=False)
        inode = place.inode
        if inode is None:
            raise failure(errno.ENOENT, path)
        if inode.kind == "folder":
            raise failure(errno.EISDIR, path)
        tree = self._folder_of(place, user)
        self._check_sticky(place, inode, user)
        inode.links -= 1
        tree.remove(place.inner)
        self.touched(place.path, now)

    def _check_sticky(self, place: Place, inode: Inode, user: User) -> None:
        above = self._place(parent(place.path)).inode
        if above is not None and above.mode & 0o1000 and user.uid not in (0, inode.uid, above.uid):
            raise failure(errno.EPERM, place.path)

    def remove_folder(self, path: str, user: User, now: float) -> None:
        place = self.resolve(path.rstrip("/") or "/", user, follow=False)
        inode = place.inode
        if inode is None:
            raise failure(errno.ENOENT, path)
        if inode.kind != "folder":
            raise failure(errno.ENOTDIR, path)
        tree = self._folder_of(place, user)
        self._check_sticky(place, inode, user)
        if tree.names(place.inner):
            raise failure(errno.ENOTEMPTY, path)
        tree.remove(place.inner)
        self.touched(place.path, now)

    def rename(self, old: str, new: str, user: User, now: float) -> None:
        """Within one mount; raises ``EXDEV`` between two."""
        source = self.resolve(old.rstrip("/") or "/", user, follow=False)
        target = self.resolve(new.rstrip("/") or "/", user, follow=False)
        moved, there = source.inode, target.inode
        if moved is None:
            raise failure(errno.ENOENT, old)
        if source.path == target.path:
            return
        if moved.kind == "folder" and target.path.startswith(f"{source.path}/"):
            raise failure(errno.EINVAL, new)
        tree = self._folder_of(source, user)
        self._folder_of(target, user)
        self._check_sticky(source, moved, user)
        if source.mount.tree is not target.mount.tree:
            raise failure(errno.EXDEV, new)
        if there is not None:
            if there.kind == "folder" and moved.kind != "folder":
                raise failure(errno.EISDIR, new)
            if there.kind != "folder" and moved.kind == "folder":
                raise failure(errno.ENOTDIR, new)
            if there.kind == "folder" and tree.names(target.inner):
                raise failure(errno.ENOTEMPTY, new)
            tree.remove(target.inner)
        tree.move(source.inner, target.inner)
        self.touched(source.path, now)
        self.touched(target.path, now)

    def hard_link(self, old: str, new: str, user: User, now: float) -> None:
        """Another name for a file, which is copied up for it."""
        source = self.resolve(old, user, follow=False)
        target = self.resolve(new, user, follow=False)
        inode = source.inode
        if inode is None:
            raise failure(errno.ENOENT, old)
        if inode.kind == "folder":
            raise failure(errno.EPERM, old)
        if target.inode is not None:
            raise failure(errno.EEXIST, new)
        tree = self._folder_of(target, user)
        if source.mount.tree is not tree:
            raise failure(errno.EXDEV, new)
        own = tree.own(source.inner)
        own.links += 1
        tree.put(target.inner, own)
        self.touched(target.path, now)

    def own(self, path: str, user: User, *, follow: bool = True) -> Inode:
        """An inode whose attributes are to be changed by its owner."""
        place = self.resolve(path, user, follow=follow)
        inode = place.inode
        if inode is None:
            raise failure(errno.ENOENT, path)
        tree = self._writable(place)
        if user.uid not in (0, inode.uid):
            raise failure(errno.EPERM, path)
        return tree.own(place.inner)
