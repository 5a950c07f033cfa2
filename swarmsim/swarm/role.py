"""What a node is for: the two roles (api/types.proto NodeRole)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    WORKER = "worker"
    MANAGER = "manager"
