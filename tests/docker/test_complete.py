"""Completion at the prompt, by the grammar's table."""

from __future__ import annotations

import pytest

from swarmsim.docker.complete import completions

CASES = [
    ("", ["node", "service", "swarm", "ps", "kill", "info", "version", "inspect"]),
    ("no", ["node"]),
    ("docker no", ["node"]),
    ("node pr", ["promote"]),
    ("node inspect ", ["m1", "w1"]),
    ("node update --availability p", ["pause"]),
    ("node update --avail", ["--availability"]),
    ("service scale ", ["web="]),
    ("service ps w", ["web"]),
    ("service create --mode gl", ["global"]),
    ("swarm join-token w", ["worker"]),
    ("service create --name web ngi", []),
    ("nonsense x", []),
]


@pytest.mark.parametrize(("line", "found"), CASES)
def test_a_word_becomes(line, found):
    assert completions(line, ["m1", "w1"], ["web"]) == found
