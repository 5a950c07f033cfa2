"""A profile of somebody's own machines, from what was measured on them; what could not be is taken from a shipped one, and said so."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from random import Random

from swarmsim.distribution import Distribution, Lognormal
from swarmsim.profile import Profile, load_profile

ENOUGH = 5
"""Fewer samples tell nothing of how much a time varies."""
DRAWS = 2001

BEYOND_US: Mapping[str, str] = {
    "hosts_per_machine": "which hosts share a computer is not to be seen from within them",
    "processors": "a virtual machine does not see its computer's",
    "container_first_start": "it takes an engine's restart",
    "speed_factor": "it takes many runs",
    "cold_factor": "it takes many restarts",
    "container_stop": "an engine's answer to a stop does not tell it from the exit",
    "container_status": "no API tells how long a step between task states takes",
    "pull": "it takes a pull",
    "kill_host": "it takes a host's end",
    "registry": "it takes a registry's query",
    "boot": "it takes a host's end",
    "engine_start": "it takes an engine's restart",
    "node_start": "it takes an engine's restart",
    "manager_start": "it takes a manager's restart",
    "certificate": "it takes a renewal",
    "join": "it takes a host that joins",
    "leader_start": "it takes an election",
    "ingress_setup": "it takes a host that joins",
    "ingress_remove": "it takes a host that leaves",
    "cluster_init": "it takes a new swarm",
}
"""What is not measured, and why."""


def law(seconds: Sequence[float]) -> Distribution:
    """A lognormal law with the median of the samples and the spread of their logarithms.

    >>> law([0.1, 0.2, 0.4, 0.2, 0.2]).lognormal
    Lognormal(median=0.2, sigma=0.4901)
    """
    logs = [math.log(each) for each in seconds]
    median = float(f"{statistics.median(seconds):.3g}")
    return Distribution(lognormal=Lognormal(median=median, sigma=round(statistics.stdev(logs), 4)))


def calibrated(samples: Mapping[str, Sequence[float]], name: str, about: str, base: str) -> tuple[Profile, str]:
    """The profile, and the text of its file; what there are too few ``samples`` of (seconds) is as in the profile ``base``."""
    known = load_profile(base)
    lines, fields = [f"name: {name}", f"about: {about}"], {"name": name, "about": about}
    made = {field: getattr(known, field) for field in Profile.model_fields} | fields
    for field in Profile.model_fields:
        if field in fields:
            continue
        seconds = samples.get(field, ())
        if len(seconds) >= ENOUGH:
            found = law(seconds)
            made[field] = found
            shape = found.lognormal
            assert shape is not None
            written = f"{{lognormal: {{median: {shape.median:.12g}, sigma: {shape.sigma:g}}}}}"
            lines.append(f"{field}: {written}  # measured {len(seconds)} times")
        else:
            why = BEYOND_US.get(
                field, f"measured {len(seconds)} times, which is too few" if seconds else "not measured"
            )
            lines.append(f"{field}: {_written(getattr(known, field))}  # from {base}: {why}")
    return Profile(**made), "\n".join([*lines, ""])


def _written(value: object) -> str:
    """A value of a profile as its file has it.

    >>> _written(Distribution(lognormal=Lognormal(median=0.2, sigma=0.5), plus=0.1))
    '{lognormal: {median: 0.2, sigma: 0.5}, plus: 0.1}'
    """
    if not isinstance(value, Distribution):
        return str(value)
    fields = value.model_dump(exclude_none=True, exclude_defaults=True)
    return str(fields).replace("'", "")


def beside(made: Profile, measured: Sequence[str], others: Sequence[str]) -> list[tuple[str, ...]]:
    """For every field that was measured, its median and those of other profiles, in milliseconds."""
    profiles = [made, *map(load_profile, others)]
    return [(field, *(f"{1000 * _median(profile, field):.3g}" for profile in profiles)) for field in measured]


def _median(profile: Profile, field: str) -> float:
    draw, rng = profile.samplers[field], Random(1)
    return statistics.median(draw(rng) for _ in range(DRAWS))
