"""What a trace holds.

The first row of a simulated run is its header (kind ``header``). Then come two sorts of rows, all with
``t`` (seconds since the run began) and ``kind``:

- *observations*, with the fields of the recorded real clusters, so that both load alike;
- *internals*, whose kinds have a dot or are listed in :data:`INTERNAL`: Raft roles, members, messages,
  sessions, scheduler decisions with their reason, and what is true whether or not a manager can tell.
"""

from __future__ import annotations

from typing import Any

FORMAT = 1
"""Version of the trace format; readers refuse others."""

OBSERVATIONS: dict[str, tuple[str, ...]] = {
    "docker": ("on", "cmd", "rc", "out", "err", "s"),
    "step": ("what", "node"),
    "begin": ("scenario",),
    "end": (),
    "node": ("node", "status", "msg", "avail", "role", "leader", "reach", "id"),
    "node_gone": ("node", "id"),
    "service": ("service", "update", "umsg", "mode", "replicas", "image"),
    "service_gone": ("service",),
    "task": ("task", "service", "slot", "ts", "image", "state", "desired", "msg", "err", "node", "exit"),
    "task_gone": ("task",),
    "reached": ("what", "after"),
    "not_reached": ("what", "after"),
    "no_manager_answers": (),
    "manager_answers": (),
    "containers": ("n",),
    "api_error": ("on", "status", "body"),
    "cert": ("node",),
    "note": ("text",),
}

MESSAGES = frozenset(("raft.message", "raft.sent"))
"""Kinds that are only written when asked for: they are most of a run."""

INTERNAL = frozenset(("session", "quorum", "serving", "host", "power", "links"))


def is_internal(kind: str) -> bool:
    return kind in INTERNAL or "." in kind


def header(scenario: str, digest: str, seed: int, version: str, profile: str) -> dict[str, Any]:
    """The first row of a trace."""
    return {
        "t": 0.0,
        "kind": "header",
        "format": FORMAT,
        "scenario": scenario,
        "hash": digest,
        "seed": seed,
        "version": version,
        "profile": profile,
    }
