"""Which engines hosts have, in words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from swarmsim.real.machine import Machine

VERSIONS = "engine {{.Server.Version}}, client {{.Client.Version}}, Linux {{.Server.KernelVersion}}"
NO_TIME = 20.0
"""Seconds a client gets to tell versions."""


def versions(machines: Sequence[Machine]) -> str:
    """Engine, client and kernel of the first host that tells them, in words."""
    for machine in machines:
        if not machine.powered:
            continue
        words, environment = machine.docker(["version", "--format", VERSIONS])
        try:
            told = subprocess.run(
                words, capture_output=True, text=True, check=False, timeout=NO_TIME, env={**os.environ, **environment}
            )
        except subprocess.TimeoutExpired:
            continue
        if told.returncode == 0:
            return told.stdout.strip()
    return "no engine answers"
