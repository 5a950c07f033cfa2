"""A host behind SSH: a :class:`~swarmsim.real.machine.Machine`, reached by the user's own ``ssh``.

One connection to each host is kept open (a control master); everything goes through it, the engine's socket too, which is forwarded to a socket on
this machine. The master ends by itself a minute after the last who uses it, so nothing stays if we are killed. ``BatchMode`` is on: what
would ask for something fails, and says what to do.

All lines of shell are run on this machine; a line for the host is one that begins with ``ssh``. So a journal's entry can be undone by anybody who
has ssh, whether or not the connection is still there.
"""

from __future__ import annotations

import asyncio
import shlex
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from swarmsim.real.inventory import Host, key_file
from swarmsim.real.lab import ENGINE_GETS, TABLE
from swarmsim.real.machine import DESK, Change, Completed, MachineError

CONNECT = 10
"""Seconds a host gets to be connected to."""
PERSIST = 60
"""Seconds a connection stays that nobody uses."""
ALIVE = 5
"""Seconds without a packet after which the other end is asked; three times in vain, and the connection is lost."""
ANSWER = 0.5
"""Seconds an engine gets to say something; one that is silent for longer is there, but busy."""
SOCKET = "/var/run/docker.sock"
POWER = "swarmsim_power"
"""Name of the packet filter's table of a host that plays dead."""
THERE = "/tmp/swarmsim-desk"
"""The folder on a host for files that commands may read."""

SSHD_PORT = "echo $SSH_CONNECTION | cut -d' ' -f4"
NOT_BY_ITSELF = """\
! [ -d /run/systemd/system ] || systemctl mask --runtime --quiet docker.service docker.socket
"""
"""Systemd would start it again at once."""
ENGINE_UP = """\
if [ -d /run/systemd/system ]; then
  systemctl unmask --runtime --quiet docker.service docker.socket
  systemctl reset-failed docker.service docker.socket 2>/dev/null
  systemctl start docker.socket docker.service
elif ! grep -qs '^State:.[^ZX]' /proc/$(cat /run/docker.pid 2>/dev/null || echo none)/status; then
  {start}
fi
"""
EVERYTHING = """\
inner=$(docker ps -q | xargs -r docker inspect -f '{{{{.State.Pid}}}}')
{engine}
kill -9 $(pgrep -f '[c]ontainerd-shim.* -namespace moby') $inner 2>/dev/null || true
"""
"""What of a host is the cluster's ends at once: the engine, its containers and those who mind them."""

REMEDIES = {
    "IDENTIFICATION HAS CHANGED": "its host key is not the one that is known: if it was installed anew, "
    "ssh-keygen -R {address}, then log in once; else somebody is in between",
    "Host key verification failed": "its host key is not known yet: log in once with ssh, compare the key, and say yes",
    "Permission denied": "no login without a password: ssh-copy-id {login}, or name the private key in the inventory (key:)",
    "Could not resolve": "there is no such address: see address and ssh in the inventory",
    "Connection refused": "nothing listens there: is sshd installed and running, and the port right?",
    "timed out": "no answer: is it switched on, the address right, and no firewall in between?",
    "No route": "no way to it: is it switched on, and the address right?",
    "unreachable": "no way to it: is it switched on, and the address right?",
    "too long for Unix": "the folder of control sockets has too long a name: set XDG_STATE_HOME to a shorter one",
}
"""What to do about what ssh says."""


class SshMachine:
    """The host ``host`` of an inventory in ``folder``. ``state`` is a folder of ours for sockets."""

    def __init__(self, host: Host, folder: Path, state: Path, config: str | None = None, role: str = "worker") -> None:
        self.host = host
        self.name, self.address, self.role = host.name, host.address, role
        self.socket = state / f"{host.name}.docker"
        self._control = state / f"{host.name}.ssh"
        self._dead = state / f"{host.name}.off"
        self._lock = state / "journal" / "lock"
        self._root, self._user = "sudo -n ", host.user or ""
        self._port = host.port or 22
        self._target = host.ssh or host.address
        given = {"-p": host.port, "-l": host.user, "-J": host.jump, "-i": host.key and key_file(host, folder)}
        own = {"-F": config and folder / Path(config).expanduser(), "-S": self._control, **given}
        self._options = [str(word) for flag, value in own.items() if value for word in (flag, value)]
        for option in (
            "BatchMode=yes",
            f"ConnectTimeout={CONNECT}",
            f"ServerAliveInterval={ALIVE}",
            "ServerAliveCountMax=3",
            "LogLevel=ERROR",
        ):
            self._options += ["-o", option]

    # -- the connection

    @property
    def _connect(self) -> list[str]:
        """How the master comes up. Its end of the forwarded socket is taken over from one before."""
        master = ["-o", "ControlMaster=yes", "-o", f"ControlPersist={PERSIST}", "-o", "StreamLocalBindUnlink=yes"]
        forward = ["-o", "ExitOnForwardFailure=yes", "-L", f"{self.socket}:{SOCKET}"]
        return ["ssh", "-fN", *self._options, *master, *forward, self._target]

    def connect(self) -> None:
        """Have the connection. Raises :class:`MachineError`."""
        if self._check().returncode == 0:
            return
        self._control.unlink(missing_ok=True)
        with self._log.open("w") as log:  # a pipe would not end: the master keeps its other end
            none = subprocess.DEVNULL
            done = subprocess.run(self._connect, stdin=none, stdout=none, stderr=log, check=False)
        told = self._log.read_text(errors="replace").strip()
        self._log.unlink(missing_ok=True)
        if done.returncode:
            raise MachineError(f"{self.name} ({self._target}): {self._remedy(told)}")

    @property
    def _log(self) -> Path:
        return self._control.with_suffix(".log")

    def _check(self) -> subprocess.CompletedProcess[str]:
        return self._asked("-O", "check")

    def _asked(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh", *self._options, *words, self._target], capture_output=True, text=True, check=False
        )

    @property
    def connected(self) -> bool:
        return self._control.exists()

    def close(self) -> None:
        """Let the connection go, and leave no socket."""
        self._asked("-O", "exit")
        for left in (self._control, self.socket, self._dead, self._log):
            left.unlink(missing_ok=True)

    def _remedy(self, told: str) -> str:
        login = f"{self.host.user}@{self._target}" if self.host.user else self._target
        for said, remedy in REMEDIES.items():
            if said in told:
                return remedy.format(address=self._target, login=login)
        return (told.splitlines() or ["ssh ends without a word: try it by hand"])[-1]

    def run(self, script: str) -> Completed:
        """A line on the host, as the user who logs in."""
        done = subprocess.run(
            [*self._ssh, script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return Completed(done.returncode, done.stdout, done.stderr)

    def identify(self) -> None:
        """Find out who we are there, and by which port we came."""
        user, port = (*self.run(f"id -un; {SSHD_PORT}").out.split(), "", "")[:2]
        self._user = user
        self._root = "" if user == "root" else "sudo -n "
        self._port = int(port) if port.isdigit() else self._port

    def examine(self) -> None:
        """Whether we may do there what is to be done. Raises :class:`MachineError`."""
        user = self._user
        if self.run(f"{self._root}true").code:
            rule = f"echo '{user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/swarmsim"
            raise MachineError(f"{self.name}: {user} may not use sudo without a password; there: {rule}")
        lacking = self.run(
            f'for each in docker nft flock pgrep; do {self._root}sh -c "command -v $each" >/dev/null || echo $each; done'
        )
        if words := lacking.out.split():
            raise MachineError(
                f"{self.name}: it lacks {', '.join(words)}; there: apt-get install docker.io nftables util-linux procps"
            )
        told = self.run("docker version --format '{{.Server.Version}}'; hostname")
        engine, hostname = (told.out.split() or [""])[0], (told.out.split() or [""])[-1]
        if "permission denied" in told.err:
            raise MachineError(
                f"{self.name}: {user} may not use docker; there: sudo usermod -aG docker {user}, then log in anew"
            )
        if told.err.strip() and engine == hostname:
            raise MachineError(f"{self.name}: its engine does not answer: {told.err.strip().splitlines()[-1]}")
        if hostname != self.name:
            raise MachineError(
                f"{self.name}: it calls itself {hostname}; there: sudo hostnamectl set-hostname {self.name}, or name it {hostname}"
            )

    # -- what a machine is

    @property
    def powered(self) -> bool:
        return not self._dead.exists()

    @property
    def engine_runs(self) -> bool:
        # Our end of the forwarded socket takes everybody; if nobody listens at the other, it closes at once.
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(ANSWER)
            try:
                asked.connect(str(self.socket))
                asked.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
                return bool(asked.recv(1))
            except TimeoutError:
                return True
            except OSError:
                return False

    async def shell(self, script: str) -> Completed:
        # As in a lab: whoever is cancelled waits for the end, and what undoes it waits by the journal's lock.
        words = ["flock", "--shared", "--close", str(self._lock), "sh", "-c", script]
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*words, stdin=none, stdout=pipe, stderr=pipe)
        reading = asyncio.ensure_future(process.communicate())
        try:
            out, err = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await reading
            raise
        return Completed(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))

    @property
    def _ssh(self) -> list[str]:
        return ["ssh", "-T", *self._options, self._target]

    def inside(self, script: str) -> str:
        return shlex.join([*self._ssh, f"{self._root}sh -c {shlex.quote(script)}"])

    def on_host(self, line: str) -> str | None:
        """Of a line of :meth:`inside` what the host itself is to run."""
        words = shlex.split(line) if line.startswith(shlex.join(self._ssh)) else []
        return words[-1] if len(words) == len(self._ssh) + 1 else None

    def docker(self, words: Sequence[str]) -> tuple[list[str], Mapping[str, str]]:
        # If it is started in a folder of files that commands may read, they are put into one on the host.
        bring = shlex.join([*self._ssh, f"mkdir -p {THERE} && tar -C {THERE} -xf -"])
        typed = shlex.join([*self._ssh, f"cd {THERE} 2>/dev/null; exec docker {shlex.join(words)}"])
        return [
            "sh",
            "-c",
            f'case "$PWD" in */{DESK}*) [ -z "$(ls -A)" ] || tar -cf - . | {bring};; esac; exec {typed}',
        ], {}

    # -- changes

    def _change(self, what: str, do: str, undo: str) -> Change:
        return Change(self.name, f"{what} {self.name}", do, undo)

    def _emptied(self, table: str) -> str:
        return f"nft 'add table inet {table}; delete table inet {table}'"

    def _filter(self, table: str, incoming: str, outgoing: str) -> str:
        """A table that lets our own way to the host alone."""
        port = self._port
        rules = f"""\
table inet {table} {{
  chain from {{ type filter hook prerouting priority -300; iif lo accept; tcp dport {port} accept; {incoming} }}
  chain to {{ type filter hook postrouting priority 300; oif lo accept; tcp sport {port} accept; {outgoing} }}
}}"""
        return f"nft {shlex.quote(f'add table inet {table}; delete table inet {table}; {rules}')}"

    @property
    def _engine_up(self) -> str:
        own = self.host.start_engine or "service docker start >/dev/null"
        return ENGINE_UP.format(start=own)

    def silence(self) -> Change:
        return self._change(
            "silence", self.inside(self._filter(POWER, "drop;", "drop;")), self.inside(self._emptied(POWER))
        )

    def kill_everything(self) -> Change:
        mark = f"touch {shlex.quote(str(self._dead))}"
        if self.host.power is not None:
            return self._change("power-off", f"{mark}; {self.host.power.off}", self.start().do)
        engine = NOT_BY_ITSELF + ENGINE_GETS.format(signal="KILL")
        do = f"{mark}; {self.inside(EVERYTHING.format(engine=engine))}"
        return self._change("kill", do, self.inside(self._alive_again))

    @property
    def _alive_again(self) -> str:
        return f"{self._emptied(POWER)}\n{self._engine_up}"

    def kill_engine(self) -> Change:
        do = NOT_BY_ITSELF + ENGINE_GETS.format(signal="KILL")
        return self._change("kill-engine", self.inside(do), self.inside(self._engine_up))

    def stop_engine(self) -> Change:
        do = NOT_BY_ITSELF + ENGINE_GETS.format(signal="TERM")
        return self._change("stop-engine", self.inside(do), self.inside(self._engine_up))

    def start(self) -> Change:
        begin = f"rm -f {shlex.quote(str(self._dead))}"
        if self.host.power is not None:
            there = shlex.join([*self._ssh, "true"])
            begin += f"\n{there} 2>/dev/null || {self.host.power.on}"
            begin += f"\nn=0; until {there} 2>/dev/null || [ $n -gt 120 ]; do sleep 1; n=$((n+1)); done"
            begin += f"\n{shlex.join(['ssh', *self._options, '-O', 'check', self._target])} 2>/dev/null || {shlex.join(self._connect)} </dev/null >/dev/null 2>&1"
        return self._change("start", f"{begin}\n{self.inside(self._alive_again)}", ":")

    def cut_from(self, addresses: Sequence[str]) -> Change:
        emptied = self.inside(self._emptied(TABLE))
        if not addresses:
            return self._change("heal", emptied, ":")
        others = f"{{ {', '.join(addresses)} }}"
        do = self._filter(TABLE, f"ip saddr {others} drop;", f"ip daddr {others} drop;")
        return self._change("cut", self.inside(do), emptied)
