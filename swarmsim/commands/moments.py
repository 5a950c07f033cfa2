"""Commands that show one moment of a run: ``swarmsim cert``, ``swarmsim pki``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarmsim.commands.given import At, Seed, Source, fail, guarded, seconds, until_then
from swarmsim.pki import NoCertificate, certificate_text, papers_of
from swarmsim.pki.trust import trust_text
from swarmsim.trace.state import state_of


def cert(
    source: Source,
    host: Annotated[str, typer.Argument(help="whose certificate")],
    at: At = None,
    seed: Seed = None,
    root: Annotated[
        bool, typer.Option("--root", help="the root that the host trusts, not its own certificate")
    ] = False,
    pem: Annotated[bool, typer.Option("--pem", help="only the PEM, as openssl reads it")] = False,
    key: Annotated[bool, typer.Option("--key", help="the host's key, in PEM")] = False,
) -> None:
    """Show a host's certificate at a moment, as openssl x509 -text does."""
    if key and (root or pem):
        raise fail("--key shows the host's key alone: leave --root and --pem out")
    try:
        papers = papers_of(state_of(until_then(source, at, seed).rows).trust, host)
    except NoCertificate as problem:
        raise fail(problem) from None
    shown = papers.root if root else papers.certificate
    if not (key or pem):
        print(certificate_text(shown))
    print(papers.key if key else shown, end="")


def pki(
    source: Source,
    at: At = None,
    seed: Seed = None,
    out: Annotated[Path | None, typer.Option(help="PNG, SVG or PDF to write; default: SOURCE-pki.png")] = None,
) -> None:
    """Say and draw who trusts whom at a moment: roots, whose certificates they signed, who would refuse whom."""
    from swarmsim import plot as pictures

    trace = until_then(source, at, seed)
    moment = seconds("--at", at)
    then = trace.duration if moment is None else moment
    target = out or Path(f"{Path(source).stem}-pki.png")
    print(trust_text(state_of(trace.rows).trust, trace.begin + then))
    guarded(lambda: pictures.save(pictures.pki(trace, then), target))
    print(target)
