"""Certificates of a swarm's nodes and of its authority (ca/certificates.go, ca/config.go, and cfssl, which signs).

A certificate is a record: whose, as what, from when to when, signed by whom. That is all that a handshake looks at, so a run in which nobody
asks for a certificate signs none but the first root, whose digest is in the join tokens. Asked for its ``pem``, each is true X.509 that other tools
read and verify. Keys and serial numbers come from the seed, so they are no secret: every certificate says in a comment that a simulation made it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.errors import ModelError
from swarmsim.sim.streams import base36
from swarmsim.swarm.role import Role

MINUTE = 60.0  # seconds
ROOT_VALIDITY = 630_720_000.0  # seconds, ca/certificates.go RootCAExpiration: 20 years
ROOT_BACKDATE = 5 * MINUTE  # cfssl signer.go FillTemplate, where a policy names none
BACKDATE = 60 * MINUTE  # ca/certificates.go CertBackdate
MIN_EXPIRY = 60 * MINUTE  # ca/certificates.go MinNodeCertExpiration
DEFAULT_EXPIRY = 2160 * 60 * MINUTE  # ca/certificates.go DefaultNodeCertExpiration: 90 days
LOWER_RENEWAL, UPPER_RENEWAL = 0.5, 0.8
"""Of the validity (ca/certificates.go CertLowerRotationRange, CertUpperRotationRange)."""

ORGANIZATIONAL_UNIT = {Role.WORKER: "swarm-worker", Role.MANAGER: "swarm-manager"}
CA_NAME = "swarm-ca"
COMMENT = b"made by swarmsim, a simulation: the key of this certificate is no secret"
COMMENT_OID = ObjectIdentifier("2.16.840.1.113730.1.13")
"""Netscape's nsComment, which ``openssl x509 -text`` shows as text."""
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256's group


class CertificateError(ModelError):
    """A certificate is not to be trusted; the words are those of the engine."""


class UnknownAuthority(CertificateError):
    """Nobody vouches for it who is trusted."""

    def __init__(self) -> None:
        super().__init__("x509: certificate signed by unknown authority")


class RootCA(NamedTuple):
    """A root certificate and its ``key`` (ca/certificates.go RootCA with its Signer); times are simulated seconds.

    Whoever has the record could read the key. Only the leader's certificate authority does. Of a root that somebody brought along
    (:mod:`~swarmsim.swarm.ca.given`) the certificate itself is ``given``, in PEM, and the key is 0: not known here.
    """

    serial: int
    key: int
    not_before: float
    not_after: float
    given: str = ""

    @property
    def pem(self) -> str:
        return self.given or _root_pem(self, None)

    def cross_signed(self, by: RootCA) -> str:
        """This certificate in PEM, signed by another root, so that whoever trusts only that one accepts what this one signed."""
        return _root_pem(self, by)

    @property
    def subject(self) -> bytes:
        """DER, as ``docker node inspect`` shows it."""
        return _shown(self)[0]

    @property
    def name(self) -> x509.Name:
        return loaded(self.given).subject if self.given else _ca_name()

    @property
    def public(self) -> CertificatePublicKeyTypes:
        return loaded(self.given).public_key() if self.given else private_key(self.key).public_key()

    @property
    def public_key(self) -> bytes:
        """DER, as ``docker node inspect`` shows it."""
        return _shown(self)[1]

    def verify(self, now: float) -> None:
        """Raises :class:`CertificateError` in Go's words if it is not valid at ``now`` (seconds by the own clock)."""
        if now < self.not_before:
            raise CertificateError(_expired("before", self.not_before, now))
        if now > self.not_after:
            raise CertificateError(_expired("after", self.not_after, now))

    def load(self, now: float) -> None:
        """As :meth:`verify`, in the words of SwarmKit when it takes a root from disk or from a manager (ca/certificates.go NewRootCA)."""
        try:
            self.verify(now)
        except CertificateError as error:
            raise CertificateError(f"error while validating Root CA Certificate: {error}") from None

    @property
    def digest(self) -> str:
        """50 base-36 digits of the certificate's SHA-256, as in every join token."""
        return base36(int.from_bytes(hashlib.sha256(self.pem.encode()).digest(), "big"), 50)


class Certificate(NamedTuple):
    """A node's certificate: CN ``node_id``, O ``cluster_id``, OU by its role; times are simulated seconds.

    While the root is being rotated the new root signs, and ``through`` is the old one, which signed the new: both vouch for the node.
    What a root signed whose key is not known here is ``given``, in PEM with all it needs.
    """

    node_id: str
    cluster_id: str
    role: Role
    issuer: RootCA
    through: RootCA | None
    serial: int
    key: int
    not_before: float
    not_after: float
    given: str = ""

    @property
    def pem(self) -> str:
        """The certificate, and after it the cross-signed root it needs, if it does."""
        return self.given or _node_pem(self) + (
            self.issuer.cross_signed(self.through) if self.through is not None else ""
        )

    @property
    def private_key(self) -> str:
        """Its key in PEM (EC PRIVATE KEY), as in swarm-node.key."""
        return (
            private_key(self.key)
            .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            .decode("ascii")
        )

    def verify(self, trusted: RootCA, now: float, *, on_the_wire: bool = False) -> None:
        """Raises :class:`CertificateError` if it is not to be trusted at ``now`` (seconds by the own clock) by whoever trusts one root:
        in the words of SwarmKit, which looks at its own (ca/certificates.go ValidateCertChain), or of Go, which looks at another's at a handshake."""
        words = _expired if on_the_wire else self._not_valid
        if now < self.not_before:
            raise CertificateError(words("before", self.not_before, now))
        if now > self.not_after:
            raise CertificateError(words("after", self.not_after, now))
        if trusted not in (self.issuer, self.through):
            raise UnknownAuthority
        trusted.verify(now)

    def _not_valid(self, side: str, limit: float, now: float) -> str:
        return (
            f"certificate (1 - {self.node_id}) not valid {side} {_rfc1123(limit)}, and it is currently {_rfc1123(now)}: "
            "x509: certificate has expired or is not yet valid: "
        )


def _expired(side: str, limit: float, now: float) -> str:
    """Go's words (crypto/x509 verify.go isValid)."""
    return (
        f"x509: certificate has expired or is not yet valid: current time {_rfc3339(now)} is {side} {_rfc3339(limit)}"
    )


def create_root(rng: Random, now: float) -> RootCA:
    """A self-signed ECDSA P-256 root, CN=swarm-ca, valid for 20 years from five minutes before the minute of ``now`` (seconds)."""
    key = new_key(rng)
    not_before = to_the_minute(now) - ROOT_BACKDATE
    return RootCA(new_serial(rng), key, not_before, not_before + ROOT_VALIDITY)


def issue(
    rng: Random,
    now: float,
    *,
    issuer: RootCA,
    through: RootCA | None = None,
    node_id: str,
    cluster_id: str,
    role: Role,
    expiry: float = DEFAULT_EXPIRY,
) -> Certificate:
    """A node's certificate signed at ``now`` and valid for ``expiry`` more seconds; 90 days if that is less than an hour
    (ca/config.go SigningPolicy)."""
    key = new_key(rng)
    not_before = to_the_minute(now) - BACKDATE
    validity = (expiry if expiry >= MIN_EXPIRY else DEFAULT_EXPIRY) + BACKDATE
    return Certificate(
        node_id, cluster_id, role, issuer, through, new_serial(rng), key, not_before, not_before + validity
    )


def until_renewal(certificate: Certificate, now: float, rng: Random) -> float:
    """Seconds from ``now`` until the node asks for its next certificate: a minute drawn evenly from 50 to 80 % of the validity
    (ca/config.go calculateRandomExpiry)."""
    minutes = int((certificate.not_after - certificate.not_before) // MINUTE)
    lower, upper = int(minutes * LOWER_RENEWAL), int(minutes * UPPER_RENEWAL)
    drawn = lower if upper - lower < 1 else lower + rng.randrange(upper - lower)
    return max(0.0, certificate.not_before + drawn * MINUTE - now)


def join_token(digest: str, rng: Random) -> str:
    """``SWMTKN-1-<50 digits of the root's digest>-<25 digits of secret>``."""
    return f"SWMTKN-1-{digest}-{base36(rng.getrandbits(128), 25)[:25]}"


# -- X.509


def new_key(rng: Random) -> int:
    return rng.getrandbits(255) % (_ORDER - 1) + 1


def new_serial(rng: Random) -> int:
    return rng.getrandbits(158) | 1


def private_key(key: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(key, ec.SECP256R1())


def moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def to_the_minute(seconds: float) -> float:
    """Rounded as Go's ``time.Round`` does, half up. The simulated clock begins at a full minute."""
    return (seconds + MINUTE / 2) // MINUTE * MINUTE


def _rfc1123(seconds: float) -> str:
    return moment(seconds).strftime("%a, %d %b %Y %H:%M:%S UTC")


def _rfc3339(seconds: float) -> str:
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(kind: ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    """Go writes names such as these as PrintableString, and inspect shows the bytes."""
    return x509.NameAttribute(kind, value, _ASN1Type.PrintableString)


def _ca_name() -> x509.Name:
    return x509.Name([_text(NameOID.COMMON_NAME, CA_NAME)])


def key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


@lru_cache(maxsize=64)
def loaded(pem: str) -> x509.Certificate:
    """The first certificate of a text. Raises :class:`ValueError`."""
    return x509.load_pem_x509_certificate(pem.encode())


def sign(builder: x509.CertificateBuilder, key: CertificateIssuerPrivateKeyTypes) -> str:
    """What all have in common, signed: the comment, and a signature that follows from key and content alone."""
    builder = builder.add_extension(
        x509.UnrecognizedExtension(COMMENT_OID, b"\x16" + bytes([len(COMMENT)]) + COMMENT), False
    )
    always = True if isinstance(key, ec.EllipticCurvePrivateKey) else None
    signed = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=always)
    return signed.public_bytes(Encoding.PEM).decode("ascii")


@lru_cache(maxsize=64)
def _shown(root: RootCA) -> tuple[bytes, bytes]:
    """A root's name and public key. Who waits for a rotation asks for them again and again, once a node."""
    return root.name.public_bytes(), root.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@lru_cache(maxsize=256)
def _root_pem(root: RootCA, signer: RootCA | None) -> str:
    public = private_key(root.key).public_key()
    return sign(
        x509.CertificateBuilder()
        .subject_name(_ca_name())
        .issuer_name(_ca_name())
        .public_key(public)
        .serial_number(root.serial)
        .not_valid_before(moment(root.not_before))
        .not_valid_after(moment(root.not_after))
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False),
        private_key((signer or root).key),
    )


@lru_cache(maxsize=256)
def _node_pem(certificate: Certificate) -> str:
    return sign(unsigned(certificate), private_key(certificate.issuer.key))


def unsigned(
    certificate: Certificate, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey | None = None
) -> x509.CertificateBuilder:
    """All of a node's certificate but the signature; ``public`` is its key, if that does not follow from the seed."""
    public = public or private_key(certificate.key).public_key()
    unit = ORGANIZATIONAL_UNIT[certificate.role]
    issuer_key = certificate.issuer.public
    assert isinstance(issuer_key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    return (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    _text(NameOID.ORGANIZATION_NAME, certificate.cluster_id),
                    _text(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                    _text(NameOID.COMMON_NAME, certificate.node_id),
                ]
            )
        )
        .issuer_name(certificate.issuer.name)
        .public_key(public)
        .serial_number(certificate.serial)
        .not_valid_before(moment(certificate.not_before))
        .not_valid_after(moment(certificate.not_after))
        .add_extension(key_usage(authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in hosts(certificate.node_id, certificate.role)]),
            critical=False,
        )
    )


def hosts(node_id: str, role: Role) -> list[str]:
    """The names that a node's certificate is good for (ca/certificates.go PrepareCSR)."""
    return [ORGANIZATIONAL_UNIT[role], node_id, *([CA_NAME] if role is Role.MANAGER else [])]
