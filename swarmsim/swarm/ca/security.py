"""What a node shows at handshakes, and whom it trusts (ca/config.go SecurityConfig, ca/transport.go)."""

from __future__ import annotations

from swarmsim.sim.net.tls import Credentials
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.ca.certificates import ORGANIZATIONAL_UNIT, Certificate, CertificateError, RootCA


class Newcomer:
    """A process that has no certificate yet and asks for one: it trusts the root that its join token named."""

    unit = name = organization = ""

    def __init__(self, wall: WallClock, root: RootCA) -> None:
        self.wall = wall
        self.root = root

    def refusal_of(self, other: Credentials) -> str | None:
        return _refusal(other, self.root, self.wall)


def _refusal(other: Credentials, root: RootCA, wall: WallClock) -> str | None:
    """Who shows no certificate may ask for one. Whoever shows one must be vouched for by the root, and it must be valid now."""
    if not isinstance(other, SecurityConfig):
        return None
    try:
        other.certificate.verify(root, wall.now, on_the_wire=True)
    except CertificateError as error:
        return str(error)
    return None


class SecurityConfig:
    """A node's certificate and the root it trusts, as they are now; certificates are judged by the ``wall`` clock of its host."""

    def __init__(self, wall: WallClock, certificate: Certificate, root: RootCA) -> None:
        self.wall = wall
        self.certificate = certificate
        self.root = root

    @property
    def unit(self) -> str:
        return ORGANIZATIONAL_UNIT[self.certificate.role]

    @property
    def name(self) -> str:
        return self.certificate.node_id

    @property
    def organization(self) -> str:
        return self.certificate.cluster_id

    def refusal_of(self, other: Credentials) -> str | None:
        return _refusal(other, self.root, self.wall)
