"""No secret in a trace: not where it is typed, nor where it is printed, nor where it turns up again."""

from __future__ import annotations

import json

from swarmsim.docker.files import Files
from swarmsim.real.mask import Mask

TOKEN = "SWMTKN-1-49nj1cmql0jkz5s954yi3oex3nedyz0fb0xx14ie39trti4wxv-8vxv8rssmk743ojnwacrr2e7c"
LOCK = "SWMKEY-1-WuYH/IX284+lRcXuoVf38viIDK3HJEKY13MIHX+tTt8"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\nabc==\n-----END EC PRIVATE KEY-----"


def test_what_looks_like_a_secret():
    mask = Mask()
    row = {
        "kind": "docker",
        "cmd": f"swarm join --token {TOKEN} 10.0.0.1:2377",
        "out": [f"docker swarm unlock\n{LOCK}\n", KEY],
        "err": "-e MYSQL_ROOT_PASSWORD=hunter2 -e PASSWORD_FILE=/run/secrets/pw",
    }
    told = json.dumps(mask.row(row))
    for secret in (TOKEN, LOCK, "MHcCAQEEIA", "abc==", "hunter2", "8vxv8rssmk"):
        assert secret not in told
    assert "docker swarm unlock" in told
    assert "10.0.0.1:2377" in told
    assert "/run/secrets/pw" in told


def test_certificates_and_numbers_stay():
    row = {"out": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "rc": 0, "s": 0.5, "name": None}
    assert Mask().row(row) == row


def test_a_secrets_data_are_known_wherever_they_are_printed():
    mask = Mask()
    stack = "secrets: {api: {file: ./api.txt}, old: {external: true}}\nservices: {}"
    files = Files({"pw.txt": "correct horse\nbattery\n", "s.yaml": stack, "api.txt": "0123-abcd"})
    mask.learn(["secret", "create", "pw", "pw.txt"], "", files)
    mask.learn(["secret", "create", "-l", "a=b", "other", "-"], "typed in\n", files)
    mask.learn(["stack", "deploy", "-c", "s.yaml", "app"], "", files)
    mask.learn(["secret", "create", "gone", "no-such-file"], "", files)
    assert mask.text("log: correct horse; battery; typed in; 0123-abcd; pw") == "log: ****; ****; ****; ****; pw"


def test_short_data_are_not_hunted():
    mask = Mask()
    mask.learn(["secret", "create", "pin", "-"], "12\n", Files())
    assert mask.text("12 replicas") == "12 replicas"
