"""The root certificate and join tokens (ca/certificates.go CreateRootCA, ca/config.go GenerateJoinToken)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from random import Random
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.streams import base36

ROOT_VALIDITY = 630_720_000  # seconds, ca.RootCAExpiration: 20 years
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256's group


class RootCA(NamedTuple):
    """A root certificate in PEM, and the parts of it that ``docker node inspect`` shows, as DER."""

    certificate: str
    subject: bytes
    public_key: bytes

    @property
    def digest(self) -> str:
        """50 base-36 digits of the certificate's SHA-256, as in every join token."""
        return base36(int.from_bytes(hashlib.sha256(self.certificate.encode()).digest(), "big"), 50)


def create_root(rng: Random, now: float) -> RootCA:
    """A self-signed ECDSA P-256 certificate, CN=swarm-ca, valid for 20 years from ``now`` (seconds)."""
    key = ec.derive_private_key(rng.getrandbits(255) % (_ORDER - 1) + 1, ec.SECP256R1())
    # Go encodes a common name like this one as a PrintableString, and inspect shows the bytes.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "swarm-ca", _ASN1Type.PrintableString)])
    start = (EPOCH + timedelta(seconds=now)).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(rng.getrandbits(158) | 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(seconds=ROOT_VALIDITY))
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    return RootCA(
        certificate.public_bytes(Encoding.PEM).decode(),
        name.public_bytes(),
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def join_token(digest: str, rng: Random) -> str:
    """``SWMTKN-1-<50 digits of the root's digest>-<25 digits of secret>``."""
    return f"SWMTKN-1-{digest}-{base36(rng.getrandbits(128), 25)[:25]}"
