"""What is put into a packet, against the rule said plainly: all that waits, sorted, and taken as it fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from swarmsim.network.broadcasts import Broadcasts, transmit_limit

OVERHEAD = 2  # bytes for each message


class Plain:
    """A queue that is sorted anew for each packet: sent least often first, of these the largest, of these the newest."""

    def __init__(self, members: int) -> None:
        self.members = members
        self.waiting: list[tuple[int, int, int, str | None]] = []  # how often sent, size, number, key
        self.number = 0

    def queue(self, size: int, key: str | None) -> int:
        self.number += 1
        self.waiting = [each for each in self.waiting if key is None or each[3] != key]
        self.waiting.append((0, size, self.number, key))
        return self.number

    def take(self, limit: int) -> list[int]:
        free = limit - OVERHEAD
        taken, left = [], []
        for each in sorted(self.waiting, key=lambda each: (each[0], -each[1], -each[2])):
            if 0 < free >= each[1]:
                taken.append(each)
                free -= OVERHEAD + each[1]
            else:
                left.append(each)
        again = [(times + 1, *rest) for times, *rest in taken if times + 1 < transmit_limit(self.members)]
        self.waiting = left + again
        return [number for _, _, number, _ in taken]


@given(
    st.sampled_from((1, 20)),
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from((24, 51, 51, 72, 130)), st.sampled_from((None, "a", "b"))),
            st.sampled_from((60, 200, 1400)),
        ),
        max_size=60,
    ),
)
def test_a_packet_is_filled_by_the_rule(members, steps):
    queue: Broadcasts[int] = Broadcasts(lambda: members)
    plain = Plain(members)
    finished = []
    for step in steps:
        if isinstance(step, tuple):
            size, key = step
            number = plain.queue(size, key)
            queue.queue(number, size, key, lambda number=number: finished.append(number))
        else:
            assert [number for number, _ in queue.take(OVERHEAD, step)] == plain.take(step)
        waiting = {number for _, _, number, _ in plain.waiting}
        assert len(queue) == len(waiting)
        assert sorted(finished) == [number for number in range(1, plain.number + 1) if number not in waiting]


def test_what_is_cleared_has_been_sent_often_enough():
    queue: Broadcasts[str] = Broadcasts(lambda: 10)
    finished = []
    for text in "ab":
        queue.queue(text, 10, finished=lambda text=text: finished.append(text))
    queue.clear()
    assert not queue
    assert finished == ["b", "a"]
    assert queue.take(OVERHEAD, 100) == []
