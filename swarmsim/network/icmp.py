"""How often a kernel says that something cannot be reached (Linux net/ipv4/icmp.c, route.c inet_peer_xrlim_allow)."""

from __future__ import annotations

RATELIMIT = 1.0  # seconds, net.ipv4.icmp_ratelimit
BURST = 6  # inetpeer.c XRLIM_BURST_FACTOR


class RateLimit:
    """Of the errors of one namespace: six at once to one address, then one a second.

    >>> limit = RateLimit()
    >>> [limit.allows(tenth / 10, "10.98.1.254") for tenth in range(12)].count(True)
    7
    """

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[float, float]] = {}
        """What an address has left, in seconds, and when that was."""

    def allows(self, now: float, address: str) -> bool:
        """Whether one more may go to ``address`` at ``now`` (seconds); then it counts."""
        tokens, since = self._tokens.get(address, (BURST * RATELIMIT, now))
        tokens = min(BURST * RATELIMIT, tokens + now - since)
        allowed = tokens >= RATELIMIT
        self._tokens[address] = (tokens - RATELIMIT if allowed else tokens, now)
        return allowed
