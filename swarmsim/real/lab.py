"""A lab: hosts on this machine, each of a few namespaces of the kernel, with an engine of its own, on one bridge.

A host has a network, a process table, mounts and a name of its own. Its first process is a shell; when that is killed, the kernel kills all others
at that very moment, which is what losing power is. ``/run`` and ``/var/lib/docker`` are its own, so an engine and a client on it find everything where they do on a
real one. Packets go over the bridge through a pair of virtual interfaces, whose end at the bridge is the host's plug.

All that a lab keeps is in one folder, ``/var/lib/swarmsim-lab/1``, and all that it makes in the kernel bears the names ``swarmsim1…``. Needs root and what
:func:`missing` names.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import shlex
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TextIO

from swarmsim.real.journal import Journal
from swarmsim.real.machine import Change, Completed, MachineError

HOME = Path("/var/lib/swarmsim-lab")
LABS = range(1, 250)
"""Numbers of labs: the third part of their addresses."""
PACKAGES = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "ip": "iproute2",
    "nft": "nftables",
    "iptables": "iptables",
    "flock": "util-linux",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "busybox": "busybox-static",
}
"""Programs a lab needs, and Debian's packages that bring them."""
APPLETS = "sh sleep ls ping nc httpd wget hostname cat echo true false test touch rm date env nslookup ip ifconfig mount df id ps mkdir kill trap"
IMAGES = ("mini:1", "mini:2")
"""The images every host has: a shell and small programs, the same under two names."""
BOOT = 60.0
"""Seconds an engine gets to answer."""
NETWORK = "10.98"
"""The first half of the hosts' addresses; the lab's number and the host's follow."""
TABLE = "swarmsim"
"""Name of the packet filter's table that holds cuts; no other is touched."""

INIT = """\
read pid rest </proc/self/stat
mount --make-rprivate /
mount -t proc proc /proc
rm -rf {folder}/run
mkdir -p {folder}/run {folder}/lib
mount --bind {folder}/lib /var/lib/docker
mount --bind {folder}/run /run
! [ -e /etc/hosts ] || mount --bind {folder}/../hosts /etc/hosts
hostname {name}
echo $pid >{folder}/init.draft && mv {folder}/init.draft {folder}/init
sh {folder}/engine.sh &
while sleep 1; do wait; done
"""
"""A host's first process. It tells its number outside, makes the host, starts the engine, and then buries what dies."""

ENGINE = """\
rm -f /run/docker.sock /run/docker.pid
exec dockerd --storage-driver overlay2 --cgroup-parent /{cgroup}{labels} >>{folder}/log 2>&1
"""


ENGINE_GETS = """\
pid=$(cat /run/docker.pid); kill -{signal} $pid
while grep -qs '^State:.[^ZX]' /proc/$pid/status || [ "$(ls /proc/$pid/task 2>/dev/null | wc -l)" -gt 1 ]; do sleep 0.02; done"""
"""The daemon gets a signal, and has ended at the end, with all its threads (a zombie has)."""


class LabError(MachineError):
    """The lab cannot be had; the message says why and what to do."""


def missing() -> str | None:
    """What this machine lacks for a lab, in one sentence; ``None`` if it lacks nothing."""
    if os.geteuid() != 0:
        return "a lab needs root: it makes network namespaces and starts engines"
    lacking = [program for program in PACKAGES if shutil.which(program) is None]
    if lacking:
        packages = dict.fromkeys(PACKAGES[program] for program in lacking)
        return f"a lab needs {', '.join(lacking)}: apt-get install {' '.join(packages)}"
    tried = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "nft", "list", "tables"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        return f"a lab needs namespaces and nftables, which this kernel does not let it have: {tried.stderr.strip()}"
    return None


class Plan(NamedTuple):
    """A host of a lab to be: its name, what it is meant to become, the labels of its engine."""

    name: str
    role: str
    labels: Mapping[str, str] = {}


class LabMachine:
    """One host of a lab: a :class:`~swarmsim.real.machine.Machine`."""

    def __init__(self, lab: str, number: int, place: int, plan: Plan, folder: Path) -> None:
        self.name, self.role, self._labels = plan
        self.address = f"{NETWORK}.{number}.{place}"
        self.folder = folder
        self.namespace = f"{lab}.{self.name}"
        self.plug = f"{lab}-{place}"
        self.socket = folder / "run" / "docker.sock"
        self.cgroup = f"{lab}-{self.name}"

    def write(self) -> None:
        """Have its scripts in its folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        labels = "".join(f" --label {shlex.quote(f'{name}={value}')}" for name, value in self._labels.items())
        own = {"folder": self.folder, "name": self.name, "cgroup": self.cgroup, "labels": labels}
        (self.folder / "init.sh").write_text(INIT.format(**own), encoding="utf-8")
        (self.folder / "engine.sh").write_text(ENGINE.format(**own), encoding="utf-8")
        (self.folder / "start.sh").write_text(self._start, encoding="utf-8")

    @property
    def first_process(self) -> int | None:
        """The number of its first process, if it has power."""
        try:
            number = int((self.folder / "init").read_text())
            words = Path(f"/proc/{number}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return number if str(self.folder).encode() in words else None

    @property
    def powered(self) -> bool:
        return self.first_process is not None

    @property
    def engine_runs(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asked:
            return asked.connect_ex(str(self.socket)) == 0

    async def shell(self, script: str) -> Completed:
        # If whoever runs it is killed, it goes on: what undoes it waits for its end, by the journal's lock.
        lock = self.folder.parent / "journal" / "lock"
        process = await asyncio.create_subprocess_exec(
            "flock",
            "--shared",
            "--close",
            str(lock),
            "sh",
            "-c",
            script,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # Whoever is cancelled waits for the end all the same: what undoes it comes after it.
        reading = asyncio.ensure_future(process.communicate())
        try:
            out, err = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await reading
            raise
        return Completed(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))

    def docker(self, words: Sequence[str]) -> tuple[list[str], Mapping[str, str]]:
        # The client goes into the host's namespaces, but stays in the folder it is started in.
        return ["sh", "-c", f'exec {self._enter} sh -c \'cd "$0" && exec docker "$@"\' "$PWD" "$@"', "sh", *words], {}

    @property
    def _enter(self) -> str:
        """How a command is run on it."""
        return f"nsenter -t $(cat {self.folder}/init) --net --uts --mount --pid --"

    def inside(self, script: str) -> str:
        return f"{self._enter} sh -c {shlex.quote(script)}"

    @property
    def _start(self) -> str:
        """Plug, power, engine: whichever it lacks. One at a time, so that two do not both find it without power."""
        background = f"</dev/null >>{self.folder}/out 2>&1 8>&- 9>&- &"
        whole = f"unshare --uts --mount --pid --fork --kill-child sh {self.folder}/init.sh"
        return f"""\
exec 8>{self.folder}/start.lock; flock 8
ip link set {self.plug} up
if ! grep -qs {self.folder} /proc/$(cat {self.folder}/init 2>/dev/null || echo none)/cmdline; then
  rm -f {self.folder}/init {self.socket}
  setsid nsenter --net=/run/netns/{self.namespace} {whole} {background}
  n=0; while [ ! -e {self.folder}/init ] && [ $n -lt 500 ]; do sleep 0.02; n=$((n+1)); done
elif ! {self.inside("grep -qs '^State:.[^ZX]' /proc/$(cat /run/docker.pid)/status")} 2>/dev/null; then
  setsid {self._enter} sh {self.folder}/engine.sh {background}
fi
"""

    # -- changes

    def _change(self, what: str, do: str, undo: str) -> Change:
        return Change(self.name, f"{what} {self.name}", do, undo)

    @property
    def _started(self) -> str:
        return f"sh {self.folder}/start.sh"

    def silence(self) -> Change:
        return self._change("unplug", f"ip link set {self.plug} down", f"ip link set {self.plug} up")

    def kill_everything(self) -> Change:
        # Its socket is nobody's any more, but would look like one of an engine that starts.
        do = f"""\
p=$(cat {self.folder}/init); kill -9 $p
while grep -qs '^State:.[^ZX]' /proc/$p/status; do sleep 0.02; done
rm -f {self.folder}/init {self.socket}"""
        return self._change("kill", do, self._started)

    def kill_engine(self) -> Change:
        return self._change("kill-engine", self.inside(ENGINE_GETS.format(signal="KILL")), self._started)

    def stop_engine(self) -> Change:
        return self._change("stop-engine", self.inside(ENGINE_GETS.format(signal="TERM")), self._started)

    def start(self) -> Change:
        return self._change("start", self._started, ":")

    def cut_from(self, addresses: Sequence[str]) -> Change:
        emptied = f"ip netns exec {self.namespace} nft 'add table inet {TABLE}; delete table inet {TABLE}'"
        whole = f"! [ -e /run/netns/{self.namespace} ] || {emptied}"
        if not addresses:
            return self._change("heal", whole, ":")
        rules = f"""\
table inet {TABLE} {{
  set cut {{ type ipv4_addr; elements = {{ {", ".join(addresses)} }} }}
  chain from {{ type filter hook prerouting priority -300; ip saddr @cut drop; }}
  chain to {{ type filter hook postrouting priority 300; ip daddr @cut drop; }}
}}"""
        do = f"ip netns exec {self.namespace} nft {shlex.quote(f'add table inet {TABLE}; delete table inet {TABLE}; {rules}')}"
        return self._change("cut", do, whole)


class Lab:
    """The lab of this number, whether or not it is up."""

    def __init__(self, number: int = 1, home: Path = HOME) -> None:
        self.number = number
        self.name = f"swarmsim{number}"
        self.folder = home / str(number)
        self.machines: dict[str, LabMachine] = {}
        self._lock: TextIO | None = None
        if self.is_up:
            self.machines = self.planned(
                [Plan(**host) for host in json.loads(self._state.read_text(encoding="utf-8"))["hosts"]]
            )

    @property
    def _state(self) -> Path:
        return self.folder / "lab.json"

    @property
    def is_up(self) -> bool:
        """Whether it, or part of it, has been brought up and not taken down."""
        return self._state.exists()

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "journal")

    def planned(self, plans: Sequence[Plan]) -> dict[str, LabMachine]:
        """The hosts that it would have; nothing is made."""
        return {
            plan.name: LabMachine(self.name, self.number, place, plan, self.folder / plan.name)
            for place, plan in enumerate(plans, 1)
        }

    def lock(self) -> bool:
        """Have it for oneself until the process ends; whether nobody else does. Raises :class:`LabError` if this is not root."""
        try:
            file = self._lock_file.open("w")
        except PermissionError:
            raise LabError("a lab needs root: it makes network namespaces and starts engines") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        return True

    def unlock(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _lock_file(self) -> Path:
        """Beside its folder, so that taking that away does not let a second one in."""
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # root runs what is in it
        return self.folder.with_suffix(".lock")

    def up(self, plans: Sequence[Plan]) -> None:
        """Make the hosts and start their engines; returns when all answer. Raises :class:`LabError`, and leaves nothing then."""
        problem = missing()
        if problem is not None:
            raise LabError(problem)
        if self.is_up:
            raise LabError(f"lab {self.number} is up already, with {' '.join(self.machines)}: swarmsim lab down")
        self.machines = self.planned(plans)
        self.journal.folder.mkdir(parents=True, exist_ok=True)
        draft = self._state.with_suffix(".draft")
        draft.write_text(json.dumps({"hosts": [plan._asdict() for plan in plans]}), encoding="utf-8")
        draft.replace(self._state)
        try:
            self._make()
        except BaseException:
            self.down()
            raise

    def _make(self) -> None:
        known = [f"{machine.address} {machine.name}" for machine in self.machines.values()]
        (self.folder / "hosts").write_text("\n".join(["127.0.0.1 localhost", *known, ""]), encoding="utf-8")
        _run("ip", "link", "add", self.name, "type", "bridge")
        _run("ip", "link", "set", self.name, "up")
        for machine in self.machines.values():
            space, plug = machine.namespace, machine.plug
            machine.write()
            _run("ip", "netns", "add", space)
            _run("ip", "link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", space)
            _run("ip", "link", "set", plug, "master", self.name)
            _run("ip", "-n", space, "addr", "add", f"{machine.address}/24", "dev", "eth0")
            _run("ip", "-n", space, "link", "set", "eth0", "up")
            _run("ip", "-n", space, "link", "set", "lo", "up")
            _run("sh", "-c", machine.start().do)
        archive = self.folder / "image.tar"
        archive.write_bytes(_image())
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(self._ready, machine, archive) for machine in self.machines.values()]:
                done.result()

    def _ready(self, machine: LabMachine, archive: Path) -> None:
        until = time.monotonic() + BOOT
        while not machine.engine_runs:
            if time.monotonic() > until:
                log = (machine.folder / "log").read_text(errors="replace").strip().splitlines()[-1:]
                raise LabError(f"{machine.name}: its engine does not answer after {BOOT:g} s: {' '.join(log)}")
            time.sleep(0.05)
        for image in IMAGES:
            words, _ = machine.docker(["import", str(archive), image])
            _run(*words)

    def down(self) -> None:
        """Take away all there is of it, also of one that is up in part; whether or not it is up."""
        for machine in self.machines.values():
            number = machine.first_process
            if number is not None:
                os.kill(number, 9)
            _try("ip", "link", "del", machine.plug)
            _try("ip", "netns", "del", machine.namespace)
        _try("ip", "link", "del", self.name)
        for machine in self.machines.values():
            until = time.monotonic() + 10
            while machine.powered and time.monotonic() < until:
                time.sleep(0.02)
            for cgroup in Path("/sys/fs/cgroup").glob(f"**/{machine.cgroup}"):
                for inner in sorted(cgroup.glob("**/"), reverse=True):
                    _try("rmdir", str(inner))
        shutil.rmtree(self.folder, ignore_errors=True)


def free_lab() -> Lab:
    """The first that is neither up nor in anybody's hands; it is ours until this process ends."""
    for number in LABS:
        lab = Lab(number)
        if not lab.is_up and lab.lock():
            return lab
    raise LabError(f"no lab is free: see {HOME} and swarmsim lab status")


def _run(*words: str) -> str:
    """Run a command that must not fail; what it printed. Raises :class:`LabError`."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise LabError(f"{shlex.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _try(*words: str) -> None:
    """Run a command that may fail, where there is nothing to take away."""
    subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def _image() -> bytes:
    """The file system of the small image, as an archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(shutil.which("busybox") or "/bin/busybox", "bin/busybox")
        for applet in APPLETS.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return packed.getvalue()
