"""All hosts' certificates, keys and roots as files, named and protected as an engine's are in /var/lib/docker/swarm/certificates."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from swarmsim.pki.papers import Papers, papers_of
from swarmsim.trace.trust import Trust

READ_ME = """These certificates and keys were made by swarmsim, a simulation: the keys follow from the seed of a run and are no secret.
Do not use them anywhere. Each certificate says so itself (Netscape Comment).

HOST/swarm-node.crt     the node's certificate; while the root is rotated the cross-signed new root is behind it
HOST/swarm-node.key     its key
HOST/swarm-root-ca.crt  the root that the node trusts

Time in the run began on 1 January 2026 at 09:00 UTC: openssl verify -attime SECONDS -CAfile HOST/swarm-root-ca.crt -untrusted HOST/swarm-node.crt HOST/swarm-node.crt
"""


class ExportError(Exception):
    """The files cannot be written; the message names the place and what would be right."""


def refuse_folder(folder: Path) -> None:
    """Raises :class:`ExportError` unless the folder is not there yet, or empty."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ExportError(f"{folder}: is there already, and not an empty folder; name one that is not there")
        if not folder.absolute().parent.is_dir():
            raise ExportError(f"{folder}: cannot be made: {folder.absolute().parent} is no folder")
    except OSError as problem:
        raise ExportError(f"{folder}: cannot be read: {problem.strerror}") from None


def export_pki(trust: Trust, folder: Path) -> int:
    """Write the papers of all hosts that have a certificate, whole or not at all; how many hosts. Raises :class:`ExportError`."""
    refuse_folder(folder)
    found = {host: papers_of(trust, host) for host in trust.certificates}
    _whole(folder, lambda made: _write(found, made))
    return len(found)


def _write(found: dict[str, Papers], folder: Path) -> None:
    (folder / "README").write_text(READ_ME, encoding="utf-8")
    for host, papers in found.items():
        place = folder / host
        place.mkdir()
        (place / "swarm-node.crt").write_text(papers.certificate, encoding="ascii")
        (place / "swarm-root-ca.crt").write_text(papers.root, encoding="ascii")
        # Never readable by others, not even before all of it is written.
        with open(os.open(place / "swarm-node.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(papers.key)


def _whole(folder: Path, write: Callable[[Path], object]) -> None:
    """Have a folder written beside its place, then put it there."""
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
        try:
            write(made)
            made.chmod(0o755)
            made.replace(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as problem:
        raise ExportError(f"{folder}: cannot be written: {problem.strerror}") from None
