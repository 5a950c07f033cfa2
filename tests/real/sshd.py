"""The hosts of a lab as somebody's own: each with an sshd, reached over the lab's bridge."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

from swarmsim.real.lab import Lab, LabMachine

HERE = 254
"""The last part of this machine's address on a lab's bridge."""
SSHD = "/usr/sbin/sshd"
CONFIG = """\
HostKey {folder}/hostkey
AuthorizedKeysFile {keys}
PidFile /run/sshd.pid
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


def missing() -> str | None:
    if shutil.which("ssh") and Path(SSHD).exists():
        return None
    return "hosts behind SSH need sshd: apt-get install openssh-server"


def serve(lab: Lab, folder: Path) -> Path:
    """Start an sshd on every host; the inventory of them. ``folder`` has what the user has: keys and known hosts."""
    subprocess.run(
        ["ip", "addr", "add", f"10.98.{lab.number}.{HERE}/24", "dev", lab.name], check=False, capture_output=True
    )
    key = folder / "id"
    keygen(key)
    known = folder / "known_hosts"
    lines, hosts = [], []
    for machine in lab.machines.values():
        keygen(machine.folder / "hostkey")
        public = (machine.folder / "hostkey.pub").read_text().split()
        lines.append(f"{machine.address} {public[0]} {public[1]}")
        start(machine, key.with_suffix(".pub"))
        again = (
            f"setsid sh -c '. {machine.folder}/engine.sh' </dev/null >/dev/null 2>&1 & "
            "n=0; until [ -S /run/docker.sock ] || [ $n -gt 100 ]; do sleep 0.1; n=$((n+1)); done"
        )
        hosts.append(
            f"  - {{name: {machine.name}, address: {machine.address}, key: {key}, start-engine: {json.dumps(again)}}}"
        )
    known.write_text("\n".join([*lines, ""]))
    (folder / "ssh_config").write_text(
        f"UserKnownHostsFile {known}\nStrictHostKeyChecking yes\nIdentitiesOnly yes\nUser root\n"
    )
    inventory = folder / "hosts.yaml"
    inventory.write_text("ssh-config: ssh_config\nhosts:\n" + "\n".join([*hosts, ""]))
    return inventory


def start(machine: LabMachine, keys: Path) -> None:
    config = machine.folder / "sshd_config"
    config.write_text(CONFIG.format(folder=machine.folder, keys=keys))
    line = machine.inside(f"mkdir -p /run/sshd && {SSHD} -f {shlex.quote(str(config))}")
    subprocess.run(["sh", "-c", line], check=True)


def keygen(path: Path) -> None:
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
