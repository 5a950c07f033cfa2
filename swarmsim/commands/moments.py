"""Commands that show one moment of a run: ``swarmsim cert``, ``swarmsim pki``, ``swarmsim net``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarmsim.commands.given import At, Seed, Source, fail, guarded, load_to_run, seconds, until_then
from swarmsim.pki import NoCertificate, certificate_text, papers_of
from swarmsim.pki.trust import trust_text
from swarmsim.scenario.loader import LoadedScenario, ScenarioError
from swarmsim.scenario.runner import ScenarioRun, build_world
from swarmsim.trace.reader import TRACE_FILES
from swarmsim.trace.state import state_of
from swarmsim.world.hostnet import HOST, HostNet, NoPower, Part, host_net, shown


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


def net(
    host: Annotated[str, typer.Argument(help="whose network")],
    scenario: Annotated[str, typer.Argument(help="a scenario file, or the name of a shipped scenario")] = "playground",
    at: At = None,
    seed: Annotated[int, typer.Option(help="seed of the run")] = 1,
    only: Annotated[list[Part] | None, typer.Option("--only", help="a part of it; repeatable")] = None,
    netns: Annotated[
        str | None,
        typer.Option(
            "--netns", help=f"one namespace: {HOST}, ingress_sbox, or another of those in /var/run/docker/netns"
        ),
    ] = None,
) -> None:
    """Show a host's network at a moment: what ip, bridge, iptables-save and ipvsadm would print, namespace by namespace."""
    if scenario.endswith(TRACE_FILES):
        raise fail(
            f"{scenario}: a trace does not tell of bridges and rules: give the scenario it was made of (and --seed), which is run again"
        )
    loaded, moment = load_to_run(scenario), seconds("--at", at)
    hosts = [name for names in loaded.scenario.cluster.names() for name in names]
    if host not in hosts:
        raise fail(f"{host}: no host of {loaded.scenario.name}; there are {', '.join(hosts)}")
    try:
        found, begun = _net_at(loaded, host, moment, seed)
    except NoPower:
        raise fail(f"{host} has no power at that moment, and so no network; choose another with --at") from None
    except ScenarioError as problem:
        raise fail(problem) from None
    names = [space.name for space in found.namespaces]
    if netns is not None and netns not in names:
        raise fail(f"--netns {netns}: {host} has no such namespace at that moment; there are {', '.join(names)}")
    print(
        f"# {host}, {found.now - begun:.1f} s after {loaded.scenario.name} began. Its own network card, {found.address}, is left out."
    )
    print(shown(found, only or tuple(Part), netns), end="")


def _net_at(loaded: LoadedScenario, host: str, at: float | None, seed: int) -> tuple[HostNet, float]:
    """A host's network so many seconds after the scenario began, or at its end; and when it began. Engines gossip, whatever the scenario
    says: what a host knows of others' tasks comes by that."""
    world = build_world(loaded.scenario.gossiping(), seed)
    run = ScenarioRun(loaded, world, open_ended=True)
    if at is None:
        run.finish()
    else:
        while run.begin is None:
            run.next()
        run.advance(run.begin + at)
    assert run.begin is not None
    return host_net(world.engines[host]), run.begin
