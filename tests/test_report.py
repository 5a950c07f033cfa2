"""The page of a run, and the file for Perfetto's viewer."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from swarmsim import Scenario, load_trace
from swarmsim.replay.perfetto import events, write_perfetto
from swarmsim.replay.story import story
from swarmsim.replay.texts import Texts
from swarmsim.replay.timeline import told
from swarmsim.report import render_report, write_report
from swarmsim.report.timeline import by_cause
from swarmsim.trace.reader import Trace, TraceError
from tests.english import left_in_english


@pytest.fixture(scope="module")
def trace():
    return Scenario.load("quorum-loss").run(seed=1)


class Page(HTMLParser):
    """A page as its reader's browser takes it: what it would fetch, its ids, its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.hidden: list[str] = []
        self.boxes: dict[str, bool] = {}
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in ("src", "href", "xlink:href", "data", "poster", "action", "srcset"):
            if (given.get(name) or "#").startswith("#") is False:
                self.fetched.append(given[name] or "")
        if tag in ("link", "base", "iframe", "object", "embed", "img"):
            self.fetched.append(tag)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag == "input" and given.get("type") == "checkbox":
            self.boxes[given["data-group"] or ""] = "checked" in given
        if tag in ("style", "script", "pre", "svg"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside and data.strip():
            self.words.append(data.strip())


def test_a_page_needs_no_network(trace):
    page = render_report(trace, "runs/quorum-loss-1.jsonl")
    assert page.count("<svg") == 5  # four pictures and the strip of the timeline
    assert Page(page).fetched == []
    assert not re.search(r"url\(\s*[\"']?(?!#)|@import|fetch\(|XMLHttpRequest|import\(", page)
    assert "swarmsim run quorum-loss --seed 1" in page
    assert "swarmsim watch runs/quorum-loss-1.jsonl" in page


def test_a_page_begins_with_what_there_is_to_see(trace):
    words = Page(render_report(trace, "x")).words
    assert words[1] == "Two of three managers are lost"
    assert words[2].startswith("scenario quorum-loss, seed 1, profile lab; 3 min")
    assert words[3].startswith("Without a majority nobody may write")
    assert "All expectations hold." in words


def test_the_timeline_is_grouped_by_cause_and_sessions_are_not_in_the_way(trace):
    chapters = story(trace)
    lines = list(told(trace.rows, reasons=True))
    causes = by_cause(lines, chapters)
    # What is before the first command has no cause.
    before, causes = [cause for cause in causes if not cause.what], [cause for cause in causes if cause.what]
    assert [cause.what for cause in causes] == [chapter.what for chapter in chapters]
    assert [line for cause in (*before, *causes) for line in cause.lines] == lines
    for cause, after in pairwise(causes):
        assert all(cause.t <= line.t < after.t for line in cause.lines)
    page = Page(render_report(trace, "x"))
    assert [name for name in page.ids if name.startswith("cause-")] == [
        f"cause-{cause.number}" for cause in (*before, *causes)
    ]
    assert [group for group, shown in page.boxes.items() if not shown] == ["sessions"]


def test_a_long_run_is_cut_within_its_causes_not_at_its_end():
    faults = [
        {"t": 10.0 * n, "kind": "step", "what": f"power off w{n}", "verb": "power-off", "hosts": []}
        for n in range(1, 4)
    ]
    notes = [{"t": 10.0 * n + k / 1000, "kind": "note", "text": f"{k}"} for n in range(1, 4) for k in range(1, 3000)]
    rows = sorted([{"t": 0.0, "kind": "begin", "scenario": "x"}, *faults, *notes], key=lambda row: row["t"])
    page = render_report(Trace({}, rows), "x")
    assert page.count("lines are in the trace.") == 3
    assert "power off w3" in page


def test_a_page_in_chinese_says_nothing_of_ours_in_english(trace):
    page = render_report(trace, "x", Texts("zh"))
    assert "<html lang=zh-Hans>" in page
    assert left_in_english("\n".join(Page(page).words)) == []
    assert {"发生了什么", "时间线", "所有预期均满足。", "杀掉主机 m2 m3"} <= set(Page(page).words)


def test_what_is_left_in_english_is_found(trace):
    """The test above can fail: of the English page nearly every text is found."""
    found = left_in_english("\n".join(Page(render_report(trace, "x")).words))
    assert {"What happened", "All expectations hold.", "Nothing that a manager noticed."} <= set(found)
    assert any("later no manager answered any more." in text for text in found)


def test_the_same_run_makes_the_same_page(trace):
    assert render_report(trace, "x") == render_report(trace, "x")


def test_what_a_run_says_cannot_break_the_page():
    rows = [
        {"t": 0.0, "kind": "begin", "scenario": "<b>"},
        {"t": 1.0, "kind": "docker", "on": "m1", "cmd": "x", "rc": 1, "out": "", "err": "<script>alert(1)</script>", "s": 0.1},
        {"t": 2.0, "kind": "step", "what": "<i>", "verb": None, "hosts": []},
    ]  # fmt: skip
    page = render_report(Trace({}, rows), "a&b.jsonl")
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert "a&amp;b.jsonl" in page


def test_a_record_of_a_real_cluster_has_a_page_too(records):
    page = render_report(load_trace(records / "quorum_loss" / "run1.jsonl"), "run1.jsonl")
    assert "recorded on a real cluster" in page
    assert page.count("<svg") == 3  # the strip, and two pictures: Raft and what really runs cannot be seen from outside


def test_a_page_that_cannot_be_written_leaves_nothing(trace, tmp_path):
    with pytest.raises(TraceError, match="cannot be written"):
        write_report(trace, tmp_path / "t.jsonl", tmp_path / "no" / "where.html")


def test_perfetto_shows_every_task_on_its_host(trace, tmp_path):
    write_perfetto(trace, tmp_path / "p.json")
    found = json.loads((tmp_path / "p.json").read_text())["traceEvents"]
    hosts = {e["pid"]: e["args"]["name"] for e in found if e["ph"] == "M" and e["name"] == "process_name"}
    slices = [e for e in found if e["ph"] == "X" and e["name"] == "web.1 running"]
    told = [row for row in trace.rows if row["kind"] == "task" and row["slot"] == 1 and row["state"] == "running"]
    assert {hosts[e["pid"]] for e in slices} == {row["node"] for row in told}
    assert {e["name"] for e in found if e["ph"] == "i" and e["s"] == "g"} == {row["what"] for row in trace.of("step")}
    assert all(e["dur"] >= 0 for e in found if e["ph"] == "X")


def test_perfetto_slices_of_one_track_do_not_overlap(trace):
    tracks: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events(trace):
        if event["ph"] == "X" and event["pid"] != 1:
            tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    assert tracks
    for spans in tracks.values():
        spans.sort()
        assert all(end <= start + 1e-3 for (_, end), (start, _) in pairwise(spans))
