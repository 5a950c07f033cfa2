"""What packets do: requests a second and the way of the last one; who believes whom alive in the gossip."""

from __future__ import annotations

from rich.text import Text

from swarmsim.docker.tasks import natural
from swarmsim.replay.looks import NODES, TASKS
from swarmsim.replay.recording import Recording
from swarmsim.replay.requests import OUTCOMES, WINDOW, Seen, last_seconds, way
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState
from swarmsim.tui.page import Page
from swarmsim.tui.texts import Texts

BAR = 24
"""Characters of the longest bar."""
MOST_TASKS = 20
"""So many answering tasks are told of, """
TASKS_IN_A_LINE = 5
"""so many in a line."""
MATRIX = 24
"""More engines than this are not a matrix, but a list of who does not believe all others alive."""
BELIEFS = {
    "alive": NODES["ready"],
    "suspect": NODES["unknown"],
    "dead": NODES["down"],
    "left": NODES["disconnected"],
}


class TrafficPanel(Page):
    """Requests of the last seconds by how they ended and who answered, and the way of the last of them."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts

    def show_traffic(self, recording: Recording, state: ClusterState, t: float) -> None:
        """Show what has become of requests by ``t`` (seconds since the run began)."""
        text = Text(no_wrap=True, overflow="ellipsis")
        found = last_seconds(recording, t)
        begun = recording.begin if state.begin is not None else t
        seconds = min(WINDOW, max(1.0, t - begun))
        for traffic in state.requests:
            self._traffic(text, traffic, found.get(traffic, Seen({}, {}, {})), state, seconds)
        if not state.requests:
            text = Text(self.texts("no traffic"), style="dim")
        self.write(text)

    def _traffic(self, text: Text, traffic: str, seen: Seen, state: ClusterState, seconds: float) -> None:
        total = sum(seen.outcomes.values())
        ever = state.requests[traffic]
        text.append(f"{traffic}", style="bold")
        text.append(f"  {total / seconds:.1f}/s", style="bold")
        told = "  ".join(f"{out} {ever[out]}" for out in OUTCOMES if out in ever)
        text.append(f"  {self.texts('so far')}: {told}\n", style="dim")
        for out in OUTCOMES:
            if out in seen.outcomes:
                self._bar(text, out, seen.outcomes[out], total, seconds, OUTCOMES[out])
        for ok in (True, False):
            if ok in seen.last:
                self._way(text, seen.last[ok], state)
        if seen.by:
            each = [f"{task} {seen.by[task] / seconds:.1f}" for task in sorted(seen.by, key=natural)]
            more = [self.texts("more", n=len(each) - MOST_TASKS)] if len(each) > MOST_TASKS else []
            for place in range(0, min(len(each), MOST_TASKS), TASKS_IN_A_LINE):
                last = place + TASKS_IN_A_LINE >= MOST_TASKS
                line = each[place : place + TASKS_IN_A_LINE] + (more if last else [])
                text.append(("  ◂ " if place == 0 else "    ") + "  ".join(line) + "\n", style="dim")

    def _bar(self, text: Text, label: str, count: int, of: int, seconds: float, style: str) -> None:
        text.append(f"  {label:<11} {count / seconds:6.1f}/s ")
        text.append("█" * max(1, round(BAR * count / of)) + "\n", style=style)

    def _way(self, text: Text, row: Row, state: ClusterState) -> None:
        colour = OUTCOMES.get(row["out"], "")
        first, *stages = way(row, state)
        text.append(f"  {first.at}")
        for stage in stages:
            text.append(f" ─{stage.by}─▶ " if stage.by else " ─▶ ", style="dim")
            text.append(stage.at)
        sign = "◀━" if row["out"] == "ok" else TASKS["failed"].sign
        text.append(f" {sign} {row['out']} {_took(row['ms'])}\n", style=colour)


def _took(ms: float) -> str:
    """
    >>> _took(1.32), _took(2000.0)
    ('1.3 ms', '2.0 s')
    """
    return f"{ms:.1f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


class GossipPanel(Page):
    """A line for every engine: what it thinks of each other one."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts

    def show_state(self, state: ClusterState) -> None:
        """Show who believes whom alive at this moment."""
        heard = {peer for known in state.believed_by.values() for peer, _ in known}
        hosts = sorted(heard | set(state.believed_by), key=natural)
        if not hosts:
            self.write(Text(self.texts("no gossip"), style="dim"))
        elif len(hosts) > MATRIX:
            self.write(self._list(state, hosts))
        else:
            self.write(self._matrix(state, hosts))

    def _matrix(self, state: ClusterState, hosts: list[str]) -> Text:
        room = max(map(len, hosts)) + 1
        column = max(2, min(room, (max(20, self.size.width) - room) // len(hosts)))
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(" " * room + "".join(f"{host[: column - 1]:<{column}}" for host in hosts) + "\n", style="dim")
        for host in hosts:
            text.append(f"{host:<{room}}", style="" if host in state.believed_by else "dim")
            for peer in hosts:
                self._belief(text, state, host, peer, column)
            text.append("\n")
        for belief, look in BELIEFS.items():
            text.append(f"{look.sign} ", style=look.colour)
            text.append(f"{self.texts(f'believed {belief}')}  ", style="dim")
        text.append(f"· {self.texts('believed unknown')}", style="dim")
        return text

    def _belief(self, text: Text, state: ClusterState, host: str, peer: str, column: int) -> None:
        belief = state.believes(host, peer)
        if host == peer:
            text.append(f"{'—':<{column}}", style="dim")
        elif belief is None:
            text.append(f"{'·' if host in state.believed_by else ' ':<{column}}", style="dim")
        else:
            text.append(f"{BELIEFS[belief].sign:<{column}}", style=BELIEFS[belief].colour)

    def _list(self, state: ClusterState, hosts: list[str]) -> Text:
        """Who does not believe every other one alive, and whom it does not."""
        text = Text()
        agree = 0
        for host in state.believed_by:
            doubts = [(peer, state.believes(host, peer)) for peer in hosts if peer != host]
            doubts = [(peer, belief) for peer, belief in doubts if belief != "alive"]
            agree += not doubts
            if not doubts:
                continue
            text.append(f"{host}: ")
            for peer, belief in doubts[:MATRIX]:
                look = BELIEFS.get(belief or "")
                text.append(f"{look.sign if look else '·'}{peer} ", style=look.colour if look else "dim")
            text.append(f"… {len(doubts) - MATRIX}\n" if len(doubts) > MATRIX else "\n", style="dim")
        told = self.texts("believe all", n=agree, all=len(hosts))
        return Text.assemble((told + "\n", "dim"), text)
