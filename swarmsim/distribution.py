"""How long things take: the distributions a profile may name.

A distribution is written in YAML as a number of seconds (always that long), or as one law with its
parameters, optionally shifted: ``{lognormal: {median: 0.3, sigma: 0.6}, plus: 0.02}``. All results are
seconds, never negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Sampler = Callable[[Random], float]


class Uniform(_Form):
    low: NotNegative
    high: NotNegative

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.high < self.low:
            raise ValueError("high must not be below low")
        return self

    def sampler(self, plus: float) -> Sampler:
        start, width = self.low + plus, self.high - self.low
        return lambda rng: start + width * rng.random()

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2


class Lognormal(_Form):
    median: Positive
    sigma: NotNegative

    def sampler(self, plus: float) -> Sampler:
        median, sigma, exp = self.median, self.sigma, math.exp
        return lambda rng: median * exp(sigma * rng.gauss(0.0, 1.0)) + plus

    @property
    def mean(self) -> float:
        return self.median * math.exp(self.sigma**2 / 2)


class Exponential(_Form):
    mean: Positive

    def sampler(self, plus: float) -> Sampler:
        mean, log = self.mean, math.log
        return lambda rng: plus - mean * log(1.0 - rng.random())


class Weibull(_Form):
    scale: Positive
    shape: Positive

    def sampler(self, plus: float) -> Sampler:
        scale, power, log = self.scale, 1.0 / self.shape, math.log
        return lambda rng: plus + scale * (-log(1.0 - rng.random())) ** power

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1 + 1 / self.shape)


def _parse_constant(value: Any) -> Any:
    return {"always": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class Distribution(BaseModel):
    """One law of durations in seconds; exactly one of the laws must be given.

    >>> Distribution.model_validate({"uniform": {"low": 1, "high": 1}}).draw(Random(1))
    1.0
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    always: NotNegative | None = None
    uniform: Uniform | None = None
    lognormal: Lognormal | None = None
    exponential: Exponential | None = None
    weibull: Weibull | None = None
    empirical: list[NotNegative] | None = Field(default=None, min_length=1)
    plus: NotNegative = 0.0

    @model_validator(mode="after")
    def _one_law(self) -> Distribution:
        forms = ("always", "uniform", "lognormal", "exponential", "weibull", "empirical")
        given = [name for name in forms if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(forms)}")
        return self

    @property
    def mean(self) -> float:
        """Of the law, in seconds.

        >>> Distribution.model_validate({"lognormal": {"median": 3600, "sigma": 1}}).mean / 60  # doctest: +ELLIPSIS
        98.92...
        """
        if self.always is not None:
            return self.always + self.plus
        if self.empirical is not None:
            return sum(self.empirical) / len(self.empirical) + self.plus
        form = self.uniform or self.lognormal or self.exponential or self.weibull
        assert form is not None
        return form.mean + self.plus

    def sampler(self) -> Sampler:
        """The law as a plain function, chosen once: draws are on the hot path of every message."""
        plus = self.plus
        if self.always is not None:
            constant = self.always + plus
            return lambda rng: constant
        if self.empirical is not None:
            values = self.empirical
            return lambda rng: values[int(rng.random() * len(values))] + plus
        form = self.uniform or self.lognormal or self.exponential or self.weibull
        assert form is not None
        return form.sampler(plus)

    def draw(self, rng: Random) -> float:
        return self.sampler()(rng)


DistributionField = Annotated[Distribution, BeforeValidator(_parse_constant)]
