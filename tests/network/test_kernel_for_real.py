"""A small model host, built once of this machine's own namespaces, bridges and veth pairs: addresses, routes, who reaches whom.

What the model's containers show of their network is set up for real, and the kernel asked the same. Needs root and iproute2; all of it is in
namespaces of this test, which are removed whatever happens.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import Lab

WHY_NOT = "needs root" if os.geteuid() != 0 else ("needs iproute2's ip" if shutil.which("ip") is None else "")
PREFIX = f"swarmsim{os.getpid()}"
BRIDGES = {"eth0": ("br0", "172.30.0.1/16", 1450), "eth1": ("gw0", "172.18.0.1/16", 1500)}
"""By a container's end: the bridge it is plugged into, that one's address, the MTU."""
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), 2).close()
except ConnectionRefusedError:
    pass  # whoever says that is there
except OSError:
    sys.exit(1)
"""


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def built(containers: dict[str, str]) -> dict[str, str]:
    """Namespaces by container, with the ends that ``ip addr`` showed in the model; the bridges are in one more."""
    host = f"{PREFIX}-host"
    ip("netns", "add", host)
    for bridge, address, mtu in BRIDGES.values():
        ip("-n", host, "link", "add", bridge, "mtu", str(mtu), "type", "bridge")
        ip("-n", host, "addr", "add", address, "dev", bridge)
        ip("-n", host, "link", "set", bridge, "up")
    names = {}
    for number, (container, shown) in enumerate(containers.items()):
        namespace = names[container] = f"{PREFIX}-{number}"
        ip("netns", "add", namespace)
        ip("-n", namespace, "link", "set", "lo", "up")
        for end, address in ends(shown).items():
            bridge, _, mtu = BRIDGES[end]
            plug = f"v{number}{end}"
            ip(
                "-n",
                host,
                "link",
                "add",
                plug,
                "mtu",
                str(mtu),
                "type",
                "veth",
                "peer",
                "name",
                end,
                "netns",
                namespace,
            )
            ip("-n", host, "link", "set", plug, "master", bridge, "up")
            ip("-n", namespace, "link", "set", end, "mtu", str(mtu), "up")
            ip("-n", namespace, "addr", "add", address, "brd", "+", "dev", end)
        ip("-n", namespace, "route", "add", "default", "via", "172.18.0.1")
    return names


def ends(shown: str) -> dict[str, str]:
    """Interface and address of every line with a global one, as busybox and iproute2 print them."""
    return {name: address for address, name in re.findall(r"inet (\S+) .*scope global (?:\S+ )*(eth\d)", shown)}


def routes(shown: str) -> set[str]:
    return {" ".join(line.replace("proto kernel", "").split()) for line in shown.splitlines()}


def mtus(shown: str) -> dict[str, str]:
    return dict(re.findall(r"\d+: (eth\d)@\S+ .* mtu (\d+)", shown))


@pytest.fixture
def clean() -> Iterator[None]:
    try:
        ip("netns", "add", f"{PREFIX}-probe")
        ip("-n", f"{PREFIX}-probe", "link", "add", "probe", "type", "bridge")
    except subprocess.CalledProcessError as problem:
        pytest.skip(f"root may not make namespaces and bridges here: {problem.stderr.strip()}")
    try:
        yield
    finally:
        for line in ip("netns", "list").splitlines():
            if line.startswith(f"{PREFIX}-"):
                ip("netns", "del", line.split()[0])


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_the_kernel_shows_what_the_model_shows(clean):
    lab = Lab(1, 0, gossip=True)
    lab.docker("network create -d overlay --attachable --subnet 172.30.0.0/16 kafka")
    for name, flags in (("lone", ""), ("fixed", "--ip 172.30.0.77")):
        assert lab.docker(f"run -d --name {name} --network kafka {flags} mini:1 sleep 100000").code == 0
    lab.sleep(1)
    shown = {name: lab.docker(f"exec {name} ip addr").out for name in ("lone", "fixed")}
    assert all(sorted(ends(text)) == ["eth0", "eth1"] for text in shown.values())
    namespaces = built(shown)
    for name, namespace in namespaces.items():
        real = ip("-n", namespace, "addr")
        assert ends(real) == ends(shown[name])
        assert mtus(real) == mtus(shown[name])
        assert routes(ip("-n", namespace, "route")) == routes(lab.docker(f"exec {name} ip route").out)
    for target, reached in (("172.30.0.77", True), ("172.30.0.200", False)):
        knock = [sys.executable, "-c", KNOCK, target]
        real = subprocess.run(["ip", "netns", "exec", namespaces["lone"], *knock], check=False).returncode == 0
        model = lab.docker(f"exec lone ping -c 1 -W 2 {target}").code == 0
        assert (real, model) == (reached, reached), target
