"""Whose certificate may call what (ca/config.go): a certificate's organizational unit is its node's role."""

from __future__ import annotations

from swarmsim.sim.method import ANYONE as ANYONE

WORKER_ROLE = "swarm-worker"
MANAGER_ROLE = "swarm-manager"

NODES = (WORKER_ROLE, MANAGER_ROLE)
MANAGERS = (MANAGER_ROLE,)
