"""The public key infrastructure: the root, how far its rotation has come, and every node's certificate."""

from __future__ import annotations

from functools import lru_cache

from rich.text import Text

from swarmsim.docker.tasks import natural
from swarmsim.pki import certificate_text, papers_of
from swarmsim.replay.looks import NODES, TASKS
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState
from swarmsim.trace.trust import Trust
from swarmsim.tui.page import Page
from swarmsim.tui.texts import Texts

BAR = 20
"""Characters of a rotation's bar."""
MOST = 60
"""So many certificates are listed; of more, those that matter most: expired, of an old root, due soon."""
SERIAL = 8
"""Digits of a serial number that are shown."""
certificate_text = lru_cache(maxsize=64)(certificate_text)


def left(seconds: float) -> str:
    """How much time is left, in the two units that matter.

    >>> left(45.0), left(3700.0), left(7_776_000.0 - 5)
    ('45s', '1h01m', '89d23h')
    """
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


class PkiPanel(Page):
    """The root and its digest, a rotation's progress, and a line for every node that has a certificate."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts

    def show_state(self, state: ClusterState, t: float) -> None:
        """Show certificates as they are at this moment."""
        trust = state.trust
        if trust.root is None:
            self.write(Text(self.texts("no pki"), style="dim"))
            return
        text = Text(no_wrap=True, overflow="ellipsis")
        self._root(text, trust, t)
        if trust.wanted is not None:
            self._rotation(text, trust, t)
        hosts = sorted(trust.certificates, key=natural)
        shown = hosts if len(hosts) <= MOST else sorted(hosts, key=lambda host: _matters(trust, host, t))[:MOST]
        for host in shown:
            self._certificate(text, trust, host, t)
        if len(shown) < len(hosts):
            text.append(self.texts("more", n=len(hosts) - len(shown)), style="dim")
        self.write(text)

    def _root(self, text: Text, trust: Trust, t: float) -> None:
        row = trust.roots[trust.root or ""]
        text.append(f"{self.texts('root')} {row['root']}", style="bold")
        text.append(f"  {left(row['until'] - t)}  sha256:{row['digest']}\n", style="dim")

    def _rotation(self, text: Text, trust: Trust, t: float) -> None:
        done, all_of_them = len(trust.turned()), len(trust.certificates)
        full = BAR * done // max(1, all_of_them)
        text.append(f"{self.texts('rotation')} → {trust.wanted} ", style=f"bold {TASKS['starting'].colour}")
        text.append("▮" * full + "▯" * (BAR - full), style=TASKS["starting"].colour)
        text.append(f" {done}/{all_of_them}  {left(t - (trust.rotating_since or t))}\n")

    def _certificate(self, text: Text, trust: Trust, host: str, t: float) -> None:
        row = trust.certificates[host]
        newest = trust.wanted or trust.root
        short = self.texts("mgr" if row["role"] == "manager" else "wkr")
        text.append(f"{host:<8} {short:<4} ")
        text.append(f"{row['serial'][:SERIAL]}  ", style="dim")
        text.append(f"{row['issuer']} ", style="" if row["issuer"] == newest else TASKS["waiting"].colour)
        text.append("⇠ " if row["through"] is not None else "  ", style="dim")
        if t > row["until"]:
            text.append(self.texts("expired"), style=f"bold {NODES['down'].colour}")
        else:
            text.append(f"{left(row['until'] - t):>7}", style=TASKS["running"].colour)
            due = trust.due.get(host)
            text.append(f"  ↻ {left(due - t)}" if due is not None and due > t else "  ↻ …", style="dim")
        if trust.trusted.get(host) != trust.root:
            text.append(f"  {self.texts('trusts', root=trust.trusted.get(host, '—'))}", style=TASKS["waiting"].colour)
        text.append("\n")


def _matters(trust: Trust, host: str, t: float) -> tuple[bool, bool, float]:
    """Smaller the more: who has expired, who has no certificate of the newest root, who renews soon."""
    row = trust.certificates[host]
    return t <= row["until"], row["issuer"] == (trust.wanted or trust.root), trust.due.get(host, float(row["until"]))


def certificate_lines(state: ClusterState, host: str) -> str:
    """A host's certificate as openssl writes it out; nothing if it has none."""
    trust = state.trust
    row: Row | None = trust.certificates.get(host)
    if row is None or row["issuer"] not in trust.roots:
        return ""
    return certificate_text(papers_of(trust, host).certificate)
