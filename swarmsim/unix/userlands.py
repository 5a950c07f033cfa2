"""What is in an image, by whose programs it has: the layers under a container's own."""

from __future__ import annotations

from functools import cache

from swarmsim.unix.applets import APPLETS, LINKS
from swarmsim.unix.executables import BUSYBOX, executable
from swarmsim.unix.files import Inode, Layer, file, folder, link

PASSWD = """root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
mail:x:8:12:mail:/var/mail:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
"""
GROUP = """root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
mail:x:12:mail
nobody:x:65534:
"""


def _devices() -> dict[str, Inode | None]:
    made: dict[str, Inode | None] = {"/dev": folder(partial=True)}
    for name in ("full", "null", "urandom", "zero"):
        made[f"/dev/{name}"] = Inode("device", 0o666, device=name)
    made["/dev/random"] = Inode("device", 0o666, device="urandom")
    return made


@cache
def busybox() -> Layer:
    """The recorded clusters' image: a busybox, links to it, and nothing else."""
    return Layer(
        {
            "/.dockerenv": file(mode=0o755),
            "/bin": folder(),
            "/bin/busybox": executable(BUSYBOX),
            **{f"/bin/{name}": link(BUSYBOX) for name in LINKS},
            "/etc": folder(),
            "/tmp": folder(),
            "/proc": folder(0o555, partial=True),
            "/sys": folder(0o555, partial=True),
            **_devices(),
        }
    )


@cache
def alpine(tools: tuple[str, ...] = ()) -> Layer:
    """An image made from alpine: of its folders only a part is known. ``tools`` are programs it has besides."""
    return Layer(
        {
            "/.dockerenv": file(mode=0o755),
            **{f"/{name}": folder(partial=True) for name in ("bin", "etc", "lib", "sbin", "usr", "var", "run")},
            **{f"/{name}": folder() for name in ("home", "media", "mnt", "opt", "srv")},
            "/root": folder(0o700),
            "/tmp": folder(0o1777),
            "/usr/bin": folder(partial=True),
            "/bin/busybox": executable(BUSYBOX),
            **{f"/bin/{name}": link("/bin/busybox") for name in APPLETS},
            **{f"/usr/bin/{name}": executable(name) for name in ("getent", *tools)},
            "/etc/passwd": file(PASSWD),
            "/etc/group": file(GROUP),
            "/proc": folder(0o555, partial=True),
            "/sys": folder(0o555, partial=True),
            **_devices(),
        }
    )
