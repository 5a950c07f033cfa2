"""An inventory is read whole or not at all; every mistake has its line and what would be right."""

from __future__ import annotations

import pytest

from swarmsim.real.inventory import load_inventory
from swarmsim.real.machine import MachineError

TWO = """\
hosts:
  - {name: m1, address: 192.168.56.11, user: student, port: 2222, jump: gate}
  - name: w1
    address: 192.168.56.12
    power:
      off: VBoxManage controlvm w1 poweroff
      on: VBoxManage startvm w1 --type headless
"""


def test_what_is_said_is_there_and_the_rest_is_left_to_ssh(tmp_path):
    path = tmp_path / "hosts.yaml"
    path.write_text(TWO)
    m1, w1 = load_inventory(path).hosts
    assert (m1.user, m1.port, m1.jump, m1.power) == ("student", 2222, "gate", None)
    assert (w1.user, w1.port, w1.key) == (None, None, None)
    assert w1.power is not None
    assert w1.power.off == "VBoxManage controlvm w1 poweroff"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hosts:\n  - {name: m1, address: a, usr: me}\n", "2:28: unknown key 'usr'; did you mean 'user'?"),
        ("hosts:\n  - {name: m1}\n", "2:5: 'address' is missing"),
        ("hosts:\n  - {name: m1, address: 10.0.0.1, port: 70000}\n", "2:35: port: input should be less than"),
        ("hosts: []\n", "1:1: hosts: list should have at least 1 item"),
        ("hosts:\n  - {name: m1, address: -oProxyCommand=sh}\n", "2:16: address: string should match pattern"),
        ("hosts:\n  - {name: m1, address: a}\n  - {name: m1, address: b}\n", "3:6: m1 is here twice"),
        ("hosts:\n  - {name: m1, address: a}\n  - {name: w1, address: a}\n", "3:16: a is the address of m1 already"),
        ("hosts:\n  - {name: m1, address: a, key: nowhere}\n", "2:28: nowhere cannot be read"),
        ("hosts:\n  - {name: 'a/b', address: a}\n", "2:6: 'a/b' is no name of a host"),
        ("hosts:\n  - {name: [\n", "3:1: not YAML"),
        ("- m1\n", "1:1: the inventory: input should be a valid dictionary"),
    ],
)
def test_a_mistake_has_its_place_and_its_remedy(tmp_path, text, told):
    path = tmp_path / "hosts.yaml"
    path.write_text(text)
    with pytest.raises(MachineError) as refused:
        load_inventory(path)
    assert str(refused.value).startswith(f"{path}:{told}")
    assert "\n" not in str(refused.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    path = tmp_path / "hosts.yaml"
    path.write_text("hosts:\n  - {name: m1, user: a b}\n  - {nam: m2, address: x}\n")
    with pytest.raises(MachineError) as refused:
        load_inventory(path)
    assert [line.split(": ", 1)[0].removeprefix(f"{path}:") for line in str(refused.value).splitlines()] == [
        "2:5", "2:16", "3:5", "3:6",
    ]  # fmt: skip


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(MachineError, match="there is no such inventory"):
        load_inventory(tmp_path / "hosts.yaml")
