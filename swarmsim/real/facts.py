"""What a host is: asked of it with one line of shell that changes nothing, and two commands of its own docker client.

The line is plain ``sh`` and asks only programs that Debian and CentOS bring along; what one of them does not know is left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from swarmsim.real.machine import Machine, MachineError

MARK = "/var/lib/swarmsim/node"
"""On the host: the id of its node in a swarm that swarmsim made."""
PATIENCE = 20.0
"""Seconds a host gets to tell what it is."""
SERVICE_LABEL = "com.docker.swarm.service.name"

ASK = f"""\
s() {{ echo "== $1"; }}
s hostname; hostname
s kernel; uname -r
s names; grep -v '^ *#' /etc/hosts
s addresses; ip -o -4 addr show scope global
s links; ip -o link show
s default; ip -4 route show default
s memory; cat /proc/meminfo
s disk; df -Pk "$(docker info --format '{{{{.DockerRootDir}}}}' 2>/dev/null || echo /var/lib)" | tail -n 1
s containers; docker ps --format '{{{{.Names}}}} {{{{.Label "{SERVICE_LABEL}"}}}}' 2>/dev/null
s mark; cat {MARK} 2>/dev/null
s firewalls; for each in firewalld ufw; do [ "$(systemctl is-active $each 2>/dev/null)" = active ] && echo $each; done
s tools; for each in nft iptables tc python3 python python2 perl; do command -v $each >/dev/null && echo $each; done
s synchronized; timedatectl show -p NTPSynchronized --value 2>/dev/null
s end
"""


class Interface(NamedTuple):
    """A network interface with an address; ``mtu`` in bytes."""

    name: str
    address: str
    mtu: int


class Facts(NamedTuple):
    """What a host told. Sizes are in bytes, times in seconds."""

    name: str
    address: str
    trouble: str = ""
    """Why nothing could be asked; all else is empty then."""
    hostname: str = ""
    kernel: str = ""
    ahead: float = 0.0
    """Of this machine's clock, and how far that may be wrong."""
    give_or_take: float = 0.0
    synchronized: bool | None = None
    resolved: Mapping[str, str] = {}
    """``/etc/hosts``: addresses by name."""
    interfaces: Sequence[Interface] = ()
    default_interface: str = ""
    memory: int = 0
    memory_free: int = 0
    disk_free: int = 0
    foreign: Sequence[str] = ()
    """Names of running containers that are no tasks."""
    tasks: int = 0
    mark: str = ""
    firewalls: Sequence[str] = ()
    tools: Sequence[str] = ()
    client: str = ""
    engine: str = ""
    engine_trouble: str = ""
    """What the client said instead of what the engine is."""
    info: Mapping[str, Any] = {}
    """What ``docker info`` tells."""

    @property
    def swarm(self) -> Mapping[str, Any]:
        told = self.info.get("Swarm")
        return told if isinstance(told, Mapping) else {}

    @property
    def swarm_state(self) -> str:
        return str(self.swarm.get("LocalNodeState") or "inactive")

    @property
    def node_id(self) -> str:
        return str(self.swarm.get("NodeID") or "")

    @property
    def cluster_id(self) -> str:
        """Of the swarm it is in; only managers know it."""
        return str((self.swarm.get("Cluster") or {}).get("ID") or "")

    @property
    def in_foreign_swarm(self) -> bool:
        """Whether it is in a swarm that swarmsim did not make."""
        return self.swarm_state != "inactive" and not (self.mark and self.mark == self.node_id)

    @property
    def python(self) -> str | None:
        return next((each for each in ("python3", "python", "python2") if each in self.tools), None)

    @property
    def mtu(self) -> int:
        """Of the interface that has its address."""
        return next((each.mtu for each in self.interfaces if each.address == self.address), 0)


async def ask_all(machines: Sequence[Machine]) -> dict[str, Facts]:
    """What hosts are, by name; asked at once."""
    told = await asyncio.gather(*map(ask, machines))
    return {facts.name: facts for facts in told}


async def ask(machine: Machine) -> Facts:
    """What one host is; if it cannot be asked, why."""
    try:
        async with asyncio.timeout(PATIENCE):
            done = await machine.shell(machine.inside(ASK))
            if "== end" not in done.out:
                said = done.err.strip() or f"exit code {done.code}"
                return Facts(machine.name, machine.address, said)
            began = time.time()
            clock = await machine.shell(machine.inside("date +%s.%N"))
            ended = time.time()
            version = await _typed(machine, ["version", "--format", "{{json .}}"])
            info = await _typed(machine, ["info", "--format", "{{json .}}"])
    except TimeoutError:
        return Facts(machine.name, machine.address, f"no answer within {PATIENCE:g} s")
    except (MachineError, OSError) as problem:
        return Facts(machine.name, machine.address, str(problem))
    return read(machine.name, machine.address, done.out, version, info, (began, ended), clock.out)


async def _typed(machine: Machine, words: Sequence[str]) -> tuple[str, str]:
    """What a docker command that is typed on a host prints."""
    command, environment = machine.docker(words)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    out, err = await process.communicate()
    return out.decode(errors="replace"), err.decode(errors="replace")


def read(
    name: str,
    address: str,
    told: str,
    version: tuple[str, str],
    info: tuple[str, str],
    asked: tuple[float, float],
    clock: str,
) -> Facts:
    """Facts from what was printed: on :data:`ASK`, and by ``docker version`` and ``docker info`` as JSON with their errors.

    ``clock`` is what its own showed, ``asked`` when it was asked for that and when the answer was there, by this machine's.
    """
    parts = _parts(told)
    versions, infos = _json(version[0]), _json(info[0])
    links = {words[1].split("@")[0].rstrip(":"): _after(words, "mtu") for words in map(str.split, parts["links"])}
    interfaces = [
        Interface(words[1], words[3].split("/")[0], int(links.get(words[1]) or 0))
        for words in map(str.split, parts["addresses"])
    ]
    containers = [line.partition(" ") for line in parts["containers"]]
    memory = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in parts["memory"] if len(line.split()) > 1}
    began, ended = asked
    moment = _number(clock.split(), (began + ended) / 2)
    disk = parts["disk"][0].split() if parts["disk"] else []
    server = versions.get("Server") or {}
    synchronized = parts["synchronized"][0] if parts["synchronized"] else ""
    trouble = next(iter((version[1].strip() or info[1].strip()).splitlines()), "") if not server else ""
    errors = infos.get("ServerErrors")
    return Facts(
        name,
        address,
        hostname=parts["hostname"][0] if parts["hostname"] else "",
        kernel=parts["kernel"][0] if parts["kernel"] else "",
        ahead=moment - (began + ended) / 2,
        give_or_take=(ended - began) / 2,
        synchronized={"yes": True, "no": False}.get(synchronized),
        resolved={
            alias: words[0] for words in map(str.split, parts["names"]) for alias in words[1:] if ":" not in words[0]
        },
        interfaces=[each for each in interfaces if not each.name.startswith(("docker", "br-"))],
        default_interface=_after(parts["default"][0].split(), "dev") if parts["default"] else "",
        memory=memory.get("MemTotal", 0),
        memory_free=memory.get("MemAvailable", memory.get("MemFree", 0)),
        disk_free=int(disk[3]) * 1024 if len(disk) > 3 and disk[3].isdigit() else 0,
        foreign=[found for found, _, service in containers if not service],
        tasks=sum(bool(service) for _, _, service in containers),
        mark=parts["mark"][0] if parts["mark"] else "",
        firewalls=parts["firewalls"],
        tools=parts["tools"],
        client=str((versions.get("Client") or {}).get("Version") or ""),
        engine=str(server.get("Version") or ""),
        engine_trouble=trouble or (str(errors[0]) if errors else "" if server else "docker does not answer"),
        info=infos,
    )


def _parts(told: str) -> Mapping[str, list[str]]:
    """Lines that are not empty, by the part they are in."""
    parts: dict[str, list[str]] = {line[3:]: [] for line in ASK_PARTS}
    part = ""
    for line in told.splitlines():
        if line.startswith("== "):
            part = line[3:]
        elif line.strip() and part in parts:
            parts[part].append(line.strip())
    return parts


ASK_PARTS = ["== " + line.split(";")[0].split()[1] for line in ASK.splitlines() if line.startswith("s ")]


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _after(words: Sequence[str], name: str) -> str:
    """The word that follows ``name``."""
    return next((words[n + 1] for n, word in enumerate(words[:-1]) if word == name), "")


def _number(lines: Sequence[str], otherwise: float) -> float:
    try:
        return float(lines[0])
    except (IndexError, ValueError):
        return otherwise
