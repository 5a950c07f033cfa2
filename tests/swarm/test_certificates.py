"""Certificates: true X.509, laid out as an engine's, judged as a node judges them, renewed when SwarmKit renews them."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import timedelta
from random import Random

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from swarmsim.sim.clock import EPOCH
from swarmsim.swarm.ca.certificates import (
    DEFAULT_EXPIRY,
    CertificateError,
    create_root,
    issue,
    until_renewal,
)
from swarmsim.swarm.objects import Role

DAY, HOUR = 86_400.0, 3600.0
NOW = 1000.0
ROOT = create_root(Random(1), NOW)
NEXT = create_root(Random(2), NOW)
NODE, CLUSTER = "ys0i7lyqbxw0h9pdzd0tzzqlq", "j0zl5ny9tchp2hxipkpo73sk6"


def node_certificate(role=Role.WORKER, now=NOW, expiry=DEFAULT_EXPIRY, issuer=ROOT, through=None):
    return issue(
        Random(3), now, issuer=issuer, through=through, node_id=NODE, cluster_id=CLUSTER, role=role, expiry=expiry
    )


def openssl(*words, given):
    return subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, check=True).stdout


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


# -- what they are


def layout(text):
    """An ``openssl x509 -text`` without what differs from one certificate to the next."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"\s*=\s*", "=", line.strip())
        line = re.sub(r"\b[a-z0-9]{25}\b", "<id>", line)
        line = re.sub(r"\w{3} +\d+ \d\d:\d\d:\d\d \d{4} GMT", "<moment>", line)
        if line and not re.fullmatch(r"([0-9a-fA-F]{2}:?)+", line) and "omment" not in line and "swarmsim" not in line:
            lines.append(line)
    return lines


@needs_openssl
@pytest.mark.parametrize(
    ("command", "pem"),
    [
        ("m1! openssl x509 -in $DIR/swarm/certificates/swarm-node.crt", node_certificate(Role.MANAGER).pem),
        ("w1! openssl x509 -in $DIR/swarm/certificates/swarm-node.crt", node_certificate(Role.WORKER).pem),
        ("m1! openssl x509 -in $DIR/swarm/certificates/swarm-root-ca.crt", ROOT.pem),
    ],
)
def test_openssl_shows_of_ours_what_it_shows_of_an_engine_s(command, pem, records):
    recorded = (records / "asked" / "certificates.txt").read_text()
    asked = next(part for part in re.split(r"^ +\d+\.\d\d  ", recorded, flags=re.M) if part.startswith(command))
    assert layout(openssl("x509", "-noout", "-text", given=pem)) == layout(asked.split("\n", 1)[1])


@needs_openssl
def test_openssl_verifies_them(tmp_path):
    (tmp_path / "root.crt").write_text(ROOT.pem)
    (tmp_path / "node.crt").write_text(node_certificate().pem)
    at = str(int((EPOCH + timedelta(seconds=NOW)).timestamp()))
    said = openssl("verify", "-attime", at, "-CAfile", str(tmp_path / "root.crt"), str(tmp_path / "node.crt"), given="")
    assert said.endswith("node.crt: OK\n")


@pytest.mark.parametrize(("trusted", "vouched"), [(ROOT, True), (NEXT, False)])
def test_cryptography_s_verifier_agrees_with_ours(trusted, vouched):
    certificate = node_certificate()
    verifier = (
        PolicyBuilder()
        .store(Store([x509.load_pem_x509_certificate(trusted.pem.encode())]))
        .time(EPOCH + timedelta(seconds=NOW))
        .build_client_verifier()
    )
    leaf = x509.load_pem_x509_certificate(certificate.pem.encode())
    if vouched:
        verifier.verify(leaf, [])
        certificate.verify(trusted, NOW)
    else:
        with pytest.raises(x509.verification.VerificationError):
            verifier.verify(leaf, [])
        with pytest.raises(CertificateError):
            certificate.verify(trusted, NOW)


def test_during_a_rotation_both_roots_vouch_for_a_node():
    certificate = node_certificate(issuer=NEXT, through=ROOT)
    certificate.verify(ROOT, NOW)
    certificate.verify(NEXT, NOW)
    leaf, cross_signed = x509.load_pem_x509_certificates(certificate.pem.encode())
    leaf.verify_directly_issued_by(cross_signed)
    cross_signed.verify_directly_issued_by(x509.load_pem_x509_certificate(ROOT.pem.encode()))
    new_root = x509.load_pem_x509_certificate(NEXT.pem.encode())
    assert cross_signed.serial_number == new_root.serial_number
    assert cross_signed.public_key() == new_root.public_key()


def test_every_certificate_says_that_a_simulation_made_it():
    for pem in (ROOT.pem, node_certificate().pem, NEXT.cross_signed(ROOT)):
        certificate = x509.load_pem_x509_certificate(pem.encode())
        comment = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("2.16.840.1.113730.1.13"))
        assert b"simulation" in comment.value.value


def test_usages_and_names():
    leaf = x509.load_pem_x509_certificate(node_certificate(Role.MANAGER).pem.encode())
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["swarm-manager", NODE, "swarm-ca"]


# -- from when to when


def test_a_certificate_is_backdated_by_an_hour_and_counts_from_the_minute():
    certificate = node_certificate(now=29.0)
    assert (certificate.not_before, certificate.not_after) == (-HOUR, 90 * DAY)
    certificate = node_certificate(now=31.0, expiry=HOUR)
    assert (certificate.not_before, certificate.not_after) == (60.0 - HOUR, 60.0 + HOUR)


def test_an_expiry_below_an_hour_is_not_granted():
    assert node_certificate(expiry=HOUR - 1).not_after == node_certificate().not_after


def test_a_root_is_valid_for_twenty_years_from_five_minutes_ago():
    assert ROOT.not_before == 1020.0 - 300.0
    assert ROOT.not_after - ROOT.not_before == 630_720_000.0


# -- judged


def test_the_words_of_an_expired_certificate():
    certificate = node_certificate(now=0.0, expiry=HOUR)
    with pytest.raises(CertificateError) as refusal:
        certificate.verify(ROOT, 2 * HOUR + 11.0)
    assert str(refusal.value) == (
        f"certificate (1 - {NODE}) not valid after Thu, 01 Jan 2026 10:00:00 UTC, and it is currently "
        "Thu, 01 Jan 2026 11:00:11 UTC: x509: certificate has expired or is not yet valid: "
    )
    with pytest.raises(CertificateError) as refusal:
        certificate.verify(ROOT, 2 * HOUR + 11.0, on_the_wire=True)
    assert str(refusal.value) == (
        "x509: certificate has expired or is not yet valid: current time 2026-01-01T11:00:11Z is after 2026-01-01T10:00:00Z"
    )


def test_the_words_of_one_that_is_not_valid_yet():
    with pytest.raises(CertificateError, match=r"not valid before Thu, 01 Jan 2026 08:00:00 UTC, and it is currently"):
        node_certificate(now=0.0).verify(ROOT, -2 * HOUR)


def test_a_stranger_s_certificate_is_signed_by_an_unknown_authority():
    with pytest.raises(CertificateError, match="x509: certificate signed by unknown authority"):
        node_certificate(issuer=NEXT).verify(ROOT, NOW)


# -- renewed


@pytest.mark.parametrize(
    ("expiry", "first", "last"),
    # The validity is 129,660 minutes, or 120, of which an hour is over at once.
    [(DEFAULT_EXPIRY, (64_830 - 60) * 60.0, (103_728 - 60) * 60.0), (HOUR, 0.0, 36 * 60.0)],
    ids=["90 days", "an hour"],
)
def test_renewals_are_drawn_evenly_from_the_window(expiry, first, last):
    rng, certificate = Random(7), node_certificate(now=0.0, expiry=expiry)
    drawn = [until_renewal(certificate, 0.0, rng) for _ in range(2000)]
    assert all(moment % 60 == 0 for moment in drawn)
    within_the_minute = [moment + 60 * rng.random() for moment in drawn]
    assert kstest(within_the_minute, "uniform", args=(first, last - first)).pvalue > 0.01


@given(st.floats(0, 200 * DAY), st.floats(HOUR, 400 * DAY), st.floats(0, 400 * DAY), st.integers(0, 2**32))
def test_a_renewal_is_due_within_the_window_or_now(issued, expiry, later, seed):
    certificate = node_certificate(now=issued, expiry=expiry)
    now = issued + later
    due = now + until_renewal(certificate, now, Random(seed))
    validity = certificate.not_after - certificate.not_before
    assert due == now or 0.5 * validity - 60 <= due - certificate.not_before <= 0.8 * validity + 1e-6
