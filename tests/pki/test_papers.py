"""Certificates of a run: true ones, made from its rows when asked for, the same whenever asked."""

from __future__ import annotations

import shutil
import stat
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from swarmsim import Scenario
from swarmsim.pki import ExportError, NoCertificate, certificate_text, export_pki, papers_of
from swarmsim.sim.clock import EPOCH
from swarmsim.trace.state import state_of
from tests.commandline import swarmsim
from tests.conftest import Lab

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def trace():
    return Scenario.load("ca-rotation").run(seed=1)


def test_those_of_an_authority_outside_the_swarm_are_what_it_signed():
    trust = trust_at(Scenario.load("external-ca").run(seed=1), 20.0)
    for host in trust.certificates:
        papers = papers_of(trust, host)
        leaf, *chain = certificates(papers.certificate)
        verifier = PolicyBuilder().store(Store(certificates(papers.root))).time(EPOCH + timedelta(seconds=60))
        verifier.build_client_verifier().verify(leaf, chain)
        assert "corp" in leaf.issuer.rfc4514_string()


def trust_at(trace, seconds):
    return state_of(row for row in trace.rows if row["t"] <= trace.begin + seconds).trust


def certificates(pem):
    return x509.load_pem_x509_certificates(pem.encode())


@pytest.mark.parametrize("seconds", [0.0, 1.0, 60.0], ids=["before", "during", "after"])
def test_cryptography_s_verifier_accepts_each_with_the_root_that_its_node_trusts(trace, seconds):
    trust = trust_at(trace, seconds)
    for host in trust.certificates:
        papers = papers_of(trust, host)
        leaf, *chain = certificates(papers.certificate)
        verifier = PolicyBuilder().store(Store(certificates(papers.root))).time(EPOCH + timedelta(seconds=seconds + 60))
        verifier.build_client_verifier().verify(leaf, chain)
        assert load_pem_private_key(papers.key.encode(), None).public_key() == leaf.public_key()


def test_during_the_rotation_the_cross_signed_root_is_behind_the_certificate(trace):
    assert [len(certificates(papers_of(trust_at(trace, at), "w1").certificate)) for at in (0.0, 1.0)] == [1, 2]


def test_it_is_the_certificate_that_the_model_judges():
    lab, rows = Lab(formed=False), []
    lab.world.subscribe(rows.append)
    lab.world.run(lab.world.form())
    node = lab.world.engines["w1"].node
    papers = papers_of(state_of(rows).trust, "w1")
    assert (papers.certificate, papers.root) == (node.certificate.pem, node.disk.security.root.pem)


@needs_openssl
def test_the_text_is_openssl_s_own(trace):
    papers = papers_of(trust_at(trace, 1.0), "m1")
    for certificate in (*certificates(papers.certificate), *certificates(papers.root)):
        pem = certificate.public_bytes(Encoding.PEM).decode()
        asked = subprocess.run(
            ["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, text=True, check=True
        )
        assert certificate_text(pem) == asked.stdout.rstrip("\n")


def test_who_has_none_is_told_who_has(trace):
    with pytest.raises(NoCertificate, match="w2 has no certificate then; hosts that have one: m1, m2, m3, w1"):
        papers_of(trust_at(trace, 60.0), "w2")


# -- as files


def test_files_are_an_engine_s_and_keys_are_for_their_owner_alone(trace, tmp_path):
    assert export_pki(trust_at(trace, 60.0), tmp_path / "pki") == 4
    here = tmp_path / "pki" / "m1"
    assert sorted(path.name for path in here.iterdir()) == ["swarm-node.crt", "swarm-node.key", "swarm-root-ca.crt"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in here.iterdir()}
    assert modes["swarm-node.key"] == 0o600
    assert "simulation" in (tmp_path / "pki" / "README").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]


def test_a_folder_that_is_not_empty_is_left_alone(trace, tmp_path):
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "mine").touch()
    with pytest.raises(ExportError, match="not an empty folder"):
        export_pki(trust_at(trace, 0.0), tmp_path / "pki")
    assert [path.name for path in (tmp_path / "pki").iterdir()] == ["mine"]


def test_what_cannot_be_written_leaves_nothing(trace, tmp_path):
    trust = trust_at(trace, 0.0)
    trust.certificates["no/folder"] = trust.certificates["m1"]
    trust.trusted["no/folder"] = trust.trusted["m1"]
    with pytest.raises(ExportError, match="pki: cannot be written: No such file or directory"):
        export_pki(trust, tmp_path / "pki")
    assert list(tmp_path.iterdir()) == []


# -- typed


def test_cert_shows_text_and_pem_of_a_moment(tmp_path):
    def cert(*words):
        return swarmsim("cert", *words, cwd=tmp_path).stdout

    assert swarmsim("run", "ca-rotation", "-q", "--export-pki", "pki", cwd=tmp_path).returncode == 0
    here = tmp_path / "pki" / "w1"
    pem = (here / "swarm-node.crt").read_text()
    assert cert("runs/ca-rotation-1.jsonl", "w1") == f"{certificate_text(pem)}\n{pem}"
    assert cert("ca-rotation", "w1", "--pem") == pem
    assert cert("ca-rotation", "w1", "--pem", "--at", "0s") != pem
    assert cert("ca-rotation", "w1", "--pem", "--root") == (here / "swarm-root-ca.crt").read_text()
    assert cert("ca-rotation", "w1", "--key") == (here / "swarm-node.key").read_text()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("cert ca-rotation w9", "w9 has no certificate then; hosts that have one: m1, m2, m3, w1"),
        ("cert ca-rotation w1 --at soon", "--at 'soon' is no duration: write 30s, 1m30s, 500ms"),
        ("cert ca-rotation w1 --at 3y", "--at 3y: it is over after "),
        ("cert ca-rotation w1 --key --pem", "--key shows the host's key alone: leave --root and --pem out"),
        ("cert nope.jsonl w1", "nope.jsonl: cannot be read: No such file or directory"),
        ("cert nope.jsonl w1 --seed 3", "--seed is for scenarios: a trace has its own"),
        ("run ca-rotation --seeds 2 --export-pki x", "--export-pki is for a single run, --seeds for many"),
        ("run ca-rotation --export-pki /nope/x", "/nope/x: cannot be made: /nope is no folder"),
    ],
)
def test_bad_input_is_one_sentence(line, complaint, tmp_path):
    done = swarmsim(*line.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"swarmsim: {complaint}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
