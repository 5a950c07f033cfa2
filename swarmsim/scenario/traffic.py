"""Traffic as a scenario writes it, and what of it has been seen so far."""

from __future__ import annotations

import re
from math import inf
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from swarmsim.scenario.duration import PositiveDuration
from swarmsim.scenario.parts import Name, Strict
from swarmsim.trace.rows import Row
from swarmsim.world import OUTSIDE, TrafficPlan

ANY_NODE = "any-node"
MAX_RATE = 10_000.0
"""Requests a second."""
MOST_REQUESTS = 10_000_000
"""Of one traffic; each costs tens of microseconds of real time."""
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|min|m|h)")
_PER = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def _rate(value: Any) -> float:
    """Requests a second.

    >>> _rate("30/min"), _rate(5)
    (0.5, 5.0)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        rate = float(value)
    else:
        match = _RATE.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(f"{value!r} is no rate: write 50/s, 30/min or a number of requests a second")
        rate = float(match[1]) / _PER[match[2]]
    if not 0 < rate <= MAX_RATE:
        raise ValueError(f"{value!r}: a rate is more than 0 and at most {MAX_RATE:g}/s")
    return rate


class Pool(Strict):
    """Connections that are kept, so many to each host that is asked."""

    pool: int = Field(ge=1, le=1000, description="how many")


class FromService(Strict):
    """The containers of a service, in turn."""

    service: str = Field(description="its name")
    cache_names: bool = Field(False, description="whether they keep an answer for as long as they may, ten minutes")


class Traffic(Strict):
    """Requests at a steady rate, whatever becomes of them."""

    from_: str | FromService = Field(OUTSIDE, alias="from", description="a host, outside, or {service: NAME}")
    to: str | list[str] = Field(
        ANY_NODE,
        description="a host, several, or any-node: all of them in turn, whether or not they have power; from a service: names on "
        "its networks, as 127.0.0.11 knows them",
    )
    port: int = Field(ge=1, le=65535, description="a published port; from a service: the port of the tasks")
    protocol: Literal["tcp", "udp"] = Field(
        "tcp",
        description="udp: a request is a datagram and the one that answers it, a connection a socket that is kept",
    )
    rate: Annotated[float, BeforeValidator(_rate, json_schema_input_type=float | str)] = Field(
        description="50/s, 30/min or a number of requests a second"
    )
    connections: Literal["new", "kept"] | Pool = Field(
        "new", description="new: one for each request; kept: one to each host; {pool: N}"
    )
    timeout: PositiveDuration = Field(2.0, description="patience for one try")
    retries: int = Field(0, ge=0, le=100, description="how often a request that failed is tried again")
    duration: PositiveDuration = Field(description="how long requests are begun")

    requests: Literal["packets", "rates"] = Field(
        "packets",
        description="packets: each is sent; rates: only how many end how is worked out, a few dozen times as fast",
    )

    @model_validator(mode="after")
    def _rates_of_what(self) -> Traffic:
        if self.requests == "rates":
            for word, ordinary in (
                ("connections", self.connections == "new"),
                ("retries", self.retries == 0),
                ("protocol", self.protocol == "tcp"),
            ):
                if not ordinary:
                    raise ValueError(
                        f"requests: rates is for single requests over connections of their own: leave out {word}"
                    )
            if isinstance(self.from_, FromService):
                raise ValueError("requests: rates is for clients of published ports: say from: outside, or a host")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Traffic:
        requests = self.rate * self.duration
        if requests > MOST_REQUESTS:
            raise ValueError(
                f"{requests:,.0f} requests never end: a rate and a duration that make at most {MOST_REQUESTS:,} are understood"
            )
        return self

    @model_validator(mode="after")
    def _not_empty(self) -> Traffic:
        if isinstance(self.to, list) and not self.to:
            raise ValueError("to: names no host")
        if isinstance(self.from_, FromService) and self.to == ANY_NODE:
            raise ValueError("from a service: say to: which name is asked")
        return self

    def targets(self, hosts: list[str]) -> list[str]:
        """Who is asked, of these hosts."""
        return hosts if self.to == ANY_NODE else [self.to] if isinstance(self.to, str) else self.to

    def plan(self, name: str, source: str, to: list[str]) -> TrafficPlan:
        """What a world is given to do, with hosts by their own names."""
        kept = {"new": 0, "kept": 1}
        keeps = self.connections.pool if isinstance(self.connections, Pool) else kept[self.connections]
        asker = self.from_ if isinstance(self.from_, FromService) else None
        return TrafficPlan(
            name,
            source,
            tuple(to),
            self.port,
            self.rate,
            keeps,
            self.timeout,
            self.retries,
            self.duration,
            asker.service if asker is not None else "",
            asker is not None and asker.cache_names,
            self.requests == "rates",
            self.protocol,
        )


class TrafficStep(Strict):
    """Begin to ask; the next step follows at once. All traffic is over before the final expectations."""

    traffic: Traffic = Field(description="who asks whom, how often")
    as_: Name = Field("traffic", alias="as", description="its name, for expectations")


class CurlStep(Strict):
    """Type curl on a host, or outside the cluster."""

    curl: str = Field(description="what is typed after curl: -s HOST:PORT")
    on: str = Field(OUTSIDE, description="the host to type on; default: outside of all")
    as_: Name | None = Field(None, alias="as", description="a name for its result, usable as {name} in later commands")
    within: PositiveDuration = Field(300.0, description="Ctrl-C after this long")


class Tally:
    """What became of the requests of one traffic so far, as rows tell."""

    def __init__(self) -> None:
        self.requests = 0
        self.outcomes: dict[str, int] = {}
        self.tasks: dict[str, int] = {}
        """How many requests each task has answered."""
        self._took: list[float] = []

    def count(self, row: Row) -> None:
        """A row ``request``, or ``requests`` of several, of which nobody knows how long they took."""
        number = row.get("n", 1)
        self.requests += number
        self.outcomes[row["out"]] = self.outcomes.get(row["out"], 0) + number
        if row.get("kind") == "requests":
            for task, answered in row["by"].items():
                self.tasks[task] = self.tasks.get(task, 0) + answered
        elif row["out"] == "ok":
            self._took.append(row["ms"])
            if row["by"] is not None:
                self.tasks[row["by"]] = self.tasks.get(row["by"], 0) + 1

    @property
    def median(self) -> float:
        """Seconds that half of the answers took at most; infinite if there was none."""
        return median(self._took) / 1000 if self._took else inf

    @property
    def lost(self) -> int:
        return self.requests - self.outcomes.get("ok", 0)

    @property
    def success(self) -> float:
        return 1.0 if not self.requests else 1.0 - self.lost / self.requests

    def in_words(self) -> str:
        """
        >>> tally = Tally()
        >>> for out in ("ok", "ok", "timeout"):
        ...     tally.count({"out": out, "by": "web.1", "ms": 4.0})
        >>> tally.in_words()
        '3 requests, 1 lost (1 timeout), 66.67 % ok'
        """
        kinds = ", ".join(f"{n} {out}" for out, n in sorted(self.outcomes.items()) if out != "ok")
        lost = f"{self.lost} lost" + (f" ({kinds})" if kinds else "")
        return f"{self.requests} requests, {lost}, {100 * self.success:.4g} % ok"
