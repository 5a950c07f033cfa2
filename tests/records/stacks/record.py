"""Record what a real docker client does with the command lines of lines.txt: python -m tests.records.stacks.record CLIENT [LINE…]

CLIENT is the command that runs the client, `docker` say. It is run in a folder with the files of files.txt, against a
daemon on loopback that agrees to everything. Writes lines.jsonl beside this file: a row for each line, with what was
printed, the exit code and every request. With LINEs, those are shown instead of recorded.
"""

import re
import sys
import tempfile
from pathlib import Path

import msgspec

from swarmsim.analysis.clientrecord import Typed
from swarmsim.analysis.stackrecord import DIRECTORY, ENVIRONMENT, StackDaemon, read_files
from tests import loopback

HERE = Path(__file__).resolve().parent
AT, NOW = "2026-01-02T13:30:00+00:00", "2026-01-02T13:30:00Z"
"""When all of it happened, to the client's clock."""


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    client, *shown = sys.argv[1:]
    known, rows = StackDaemon(), []
    with loopback.daemon(known.answer) as address, tempfile.TemporaryDirectory() as root:
        folder = Path(root + DIRECTORY)
        for name, text in read_files(HERE / "files.txt").items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        environment = {**ENVIRONMENT, "HOME": str(folder), "DOCKER_HOST": address}
        for line in shown or (HERE / "lines.txt").read_text().splitlines():
            known.asked = []
            done = loopback.type_line(client, line, folder, environment)
            err = re.sub(r'^time="[^"]*"', f'time="{NOW}"', done.stderr, flags=re.M)
            row = Typed(line, AT, done.returncode, done.stdout, err, known.asked)
            rows.append(msgspec.json.decode(msgspec.json.encode(row).replace(root.encode(), b""), type=Typed))
    loopback.keep(rows, HERE / "lines.jsonl", shown=bool(shown))


if __name__ == "__main__":
    main()
