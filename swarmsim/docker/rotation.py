"""Waiting for the root to be rotated (docker/cli command/swarm/progress/root_rotation.go)."""

from __future__ import annotations

from hashlib import sha256

from swarmsim.apitypes.swarm import Node, Swarm
from swarmsim.docker.command import CommandContext
from swarmsim.docker.display import Display, Shown
from swarmsim.sim.future import Activity

POLL = 0.2  # seconds
DIGEST, CERTIFICATES, ROOTS = "desired root digest", "  rotated TLS certificates", "  rotated CA certificates"


def wait_on_rotation(command: CommandContext, quiet: bool) -> Activity[None]:
    """Show how many nodes have certificates of the new root, and how many trust it; then the root, unless ``quiet``."""
    display, done = Display(command.out, quiet), False
    # One character more where the name has one less, so that the bars stand below each other.
    display.show(Shown(DIGEST, ""), Shown(CERTIFICATES, ""), Shown(ROOTS, " "))
    while True:
        swarm = yield from command.api.swarm_inspect()
        if done:
            break
        nodes = yield from command.api.node_list()
        total = len(nodes)
        renewed = sum(_has_issuer(node, swarm) for node in nodes)
        # The new root is spread when all certificates are right; until then none counts.
        over = renewed == total and not swarm.root_rotation
        trusting = sum(node.description.tls.trust_root == swarm.tls.trust_root for node in nodes) if over else 0
        display.show(
            Shown(DIGEST, f"sha256:{sha256(swarm.tls.trust_root.encode()).hexdigest()}"),
            Shown(CERTIFICATES, "", renewed, total, "nodes"),
            Shown(ROOTS, " ", trusting, total, "nodes"),
        )
        done = over and trusting == total
        if (yield from command.pause(POLL)):
            if not done:
                display.say("Operation continuing in background.")
                display.say("Use `swarmctl cluster inspect default` to check progress.")
            return
    if not quiet:
        command.out(swarm.tls.trust_root)


def _has_issuer(node: Node, swarm: Swarm) -> bool:
    ours, wanted = node.description.tls, swarm.tls
    return (ours.issuer_subject, ours.issuer_public_key) == (wanted.issuer_subject, wanted.issuer_public_key)
