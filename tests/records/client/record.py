"""Record what a real docker client does with the command lines of lines.txt: python -m tests.records.client.record CLIENT [LINE…]

CLIENT is the command that runs the client, `docker` say. It is run in a copy of files/, against a daemon on loopback that
gives the answers of answers.json. Writes lines.jsonl beside this file: a row for each line, with what was printed, the exit
code and every request. With LINEs, those are shown instead of recorded.
"""

import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from swarmsim.analysis.clientrecord import ENVIRONMENT, Daemon, Typed
from tests import loopback

HERE = Path(__file__).resolve().parent


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    client, *shown = sys.argv[1:]
    lines = shown or [line for line in (HERE / "lines.txt").read_text().splitlines() if line and line[0] != "#"]
    known, rows = Daemon.read(HERE / "answers.json"), []
    with loopback.daemon(known.answer) as address, tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "files"
        shutil.copytree(HERE / "files", folder)
        environment = {"HOME": str(folder), "TZ": "UTC", **ENVIRONMENT, "DOCKER_HOST": address}
        for line in lines:
            known.asked = []
            at = datetime.now(UTC).isoformat()
            done = loopback.type_line(client, line, folder, environment)
            rows.append(Typed(line, at, done.returncode, done.stdout, done.stderr, known.asked))
    loopback.keep(rows, HERE / "lines.jsonl", shown=bool(shown))


if __name__ == "__main__":
    main()
