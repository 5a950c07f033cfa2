"""Certificates that others made: roots that somebody brings along, with or without their keys, and what such roots sign.

They are parsed, and what they sign is signed at once: nothing follows from the seed here. Words are those of SwarmKit and of cfssl's
helpers, which it parses with (ca/certificates.go NewRootCA, newLocalSigner).
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from random import Random

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from swarmsim.sim.clock import EPOCH
from swarmsim.swarm.ca.certificates import (
    BACKDATE,
    COMMENT_OID,
    ORGANIZATIONAL_UNIT,
    ROOT_BACKDATE,
    ROOT_VALIDITY,
    Certificate,
    CertificateError,
    RootCA,
    hosts,
    key_usage,
    loaded,
    moment,
    new_serial,
    private_key,
    sign,
    to_the_minute,
    unsigned,
)
from swarmsim.swarm.role import Role

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def normalized(pem: str) -> str:
    """Certificates one after the other, as SwarmKit compares and keeps them (ca/config.go NormalizePEMs)."""
    return "".join(f"{block}\n" for block in _BLOCK.findall(pem.replace("\r", "")))


def parse_root(pem: str, now: float) -> RootCA:
    """One root certificate from PEM; ``now`` in seconds by the own clock. Raises :class:`CertificateError`."""
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        failure = '{"code":1003,"message":"Failed to parse certificate"}'
        raise CertificateError(f"invalid root certificates: {failure}") from None
    roots = [_root(each) for each in certificates]
    for root in roots:
        root.load(now)
    if len(roots) != 1:
        raise CertificateError("the desired CA certificate cannot contain multiple certificates")
    return roots[0]


def check_key(root: RootCA, key: str) -> None:
    """Raises :class:`CertificateError` unless ``key`` (PEM) is the root's."""
    public = _loaded_key(key).public_key()
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if public.public_bytes(*form) != root.public_key:
        raise CertificateError("certificate key mismatch")


def sign_with(key: str, certificate: Certificate, chain: str) -> Certificate:
    """A node's certificate signed with a key in PEM, with the ``chain`` it needs after it."""
    return certificate._replace(given=sign(unsigned(certificate), _loaded_key(key)) + chain)


def signed_through(certificate: Certificate, chain: str) -> Certificate:
    """A node's certificate by a root whose key follows from the seed, with a ``chain`` to a root that somebody brought along."""
    return certificate._replace(given=certificate._replace(through=None).pem + chain)


def cross_sign(root: RootCA, by: RootCA, key: str) -> str:
    """``root`` in PEM, signed by another root, whose ``key`` is in PEM if it does not follow from the seed (CrossSignCACertificate)."""
    certificate = loaded(root.pem)
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(by.name)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    for extension in certificate.extensions:
        if extension.oid != COMMENT_OID:  # sign() adds it to all
            builder = builder.add_extension(extension.value, extension.critical)
    return sign(builder, _loaded_key(key) if key else private_key(by.key))


# -- asking an external authority (ca/external.go)


def signing_request(key: int, node_id: str, cluster_id: str, role: Role) -> str:
    """The body of a request to cfssl for a node's certificate, whose key follows from the seed (ca/certificates.go PrepareCSR)."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return _body(
        request.sign(private_key(key), hashes.SHA256(), ecdsa_deterministic=True),
        hosts(node_id, role),
        {"CN": node_id, "names": [_names(O=cluster_id, OU=ORGANIZATIONAL_UNIT[role])]},
    )


def cross_signing_request(root: RootCA, key: str) -> str:
    """The body of a request to cfssl that another root be signed (CrossSignRootCA); ``key`` in PEM if it does not follow from the seed."""
    certificate = loaded(root.pem)
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    request = x509.CertificateSigningRequestBuilder().subject_name(certificate.subject).add_extension(constraints, True)
    private = _loaded_key(key) if key else private_key(root.key)
    always = True if isinstance(private, ec.EllipticCurvePrivateKey) else None
    name = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    body = json.loads(
        _body(
            request.sign(private, hashes.SHA256(), ecdsa_deterministic=always),
            None,
            {"CN": str(name[0].value) if name else "", "names": []},
        )
    )
    critical = {"id": "2.5.29.19", "critical": True, "value": constraints.public_bytes().hex()}
    return json.dumps({**body, "profile": "CA", "extensions": [critical]}, separators=(",", ":"))


def _body(request: x509.CertificateSigningRequest, names: list[str] | None, subject: dict[str, object]) -> str:
    pem = request.public_bytes(Encoding.PEM).decode()
    body = {
        "hosts": names,
        "certificate_request": pem,
        "subject": {**subject, "SerialNumber": ""},
        "profile": "",
        "crl_override": "",
        "label": "",
    }
    return json.dumps(body, separators=(",", ":"))


def _names(**given: str) -> dict[str, str]:
    return {"C": "", "ST": "", "L": "", "O": "", "OU": "", **given, "SerialNumber": ""}


def issued(pem: str, *, wanted: Certificate, chain: str) -> Certificate:
    """What an authority answered with; ``wanted`` is what it was asked for. Raises :class:`CertificateError`.

    It need not be what was asked for: whoever gets it finds that out.
    """
    try:
        leaf = x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError:
        raise CertificateError("certificate signing request failed") from None
    issuer = wanted.issuer if _signed_by(leaf, loaded(wanted.issuer.pem)) else _root(leaf)
    return wanted._replace(
        issuer=issuer,
        through=wanted.through if issuer == wanted.issuer else None,
        serial=leaf.serial_number,
        not_before=_seconds(leaf.not_valid_before_utc),
        not_after=_seconds(leaf.not_valid_after_utc),
        given=normalized(pem) + chain,
    )


# -- signing as cfssl does, for who plays the authority


def authority_root(name: str, key: int, serial: int, now: float) -> RootCA:
    """A root of another's, CN=``name``, whose key follows from the seed but is not known to the swarm."""
    public = private_key(key).public_key()
    begins = to_the_minute(now) - ROOT_BACKDATE
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    pem = sign(
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(moment(begins))
        .not_valid_after(moment(begins + ROOT_VALIDITY))
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False),
        private_key(key),
    )
    return parse_root(pem, now)


def answer(body: str, root: RootCA, key: int, rng: Random, now: float, expiry: float) -> str:
    """What a request asks for, signed: PEM. ``expiry`` and ``now`` in seconds. Raises :class:`ValueError` for what is no request."""
    given = json.loads(body)
    request = x509.load_pem_x509_csr(given["certificate_request"].encode())
    public = request.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    serial = new_serial(rng)
    if given["profile"] == "CA":
        own = loaded(root.pem)
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(root.name)
            .public_key(public)
            .serial_number(serial)
            .not_valid_before(own.not_valid_before_utc)
            .not_valid_after(own.not_valid_after_utc)
            .add_extension(key_usage(authority=True), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        )
    else:
        names = given["subject"]["names"][0]
        role = next(role for role, unit in ORGANIZATIONAL_UNIT.items() if unit == names["OU"])
        begins = to_the_minute(now) - BACKDATE
        leaf = Certificate(
            given["subject"]["CN"], names["O"], role, root, None, serial, 0, begins, begins + BACKDATE + expiry
        )
        builder = unsigned(leaf, public)
    return sign(builder, private_key(key))


# -- helpers


def _loaded_key(pem: str) -> CertificateIssuerPrivateKeyTypes:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        failure = '{"code":2003,"message":"Failed to parse private key"}'
        raise CertificateError(f"malformed private key: {failure}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateError("unknown or unsupported certificate public key algorithm")
    return key


def key_pem(key: int) -> str:
    """A key that follows from the seed, as a file has it."""
    return private_key(key).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _root(certificate: x509.Certificate) -> RootCA:
    return RootCA(
        certificate.serial_number,
        0,
        _seconds(certificate.not_valid_before_utc),
        _seconds(certificate.not_valid_after_utc),
        normalized(certificate.public_bytes(Encoding.PEM).decode()),
    )


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _seconds(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds()
