"""The real shell, where busybox is installed: what a script does in an empty folder. Asked for ``tests/unix/answers.json`` by

python -m tests.unix.busybox
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS, ANSWERS = HERE / "scripts.txt", HERE / "answers.json"
BUSYBOX = shutil.which("busybox")


def scripts() -> list[str]:
    return SCRIPTS.read_text().rstrip("\n").split("\n%%\n")


def ask(script: str) -> tuple[str, int, dict[str, bytes]]:
    """Output, status and files afterwards."""
    assert BUSYBOX is not None
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [BUSYBOX, "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": "/bin", "HOME": "/root"},
            timeout=20,
            check=False,
        )
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file() and not path.is_symlink()
        }
        output = done.stdout.decode(errors="replace").replace(folder, "/tmp")
    return output, done.returncode if done.returncode >= 0 else 128 - done.returncode, files


if __name__ == "__main__":
    answers = []
    for script in scripts():
        output, status, _ = ask(script)
        answers.append({"script": script, "output": output, "status": status})
    ANSWERS.write_text(json.dumps(answers, indent=1) + "\n")
