"""What a node shows at handshakes, and whom it trusts (ca/config.go SecurityConfig, ca/transport.go)."""

from __future__ import annotations

from swarmsim.sim.clock import Clock
from swarmsim.sim.net.tls import Credentials
from swarmsim.swarm.ca.certificates import ORGANIZATIONAL_UNIT, Certificate, CertificateError, RootCA


class SecurityConfig:
    """A node's certificate and the root it trusts, as they are now."""

    def __init__(self, clock: Clock, certificate: Certificate, root: RootCA) -> None:
        self.clock = clock
        self.certificate = certificate
        self.root = root

    @property
    def unit(self) -> str:
        return ORGANIZATIONAL_UNIT[self.certificate.role]

    def refusal_of(self, other: Credentials) -> str | None:
        """Who shows no certificate may ask for one. Whoever shows one must be vouched for by the root, and it must be valid now."""
        if not isinstance(other, SecurityConfig):
            return None
        try:
            other.certificate.verify(self.root, self.clock.now, on_the_wire=True)
        except CertificateError as error:
            return str(error)
        return None
