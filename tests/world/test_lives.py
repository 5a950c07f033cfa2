"""The life of a container made by hand, told by commands as real engines told it (records/asked/lives.txt)."""

from __future__ import annotations

import re
import shlex

from tests.conftest import RECORDS, Lab

NOT_HERE = (
    "top ",
    "pause ",
    "unpause ",
    "network create",
    "exec rr2 true",
    "create mini:1",
    "name x nosuch",
    "name bad",
)
"""Parts of commands that are not modelled, or need what this record's engine lacked."""


def answers() -> list[tuple[float, str, int, str]]:
    """When a command ended, the command, its code and output."""
    text = (RECORDS / "asked/lives.txt").read_text()
    found = re.findall(r"^ *([\d.]+)  m1\$ (.*?)    \[(\d+), .*\n((?:      .*\n|\n)*)", text, re.MULTILINE)
    return [
        (float(at), command, int(code), re.sub("^      ", "", output, flags=re.MULTILINE))
        for at, command, code, output in found
    ]


def without_chance(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"Less than a second|\d+ seconds?|About a minute", "SOON", text)
    return re.sub(r"  +", "  ", text)


def test_commands_tell_what_they_really_tell() -> None:
    lab = Lab(1, gossip=True)
    lab.docker("network create -d overlay --attachable here")
    before, wrong = 0.0, []
    for at, command, code, output in answers():
        lab.sleep(max(at - before, 0.05))
        before = at
        if command == "ps" or any(part in command for part in NOT_HERE):
            continue
        words = shlex.split(command)
        if words[0] in ("run", "create"):
            command = command.replace(words[0], f"{words[0]} --network here", 1)
        result = lab.docker(command)
        said = sorted(without_chance(result.out + result.err).splitlines())
        if (result.code, said) != (code, sorted(without_chance(output).splitlines())):
            wrong.append((command, code, output, result.code, result.out, result.err))
    assert not wrong, "\n".join(map(str, wrong))
