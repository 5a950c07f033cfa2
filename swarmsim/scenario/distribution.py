"""Laws of random durations in scenario files: how often something fails, and for how long.

=================================================  =============================================================
in the file                                        the durations
=================================================  =============================================================
``1h`` or ``{fixed: 1h}``                          always the same
``{exponential: 30d}``                             mean 30 days, whatever happened before
``{weibull: {scale: 30d, shape: 0.7}}``            63 % are shorter than the scale; shape < 1: early failures
``{lognormal: {median: 1h, sigma: 1}}``            half are shorter than the median
``{uniform: {low: 10m, high: 2h}}``                between the two
``[5m, 20m, 3h]`` or ``{empirical: […]}``          one of the list, each as likely
=================================================  =============================================================

All durations need units: a bare 30 may mean days to who writes it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from swarmsim.distribution import Distribution
from swarmsim.scenario.duration import span

PARAMETERS: dict[str, tuple[str, ...]] = {
    "exponential": ("mean",),
    "weibull": ("scale", "shape"),
    "lognormal": ("median", "sigma"),
    "uniform": ("low", "high"),
    "fixed": (),
    "empirical": (),
}
"""The laws and their parameters."""
NUMBERS = ("shape", "sigma")
"""Parameters that are plain numbers; the others are durations."""


def _parse_distribution(value: Any) -> Any:
    """The law as :class:`~swarmsim.distribution.Distribution` has it, in seconds. Raises :class:`ValueError`."""
    if isinstance(value, list):
        value = {"empirical": value}
    elif not isinstance(value, dict):
        value = {"fixed": value}
    if len(value) != 1 or next(iter(value)) not in PARAMETERS:
        unknown = next((name for name in value if name not in PARAMETERS), None)
        told = f"unknown law {unknown!r}; there are" if unknown is not None else "a law is one of"
        raise ValueError(f"{told} {', '.join(PARAMETERS)}")
    ((name, given),) = value.items()
    if name == "fixed":
        return {"always": span(given)}
    if name == "empirical":
        if not isinstance(given, list) or not given:
            raise ValueError("empirical needs a list of durations, such as [5m, 20m, 3h]")
        return {"empirical": [span(one) for one in given]}
    wanted = PARAMETERS[name]
    if not isinstance(given, dict) and len(wanted) == 1:
        given = {wanted[0]: given}
    if not isinstance(given, dict) or set(given) != set(wanted):
        raise ValueError(f"{name} needs {' and '.join(wanted)}, as in {_example(name)}")
    return {name: {key: item if key in NUMBERS else span(item) for key, item in given.items()}}


def _example(name: str) -> str:
    shown = {"scale": "30d", "median": "1h", "mean": "30d", "low": "10m", "high": "2h", "shape": "0.7", "sigma": "1"}
    return f"{{{name}: {{{', '.join(f'{key}: {shown[key]}' for key in PARAMETERS[name])}}}}}"


DurationDistribution = Annotated[
    Distribution, BeforeValidator(_parse_distribution, json_schema_input_type=str | list[str] | dict[str, Any])
]
