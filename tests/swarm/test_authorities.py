"""Roots that somebody brings along, and authorities outside the swarm. Words and delays as real engines had them
(tests/records/asked/authorities.txt)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from cryptography import x509

from swarmsim.docker.files import Files
from swarmsim.scenario.runner import build_world
from swarmsim.scenario.schema import AuthoritySettings, ClusterLayout, Scenario
from swarmsim.swarm.ca.certificates import create_root
from swarmsim.swarm.ca.given import key_pem, signing_request
from swarmsim.swarm.objects import Role
from tests.conftest import Lab

DAY, HOUR = 86_400.0, 3600.0
EXTERNAL = "--external-ca protocol=cfssl,url=https://corp:8888/sign"
ROTATE = "swarm ca --rotate -q"
IN_PROGRESS = "{{.Swarm.Cluster.RootRotationInProgress}}"
NO_AUTHORITY = (
    "Error response from daemon: rpc error: code = InvalidArgument desc = there must be at least one valid, reachable "
    "external CA corresponding to the {} CA certificate\n"
)


class AuthorityLab(Lab):
    """Two authorities, corp and other, beside a swarm; and files."""

    def __init__(self, managers=1, workers=2, **settings):
        cluster = ClusterLayout(
            managers=managers,
            workers=workers,
            authorities={"corp": AuthoritySettings(**settings), "other": AuthoritySettings()},
        )
        self.world = build_world(Scenario(name="lab", cluster=cluster), 1)
        self.world.files = Files(FILES)
        self.world.run(self.world.form())
        self.sleep(1.0)

    @property
    def corp(self):
        return self.world.authorities["corp"]

    def certificate(self, host):
        return self.world.engines[host].node.certificate

    def rotating(self):
        return self.docker(f"info --format '{IN_PROGRESS}'").out == "true\n"

    def fault(self, verb, argument):
        self.world.run(self.world.fault(verb, argument))

    def rejoin(self, host="w2"):
        """Leave and join again; what the join said and how long it took."""
        self.docker("swarm leave", on=host)
        token = self.docker("swarm join-token -q worker").out.strip()
        before = self.now
        return self.docker(f"swarm join --token {token} m1:2377", on=host), self.now - before


FILES = {
    "garbage.crt": "hello\n",
    "bad.crt": "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    "bad.key": "-----BEGIN EC PRIVATE KEY-----\naGVsbG8=\n-----END EC PRIVATE KEY-----\n",
}


@pytest.fixture
def lab():
    return AuthorityLab()


@pytest.fixture
def external():
    """A swarm whose root is corp's."""
    lab = AuthorityLab()
    assert lab.docker(f"{ROTATE} --ca-cert corp.crt {EXTERNAL}").code == 0
    return lab


# -- what is refused

USAGE = "\n\nUsage:  docker swarm {0} [OPTIONS]\n\nRun 'docker swarm {0} --help' for more information\n"
INVALID = "Error response from daemon: rpc error: code = InvalidArgument desc = "


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (f"{ROTATE} --ca-cert garbage.crt --ca-key corp.key", 125, 'invalid argument "garbage.crt" for "--ca-cert" flag: file contents must be in PEM format'),
        (f"{ROTATE} --ca-cert none.crt --ca-key corp.key", 125, 'invalid argument "none.crt" for "--ca-cert" flag: open none.crt: no such file or directory'),
        (f"{ROTATE} --ca-cert bad.crt --ca-key corp.key", 1, INVALID + 'invalid root certificates: {"code":1003,"message":"Failed to parse certificate"}'),
        (f"{ROTATE} --ca-cert corp.crt --ca-key bad.key", 1, INVALID + 'malformed private key: {"code":2003,"message":"Failed to parse private key"}'),
        (f"{ROTATE} --ca-cert corp.crt --ca-key other.key", 1, INVALID + "certificate key mismatch"),
        (f"{ROTATE} --ca-cert corp.crt", 1, "the --ca-cert flag requires that a --ca-key flag and/or --external-ca flag be provided as well"),
        (f"{ROTATE} --ca-key corp.key", 1, INVALID + "if a signing CA key is provided, the signing CA cert must also be provided"),
        (f"{ROTATE} --ca-cert two.crt --ca-key corp.key", 1, INVALID + "the desired CA certificate cannot contain multiple certificates"),
        (f"{ROTATE} --ca-cert short.crt --ca-key corp.key", 1, INVALID + "CA certificate expires too soon"),
        (f"{ROTATE} --cert-expiry 30m", 1, INVALID + "minimum certificate expiry time is: 1h0m0s"),
        (f"{ROTATE} {EXTERNAL}", 1, "rotating to an external CA requires the `--ca-cert` flag to specify the external CA's cert - to add an external CA with the current root CA certificate, use the `update` command instead"),
        ("swarm ca --ca-cert corp.crt", 1, "`--ca-cert` flag requires the `--rotate` flag to update the CA"),
        (f"{ROTATE} --ca-cert corp.crt --external-ca protocol=cfssl,url=http://corp:8888/sign", 1, INVALID + "there must be at least one valid, reachable external CA corresponding to the desired CA certificate"),
        (f"{ROTATE} --ca-cert corp.crt --external-ca protocol=cfssl,url=https://corp:8889/sign", 1, INVALID + "there must be at least one valid, reachable external CA corresponding to the desired CA certificate"),
        (f"{ROTATE} --ca-cert corp.crt --external-ca protocol=cfssl,url=https://other:8888/sign", 1, INVALID + "there must be at least one valid, reachable external CA corresponding to the desired CA certificate"),
        (f"{ROTATE} --ca-cert corp.crt --external-ca protocol=cfssl,url=https://nobody:8888/sign", 1, INVALID + "there must be at least one valid, reachable external CA corresponding to the desired CA certificate"),
        ("swarm update --external-ca protocol=cfssl", 125, 'invalid argument "protocol=cfssl" for "--external-ca" flag: the external-ca option needs a url= parameter'),
        ("swarm update --external-ca protocol=foo,url=x", 125, 'invalid argument "protocol=foo,url=x" for "--external-ca" flag: unrecognized external CA protocol foo'),
        ("swarm update --external-ca url=x", 125, 'invalid argument "url=x" for "--external-ca" flag: the external-ca option needs a protocol= parameter'),
        ("swarm update --external-ca nonsense", 125, "invalid argument \"nonsense\" for \"--external-ca\" flag: invalid field 'nonsense' must be a key=value pair"),
        ("swarm update --external-ca protocol=cfssl,url=x,cacert=none.crt", 125, 'invalid argument "protocol=cfssl,url=x,cacert=none.crt" for "--external-ca" flag: unable to read CA cert for external CA: open none.crt: no such file or directory'),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(lab, line, code, says):
    short = create_root(lab.world.rng("short"), lab.now - 19.5 * 365 * DAY)
    lab.world.files = Files(
        {
            **FILES,
            "two.crt": lab.corp.files["corp.crt"] + lab.world.authorities["other"].files["other.crt"],
            "short.crt": short.pem,
            "short.key": key_pem(short.key),
        }
    )
    line = line.replace("short.crt --ca-key corp.key", "short.crt --ca-key short.key")
    result = lab.docker(line)
    assert (result.code, result.err) == (code, says + (USAGE.format(line.split()[1]) if code == 125 else "\n"))
    assert not lab.rotating()


# -- a root with its key


def chain_verifies(certificate, root, tmp_path):
    """Whether openssl says so, at the moment of issue."""
    (tmp_path / "root.crt").write_text(root)
    (tmp_path / "node.crt").write_text(certificate.pem)
    at = x509.load_pem_x509_certificate(certificate.pem.encode()).not_valid_before_utc.timestamp() + HOUR + 600
    words = ["openssl", "verify", "-attime", str(int(at)), "-CAfile", str(tmp_path / "root.crt")]
    words += ["-untrusted", str(tmp_path / "node.crt"), str(tmp_path / "node.crt")]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.endswith("node.crt: OK\n")


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def test_an_own_root_signs_after_a_rotation_of_one_round(lab):
    before = lab.now
    result = lab.docker("swarm ca --rotate --ca-cert corp.crt --ca-key corp.key")
    assert 3.0 < lab.now - before < 3.8
    assert result.out.endswith(lab.corp.files["corp.crt"])
    assert lab.certificate("w1").issuer == lab.corp.root
    assert lab.docker("swarm ca").out == lab.corp.files["corp.crt"]
    assert lab.rejoin()[0].code == 0
    assert lab.certificate("w2").issuer == lab.corp.root


@needs_openssl
def test_openssl_accepts_what_own_roots_and_authorities_sign_under_the_old_root_and_the_new(lab, tmp_path):
    old = lab.docker("swarm ca").out
    lab.docker(f"{ROTATE} --ca-cert corp.crt --ca-key corp.key")
    between = lab.certificate("w1")
    assert chain_verifies(between, old, tmp_path)
    assert chain_verifies(between, lab.corp.files["corp.crt"], tmp_path)
    lab.rejoin()
    assert not chain_verifies(lab.certificate("w2"), old, tmp_path)
    assert chain_verifies(lab.certificate("w2"), lab.corp.files["corp.crt"], tmp_path)


def test_the_same_root_again_is_no_rotation(lab):
    lab.docker(f"{ROTATE} --ca-cert corp.crt --ca-key corp.key")
    before, token = lab.certificate("w1"), lab.docker("swarm join-token -q worker").out
    assert lab.docker(f"{ROTATE} --ca-cert corp.crt --ca-key corp.key").code == 0
    assert (lab.certificate("w1"), lab.docker("swarm join-token -q worker").out) == (before, token)


def test_back_to_the_present_root_gives_up_a_rotation_under_way(lab):
    lab.docker(f"{ROTATE} --ca-cert corp.crt --ca-key corp.key")
    lab.fault("power-off", ["w2"])
    lab.wait(lambda: lab.status("w2") == "down", within=30.0)
    lab.docker("swarm ca --rotate -d")
    lab.sleep(10.0)
    assert lab.rotating()
    assert lab.docker("swarm ca --rotate -d --ca-cert corp.crt --ca-key corp.key").code == 0
    assert not lab.rotating()


def test_a_second_rotation_takes_the_place_of_the_first(lab):
    lab.docker("swarm ca --rotate -d --ca-cert corp.crt --ca-key corp.key")
    lab.sleep(1.0)
    assert lab.docker(f"{ROTATE} --ca-cert other.crt --ca-key other.key").code == 0
    assert lab.docker("swarm ca").out == lab.world.authorities["other"].files["other.crt"]
    assert {lab.certificate(host).issuer for host in lab.world.engines} == {lab.world.authorities["other"].root}


def test_a_new_leader_ends_a_rotation_to_an_own_root():
    lab = AuthorityLab(managers=3)
    lab.docker("swarm ca --rotate -d --ca-cert corp.crt --ca-key corp.key")
    lab.sleep(0.3)
    lab.fault("kill-engine", ["m1"])
    lab.sleep(5.0)
    lab.fault("start-engine", ["m1"])
    lab.wait(lambda: lab.docker("swarm ca", on="m2").out == lab.corp.files["corp.crt"], within=120.0, step=1.0)
    lab.sleep(5.0)
    assert {lab.certificate(host).issuer for host in lab.world.engines} == {lab.corp.root}


def test_a_manager_that_is_cut_off_holds_up_a_rotation_until_it_is_back():
    lab = AuthorityLab(managers=3)
    lab.fault("cut", ["m3", "m1"])
    lab.fault("cut", ["m3", "m2"])
    lab.sleep(30.0)
    lab.docker("swarm ca --rotate -d", on="m1")
    lab.sleep(300.0)
    assert lab.rotating()
    lab.fault("heal", [])
    # It comes back with a higher term: the others elect again, and the new leader goes on with the rotation.
    lab.wait(lambda: lab.docker(f"info --format '{IN_PROGRESS}'").out == "false\n", within=60.0)
    assert len({lab.certificate(host).issuer for host in lab.world.engines}) == 1


# -- an authority outside


def test_an_external_authority_signs_for_as_long_as_it_likes():
    lab = AuthorityLab(expiry=30 * DAY)
    before = lab.now
    assert lab.docker(f"{ROTATE} --ca-cert corp.crt {EXTERNAL}").code == 0
    assert 3.0 < lab.now - before < 3.8  # recorded: 3.48 s
    lab.docker("swarm update --cert-expiry 2h")
    assert lab.rejoin()[0].code == 0
    for host in lab.world.engines:
        certificate = lab.certificate(host)
        assert certificate.issuer == lab.corp.root
        assert certificate.not_after - certificate.not_before == 30 * DAY + HOUR
    shown = json.loads(lab.docker("info --format '{{json .Swarm.Cluster.Spec.CAConfig}}'").out)
    assert shown["ExternalCAs"] == [
        {"Protocol": "cfssl", "URL": "https://corp:8888/sign", "CACert": lab.corp.files["corp.crt"]}
    ]


def test_the_request_is_what_swarmkit_sends(records):
    """As a real engine's manager sent it to a small server (tests/records/asked/cfssl.json), but for the names, the key and the signature."""
    recorded = json.loads((records / "asked" / "cfssl.json").read_text())
    node, cluster = recorded["subject"]["CN"], recorded["subject"]["names"][0]["O"]
    ours = json.loads(signing_request(12345, node, cluster, Role.MANAGER))
    assert list(ours) == list(recorded)
    for body in (ours, recorded):
        request = x509.load_pem_x509_csr(body.pop("certificate_request").encode())
        assert request.is_signature_valid
        assert not list(request.subject)
    assert ours == recorded


@pytest.mark.parametrize("answers", ["garbage", "busy", "never", "slow", "off", "cut"])
def test_while_the_authority_does_not_answer_a_join_waits_and_is_through_soon_after(external, answers):
    if answers == "off":
        external.fault("power-off", ["corp"])
    elif answers == "cut":
        external.fault("cut", ["corp", "m1"])
    else:
        external.fault("authority", ("corp", "sign", 8.0) if answers == "slow" else ("corp", answers, None))
    result, seconds = external.rejoin()
    assert result.err.startswith("Error response from daemon: Timeout was reached before node joined.")
    assert 20.0 < seconds < 20.2
    assert external.docker("info --format '{{.Swarm.LocalNodeState}}'", on="w2").out == "pending\n"
    assert re.search(r"\w{25} {16}Unknown   Active", external.docker("node ls").out)
    external.fault("power-on", ["corp"])
    external.fault("heal", [])
    external.fault("authority", ("corp", "sign", None))
    # Ten seconds to the next attempt, five for one under way, thirty between a node's questions.
    external.wait(
        lambda: external.docker("info --format '{{.Swarm.LocalNodeState}}'", on="w2").out == "active\n", within=50.0
    )


def test_a_refusal_is_final(external):
    external.fault("authority", ("corp", "refuse", None))
    result, seconds = external.rejoin()
    assert result.code == 1
    assert 20.0 < seconds < 20.2
    external.fault("authority", ("corp", "sign", None))
    external.sleep(300.0)
    assert external.docker("info --format '{{.Swarm.LocalNodeState}}'", on="w2").out == "pending\n"
    assert external.docker("swarm leave", on="w2").code == 0
    assert external.rejoin()[0].code == 0


def test_without_the_authority_nothing_of_the_swarm_can_be_changed(external):
    external.world.authorities["corp"].host.kill_all()
    for line in ("swarm update --task-history-limit 4", ROTATE):
        assert external.docker(line).err == NO_AUTHORITY.format("current")
    # Silence takes the five seconds of a dial.
    external.fault("power-off", ["corp"])
    before = external.now
    assert external.docker("swarm update --task-history-limit 4").err == NO_AUTHORITY.format("current")
    assert 5.0 < external.now - before < 5.2
    assert external.docker("service create -d --name web mini:1 sleep 1000").code == 0


def test_from_one_authority_to_another_one_must_go_through_a_root_with_a_key(external):
    other = "--external-ca protocol=cfssl,url=https://other:8888/sign"
    assert external.docker(f"{ROTATE} --ca-cert other.crt {other}").err == NO_AUTHORITY.format("current")
    assert external.docker(ROTATE).code == 0
    assert external.docker(f"{ROTATE} --ca-cert other.crt {other}").code == 0
    assert external.certificate("w1").issuer == external.world.authorities["other"].root


@needs_openssl
def test_back_to_a_root_of_the_swarm_s_own_the_authority_signs_that_root(external, tmp_path):
    corp = external.docker("swarm ca").out
    assert external.docker(ROTATE).code == 0
    certificate = external.certificate("w1")
    assert certificate.through == external.corp.root
    assert chain_verifies(certificate, corp, tmp_path)
    assert chain_verifies(certificate, external.docker("swarm ca").out, tmp_path)


def test_with_the_key_of_the_external_root_the_swarm_signs_itself(external):
    assert external.docker("swarm ca --rotate -d --ca-cert corp.crt --ca-key other.key").code == 1
    assert external.docker("swarm ca --rotate -d --ca-cert corp.crt --ca-key corp.key").code == 0
    external.fault("power-off", ["corp"])
    assert external.docker("swarm update --task-history-limit 4").code == 0


def test_an_authority_that_signs_with_another_s_root_is_not_believed(external):
    """Its own certificate is as it was, so it is asked; what it signs nobody accepts."""
    other = external.world.authorities["other"]
    external.corp.signs_as(other)
    result, _ = external.rejoin()
    assert result.err == "Error response from daemon: x509: certificate signed by unknown authority\n"
