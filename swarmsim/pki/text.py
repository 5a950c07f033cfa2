"""A certificate written out as ``openssl x509 -noout -text`` (OpenSSL 3.0) does, for hosts that have no openssl."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier, SignatureAlgorithmOID

_NAMES = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
}
_SIGNATURES = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ecdsa-with-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ecdsa-with-SHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ecdsa-with-SHA512",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "sha256WithRSAEncryption",
}
_CURVES = {
    "secp256r1": ("prime256v1", "P-256"),
    "secp384r1": ("secp384r1", "P-384"),
    "secp521r1": ("secp521r1", "P-521"),
}
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS Web Server Authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS Web Client Authentication",
}
_USAGES = {
    "digital_signature": "Digital Signature",
    "content_commitment": "Non Repudiation",
    "key_encipherment": "Key Encipherment",
    "data_encipherment": "Data Encipherment",
    "key_agreement": "Key Agreement",
    "key_cert_sign": "Certificate Sign",
    "crl_sign": "CRL Sign",
}
_COMMENT = ObjectIdentifier("2.16.840.1.113730.1.13")
_BYTES_A_LINE = 15
_SIGNATURE_BYTES_A_LINE = 18


def certificate_text(pem: str) -> str:
    """Every certificate in a text of PEM, one after the other. Raises :class:`ValueError` if there is none."""
    return "\n".join(
        line for certificate in x509.load_pem_x509_certificates(pem.encode()) for line in _lines(certificate)
    )


def _lines(certificate: x509.Certificate) -> Iterator[str]:
    algorithm = _SIGNATURES.get(certificate.signature_algorithm_oid, certificate.signature_algorithm_oid.dotted_string)
    yield "Certificate:"
    yield "    Data:"
    yield "        Version: 3 (0x2)"
    yield from _serial(certificate.serial_number)
    yield f"        Signature Algorithm: {algorithm}"
    yield f"        Issuer: {_name(certificate.issuer)}"
    yield "        Validity"
    yield f"            Not Before: {_moment(certificate.not_valid_before_utc)}"
    yield f"            Not After : {_moment(certificate.not_valid_after_utc)}"
    yield f"        Subject: {_name(certificate.subject)}"
    yield from _public_key(certificate)
    yield "        X509v3 extensions:"
    for extension in certificate.extensions:
        yield from _extension(extension)
    yield f"    Signature Algorithm: {algorithm}"
    yield "    Signature Value:"
    yield from _bytes(certificate.signature, " " * 8, _SIGNATURE_BYTES_A_LINE)


def _serial(number: int) -> Iterator[str]:
    if number < 1 << 63:
        yield f"        Serial Number: {number} (0x{number:x})"
        return
    digits = f"{number:x}"
    digits = digits.zfill(len(digits) + len(digits) % 2)
    yield "        Serial Number:"
    yield "            " + ":".join(wrap(digits, 2))


def _name(name: x509.Name) -> str:
    return ", ".join(f"{_NAMES.get(each.oid, each.oid.dotted_string)} = {each.value!s}" for each in name)


def _moment(moment: datetime) -> str:
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S %Y} GMT"


def _bytes(content: bytes, indent: str, a_line: int) -> Iterator[str]:
    """In hexadecimal digits with colons between, also at the end of a line that is not the last."""
    lines = [content[start : start + a_line] for start in range(0, len(content), a_line)]
    for number, line in enumerate(lines, 1):
        yield indent + line.hex(":") + (":" if number < len(lines) else "")


def _public_key(certificate: x509.Certificate) -> Iterator[str]:
    key = certificate.public_key()
    yield "        Subject Public Key Info:"
    if isinstance(key, ec.EllipticCurvePublicKey):
        short, nist = _CURVES.get(key.curve.name, (key.curve.name, key.curve.name))
        yield "            Public Key Algorithm: id-ecPublicKey"
        yield f"                Public-Key: ({key.key_size} bit)"
        yield "                pub:"
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        yield from _bytes(point, " " * 20, _BYTES_A_LINE)
        yield f"                ASN1 OID: {short}"
        yield f"                NIST CURVE: {nist}"
    elif isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        yield "            Public Key Algorithm: rsaEncryption"
        yield f"                Public-Key: ({key.key_size} bit)"
        yield "                Modulus:"
        yield from _bytes(b"\0" + numbers.n.to_bytes(key.key_size // 8), " " * 20, _BYTES_A_LINE)
        yield f"                Exponent: {numbers.e} (0x{numbers.e:x})"


def _extension(extension: x509.Extension[x509.ExtensionType]) -> Iterator[str]:
    title, words = _told(extension)
    yield f"            {title}: {'critical' if extension.critical else ''}"
    yield f"                {words}"


def _told(extension: x509.Extension[x509.ExtensionType]) -> tuple[str, str]:
    """What openssl calls an extension, and what it says of it."""
    match extension.value:
        case x509.KeyUsage() as usage:
            # The last two can only be asked for where keys agree.
            return "X509v3 Key Usage", ", ".join(word for name, word in _USAGES.items() if getattr(usage, name))
        case x509.ExtendedKeyUsage() as purposes:
            return "X509v3 Extended Key Usage", ", ".join(_PURPOSES.get(each, each.dotted_string) for each in purposes)
        case x509.BasicConstraints(ca=ca, path_length=limit):
            return "X509v3 Basic Constraints", f"CA:{str(ca).upper()}" + (
                f", pathlen:{limit}" if limit is not None else ""
            )
        case x509.SubjectKeyIdentifier(digest=digest):
            return "X509v3 Subject Key Identifier", digest.hex(":").upper()
        case x509.AuthorityKeyIdentifier(key_identifier=digest):
            return "X509v3 Authority Key Identifier", (digest or b"").hex(":").upper()
        case x509.SubjectAlternativeName() as names:
            return "X509v3 Subject Alternative Name", ", ".join(
                f"DNS:{name}" for name in names.get_values_for_type(x509.DNSName)
            )
        case x509.UnrecognizedExtension(oid=oid, value=value) if oid == _COMMENT:
            return "Netscape Comment", value[2:].decode("ascii", "replace")
        case other:
            return other.oid.dotted_string, "…"
