"""What is typed into a container does what it did in a real one (records/asked/shells.txt)."""

from __future__ import annotations

import re

import pytest

from tests.conftest import RECORDS, Lab

REAL_HOSTS_OWN = (
    "ls -la",
    "mount",
    "df",
    "/proc/",
    "hostname -i",
    "/etc/mtab",
    "top",
    "diff",
    "run ",
    "nosuch; echo",
    "-i aa sh",
    "echo $$",
)
"""In commands that show what only a real host has, or whose two streams the record mixes."""


def answers() -> list[tuple[str, int, str]]:
    """Commands, exit codes and output, until the container is stopped."""
    text = (RECORDS / "asked/shells.txt").read_text().partition("m1$ stop -t 0")[0]
    found = re.findall(r"m1\$ (.*?)    \[(\d+), .*\n((?:      .*\n|\n)*)", text)
    return [
        (command, int(code), re.sub("^      ", "", output, flags=re.MULTILINE))
        for command, code, output in found
        if not any(mark in command for mark in REAL_HOSTS_OWN)
    ]


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab(1, gossip=True)
    lab.docker("network create -d overlay --attachable here")
    result = lab.docker("run -d --name aa --network here mini:1 sleep 100000")
    assert result.code == 0, result.err
    return lab


def without_chance(text: str) -> str:
    """Process numbers and container ids left out, and what standalone busybox calls itself in ``ps``; the record has no carriage returns."""
    text = text.replace("\r", "")
    text = re.sub(r"\{ps\} sh -c .*", "ps", text)
    text = re.sub(r"^ *\d+ (?=0|root)", "N ", text, flags=re.MULTILINE)
    return re.sub(r"\b[0-9a-f]{12}\b", "ID", text)


def test_commands_answer_as_in_a_real_container(lab: Lab) -> None:
    wrong = []
    for command, code, output in answers():
        result = lab.docker(command)
        if " -d " in command:
            lab.sleep(2.0)
        if (result.code, without_chance(result.out + result.err)) != (code, without_chance(output)):
            wrong.append((command, code, output, result.code, result.out + result.err))
    assert not wrong, "\n".join(map(str, wrong))


def test_files_stay_while_the_container_is_there(lab: Lab) -> None:
    lab.docker("exec aa sh -c 'echo hello > /tmp/f'")
    lab.sleep(5.0)
    assert lab.docker("exec aa sh -c 'cat /tmp/f | wc -c'").out == "6\n"


def test_an_own_program_of_a_plain_container_takes_signals(lab: Lab) -> None:
    lab.docker(
        """run -d --name tt --network here mini:1 sh -c 'trap "echo bye; exit 5" TERM; while true; do sleep 1; done'"""
    )
    lab.sleep(2.5)
    lab.docker("stop tt")
    assert lab.docker("inspect tt --format '{{.State.ExitCode}}'").out == "5\n"


def test_output_and_code_of_a_script_are_those_of_run(lab: Lab) -> None:
    result = lab.docker("run --rm --network here mini:1 sh -c 'for i in 1 2 3; do echo $i; done | grep 2; exit 3'")
    assert (result.code, result.out) == (3, "2\n")
