"""Somebody's own hosts, of an inventory: a scenario is run on them, and they are as before at the end.

What undoes a change is on two disks before it is made: on this machine's, and on the host's. Each has a dead man's switch of its own, so a host that is lost in the middle undoes
by itself what was done to it, and so does one whose controller is gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from swarmsim.real.careful import Terms, chosen
from swarmsim.real.inventory import load_inventory
from swarmsim.real.journal import PATIENCE, SWITCH, UNDO_ALL, Entry, Journal
from swarmsim.real.lent import lent
from swarmsim.real.machine import Machine, MachineError
from swarmsim.real.ssh import SshMachine
from swarmsim.real.versions import versions
from swarmsim.real.world import RealWorld
from swarmsim.world import Capability, HostSpec

THERE = "/var/lib/swarmsim/journal"
"""The journal's folder on a host."""

SWITCH_ON = """\
mkdir -p {there} && chmod 700 {there} && cd {there}
echo $(($(date +%s) + {patience})) >deadline
cat >switch.sh
if [ -d /run/systemd/system ]; then systemd-run --quiet --collect sh {there}/switch.sh
else setsid sh {there}/switch.sh </dev/null >/dev/null 2>&1 & fi
"""
PULSE = """\
while read -r sign; do
  [ -e {there}/deadline ] || exit 1
  echo $(($(date +%s) + {patience})) >{there}/deadline.draft && mv {there}/deadline.draft {there}/deadline
done"""
"""Reads a line for every sign of life, by the host's own clock."""


def state_folder() -> Path:
    """Where journals of hosts are, each in a folder of its inventory."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "swarmsim" / "hosts"


def folder_of(inventory: Path) -> Path:
    return state_folder() / hashlib.sha256(str(inventory.resolve()).encode()).hexdigest()[:8]


class HostsJournal(Journal):
    """What has been done to ``machines``, here and there."""

    def __init__(self, folder: Path, machines: Sequence[SshMachine], inventory: Path) -> None:
        super().__init__(folder)
        self._machines = machines
        self._pulses: dict[str, subprocess.Popen[bytes]] = {}
        self.heal = f"swarmsim heal {inventory}"

    def write(self, what: str, undo: str) -> Entry:
        entry = super().write(what, undo)
        for machine in self._machines:
            line = machine.on_host(undo)
            if line is not None:
                self._put(machine, f"{entry.path.stem}.undo", line)
        return entry

    def _put(self, machine: SshMachine, name: str, line: str) -> None:
        draft, path = f"{THERE}/{name}.draft", f"{THERE}/{name}"
        script = f"mkdir -p {THERE}; printf '%s\\n' {shlex.quote(line)} >{draft} && sync {draft} && mv {draft} {path}"
        self._there(machine, script)

    def _there(self, machine: SshMachine, script: str, stdin: str = "") -> None:
        done = subprocess.run(
            ["sh", "-c", machine.inside(script)], input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise MachineError(
                f"{machine.name}: nothing was done to it, for its undo cannot be kept there: {done.stderr.strip()}"
            )

    def arm(self, patience: float = PATIENCE) -> subprocess.Popen[bytes] | None:
        switch = SWITCH.format(folder=THERE, undo=UNDO_ALL.format(folder=THERE))
        own = {"there": THERE, "patience": int(patience)}
        for machine in self._machines:
            self._there(machine, SWITCH_ON.format(**own), switch)
            self._pulses[machine.name] = subprocess.Popen(
                ["sh", "-c", f"exec {machine.inside(PULSE.format(**own))}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return super().arm(patience)

    def still_here(self, patience: float = PATIENCE) -> None:
        super().still_here(patience)
        for machine in self._machines:
            pulse = self._pulses[machine.name]
            if pulse.poll() is None and pulse.stdin is not None:
                with suppress(BrokenPipeError):
                    pulse.stdin.write(b"here\n")
                    pulse.stdin.flush()
            elif machine.powered and machine.host.power is None:
                raise MachineError(
                    f"{machine.name}: the connection is lost; what was done to it is undone there within {patience:g} s. "
                    f"See whether it is up (ssh {machine.address}), then: {self.heal}"
                )

    def disarm(self) -> None:
        super().disarm()
        for pulse in self._pulses.values():
            if pulse.stdin is not None:
                with suppress(BrokenPipeError):
                    pulse.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                pulse.wait(5)
            pulse.kill()

    def undo_all(self) -> bool:
        """Here, then on each host what it keeps itself. Its switch ends with its folder."""
        undone = super().undo_all()
        for machine in self._machines:
            script = f"rm -f {THERE}/deadline; ( {UNDO_ALL.format(folder=THERE)} ) && rm -rf {THERE}"
            undone = self._done(machine, script) and undone
        return undone

    def _done(self, machine: SshMachine, script: str) -> bool:
        return subprocess.run(["sh", "-c", machine.inside(script)], capture_output=True, check=False).returncode == 0


def machines_of(path: Path) -> list[SshMachine]:
    """The hosts of an inventory, not connected yet. Raises :class:`MachineError`."""
    inventory, folder = load_inventory(path), folder_of(path)
    (folder / "journal").mkdir(mode=0o700, parents=True, exist_ok=True)
    return [SshMachine(host, path.parent.resolve(), folder, inventory.ssh_config) for host in inventory.hosts]


@contextmanager
def locked(folder: Path) -> Iterator[TextIO]:
    """Have hosts for oneself. Raises :class:`MachineError` if another swarmsim does."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MachineError("another swarmsim has these hosts: wait for its end, or end it") from None
        yield file


@contextmanager
def connected(machines: Sequence[SshMachine]) -> Iterator[None]:
    """Connections to all of them, closed at the end. Raises :class:`MachineError` with what is wrong with each."""
    try:
        wrong = []
        for machine in machines:
            try:
                machine.connect()
            except MachineError as problem:
                wrong.append(str(problem))
        if wrong:
            raise MachineError("\n".join(wrong))
        yield
    finally:
        for machine in machines:
            machine.close()


class HostsPlace:
    """Hosts of an inventory, behind SSH."""

    borrowed = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._machines = machines_of(path)
        self.capabilities: Collection[Capability] = RealWorld.capabilities
        self.verbs: Collection[str] = RealWorld.verbs

    def lacking(self, wanted: Collection[str]) -> Mapping[str, str]:
        return {}

    def planned(self, specs: Sequence[HostSpec]) -> list[Machine]:
        return list(self._chosen(specs))

    def _chosen(self, specs: Sequence[HostSpec]) -> list[SshMachine]:
        names = [machine.name for machine in chosen(str(self._path), self._machines, specs)]
        machines = [next(each for each in self._machines if each.name == name) for name in names]
        for machine, spec in zip(machines, specs, strict=True):
            machine.role = str(spec.role)
        return machines

    @contextmanager
    def opened(self, specs: Sequence[HostSpec], terms: Terms) -> Iterator[RealWorld]:
        machines, folder = self._chosen(specs), folder_of(self._path)
        with locked(folder), connected(machines):
            for machine in machines:
                machine.identify()
                machine.examine()
            journal = HostsJournal(folder / "journal", machines, self._path)
            if not journal.undo_all():
                raise MachineError(f"not undone: {', '.join(journal.entries)}; see {journal.folder}/undone.log")
            named = {spec.name: spec for spec in specs}
            with lent(str(self._path), machines, journal, named, self._described(machines), terms) as world:
                yield world

    def _described(self, machines: Sequence[SshMachine]) -> str:
        soft = [machine.name for machine in machines if machine.host.power is None]
        substitute = "a soft substitute (silence, then engine and containers are killed)"
        power = f"; power of {' '.join(soft)}: {substitute}" if soft else ""
        return f"{self._path.name}: {versions(machines)}{power}"


def heal(path: Path | None) -> list[str]:
    """Undo what runs on hosts left, of one inventory or from the journals alone; what was undone. Raises :class:`MachineError` if something is not."""
    folders = [folder_of(path)] if path is not None else sorted(state_folder().glob("*"))
    undone = []
    for folder in folders:
        with locked(folder):
            machines = [] if path is None else machines_of(path)
            with connected(machines):
                for machine in machines:
                    machine.identify()
                journal = HostsJournal(folder / "journal", machines, path or folder)
                undone += journal.entries
                if not journal.undo_all():
                    left = ", ".join(journal.entries) or "something on a host"
                    raise MachineError(f"not undone: {left}; see {journal.folder}/undone.log")
    return undone
