"""Names on networks and who answers for them (libnetwork resolver.go, sandbox.go ResolveName, network.go svcRecords).

Each daemon has, for every network, a table of names (:class:`Names`), made from the endpoints it knows. A container asks
127.0.0.11; its daemon looks at the networks the container is on, those of users first, then the local ones:

=========================  ==========================================================================
name                       answer
=========================  ==========================================================================
``web``, an alias          the service's virtual address, or those of its tasks where it has none (``dnsrr``)
``tasks.web``              the addresses of its tasks
the container's name       that task
``web.shop``               ``web`` on the network ``shop``, if nobody is called ``web.shop``
=========================  ==========================================================================

A name whose endpoint is being stopped is gone at once, but for the virtual address: that goes with the last endpoint. Several
addresses are shuffled for every answer. Nobody has a name on the ingress network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

TTL = 600
"""Seconds for which a client may keep an answer (resolver.go respTTL)."""
UDP_SIZE = 512
"""Bytes of an answer by UDP, if the question does not ask for more (defaultRespSize)."""
_HEADER, _QUESTION, _RECORD = 12, 4, 14  # bytes of DNS; besides, each record names the name once more, as Go writes it


class Names:
    """The names on one network, as one daemon knows them. A name may have several owners of one address, and goes with the last."""

    __slots__ = ("_addresses",)

    def __init__(self) -> None:
        self._addresses: dict[str, dict[tuple[str, str], None]] = {}

    def add(self, name: str, owner: str, address: str) -> None:
        """``owner`` is the service or endpoint that has the name."""
        self._addresses.setdefault(name.lower(), {})[address, owner] = None

    def remove(self, name: str, owner: str, address: str) -> None:
        known = self._addresses.get(name.lower())
        if known is not None:
            known.pop((address, owner), None)
            if not known:
                del self._addresses[name.lower()]

    def find(self, name: str) -> list[str]:
        """The addresses of a name, each once; none if there is no such name."""
        return list(dict.fromkeys(address for address, _ in self._addresses.get(name.lower(), ())))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._addresses))


class Membership(NamedTuple):
    """A network a container is on. ``aliases`` are names that only this container uses for others there (links)."""

    network: str
    names: Names
    scope: str = "swarm"
    """``swarm`` or ``local``."""
    ingress: bool = False


class Answer(NamedTuple):
    """What the resolver says. Without addresses it has to ask the host's own name servers."""

    addresses: tuple[str, ...]
    ttl: int = TTL
    truncated: bool = False
    network: str = ""
    """The name of the network they are on."""

    @property
    def known(self) -> bool:
        return bool(self.addresses)


def _readings(name: str) -> list[tuple[str, str]]:
    """The names and networks a name may mean, in the order they are tried.

    >>> _readings("db.shop")
    [('db.shop', ''), ('db', 'shop')]
    """
    found, end = [(name, "")], len(name)
    while (end := name.rfind(".", 0, end)) >= 0:
        found.append((name[:end], name[end + 1 :]))
    return found


def _in_order(networks: Sequence[Membership]) -> list[Membership]:
    """Networks of users before the ingress network, local ones last."""
    return sorted(networks, key=lambda each: 2 if each.scope == "local" else 1 if each.ingress else 0)


def resolve(question: str, networks: Sequence[Membership], rng: Random, size: int = UDP_SIZE) -> Answer:
    """What a container on these ``networks`` is answered to a question for IPv4 addresses, in at most ``size`` bytes.

    >>> shop = Names()
    >>> for task, address in (("e1", "10.0.1.3"), ("e2", "10.0.1.4")):
    ...     shop.add("tasks.web", "web's id", address)
    >>> shop.add("web", "web's id", "10.0.1.2")
    >>> on = [Membership("shop", shop)]
    >>> resolve("web", on, Random(0)).addresses
    ('10.0.1.2',)
    >>> sorted(resolve("tasks.web.shop.", on, Random(0)).addresses)
    ['10.0.1.3', '10.0.1.4']
    >>> resolve("db", on, Random(0)).known
    False
    """
    name = question.removesuffix(".")
    ordered = _in_order(networks)
    for reading, network in _readings(name):
        for membership in ordered:
            if network and membership.network != network:
                continue
            found = membership.names.find(reading)
            if found:
                return _fitted(name, shuffled(found, rng), size)._replace(network=membership.network)
    return Answer(())


def shuffled(addresses: Sequence[str], rng: Random) -> list[str]:
    """Fisher and Yates' shuffle (shuffleAddr); nothing is drawn for a single one."""
    order = list(addresses)
    for last in range(len(order) - 1, 0, -1):
        other = rng.randrange(last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def _fitted(name: str, addresses: list[str], size: int) -> Answer:
    """As many as fit; the client is told if that is not all."""
    named = len(name) + 2
    fit = max(0, (size - _HEADER - named - _QUESTION) // (named + _RECORD))
    return Answer(tuple(addresses[:fit]), truncated=fit < len(addresses))
