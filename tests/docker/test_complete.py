"""Completion at the prompt, by the grammar's table."""

from __future__ import annotations

import pytest

from swarmsim.docker.complete import Names, completions

CASES = [
    (
        "",
        [
            "config",
            "network",
            "node",
            "secret",
            "service",
            "stack",
            "swarm",
            "volume",
            "ps",
            "kill",
            "run",
            "create",
            "start",
            "restart",
            "wait",
            "rename",
            "diff",
            "logs",
            "stop",
            "rm",
            "exec",
            "events",
            "info",
            "version",
            "inspect",
        ],
    ),
    ("nod", ["node"]),
    ("docker nod", ["node"]),
    ("node pr", ["promote"]),
    ("node inspect ", ["self", "m1", "w1"]),
    ("node promote ", ["w1"]),
    ("node demote ", ["m1"]),
    ("node rm m1 ", ["w1"]),
    ("stack ps ", ["shop"]),
    ("service update --image ", []),
    ("service update --detach ", ["web"]),
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
    assert completions(line, Names(["m1"], ["w1"], ["web"], ["shop"])) == found
