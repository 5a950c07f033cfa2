"""Which hosts do not reach each other: cut pairs, and groups that are separated from all others."""

from __future__ import annotations

from collections.abc import Sequence


class Cuts:
    """Of the hosts named ``hosts``. Two reach each other if their pair is not cut and they are on the same side of every separation."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self.hosts = list(hosts)
        self.pairs: list[tuple[str, str]] = []
        self._groups: dict[int, list[str]] = {}
        self._partition: list[int] = []
        self._number = 0

    @property
    def groups(self) -> list[list[str]]:
        """The groups that are separated, in the order they were."""
        return list(self._groups.values())

    def cut(self, a: str, b: str) -> None:
        pair = (min(a, b), max(a, b))
        if pair not in self.pairs:
            self.pairs = sorted([*self.pairs, pair])

    def separate(self, hosts: Sequence[str]) -> int:
        """Cut hosts off from all others, but not from each other; the number is for :meth:`rejoin`."""
        self._number += 1
        self._groups[self._number] = list(hosts)
        return self._number

    def rejoin(self, number: int) -> None:
        """Undo a separation; nothing happens if it was healed before."""
        self._groups.pop(number, None)

    def partition(self, groups: Sequence[Sequence[str]]) -> None:
        """Only hosts of one group reach each other, in the place of the partition before; hosts in no group form one of their own."""
        for number in self._partition:
            self.rejoin(number)
        self._partition = [self.separate(group) for group in groups]

    @property
    def partitioned(self) -> bool:
        return any(number in self._groups for number in self._partition)

    def heal(self, *hosts: str) -> None:
        """Undo cuts (and, without names, every separation). One name: its cuts; two: the cut between them."""
        if hosts:
            self.pairs = [pair for pair in self.pairs if not set(pair) >= set(hosts)]
        else:
            self.pairs, self._groups, self._partition = [], {}, []

    def unreachable(self, host: str) -> list[str]:
        """The hosts that packets of this one do not reach, in the order of the hosts."""
        return [
            other
            for other in self.hosts
            if (min(host, other), max(host, other)) in self.pairs
            or any((host in group) != (other in group) for group in self._groups.values())
        ]
