"""Certificates in pictures: lanes over time, and the graph of who trusts whom."""

from __future__ import annotations

import pytest

from swarmsim import Scenario, plot
from swarmsim.pki.trust import Group, groups, trust_graph, trust_text
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.state import state_of


@pytest.fixture(scope="module")
def rotation():
    return Scenario.load("ca-rotation").run(seed=1)


@pytest.fixture(scope="module")
def holidays():
    return Scenario.load("off-over-the-holidays").run(seed=1)


def trust_at(trace, seconds):
    return state_of(row for row in trace.rows if row["t"] <= trace.begin + seconds).trust


def labels(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_lane_for_every_host_and_a_colour_for_every_root(rotation):
    figure = plot.certificates(rotation)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["m1", "m2", "m3", "w1", "w2"]
    assert [label.partition(" ")[0] for label in labels(figure)] == ["root", "root", "thin:", "renewed"]


def test_what_has_expired_is_hatched(holidays):
    assert "expired" in labels(plot.certificates(holidays))
    assert "expired" not in labels(plot.certificates(holidays, end=3000.0))


def test_a_trace_without_certificates_says_so():
    with pytest.raises(TraceError, match="no certificates in this trace"):
        plot.certificates(Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}]))


def test_during_a_rotation_there_are_two_groups_that_trust_each_other(rotation):
    trust = trust_at(rotation, 0.66)
    old, new = trust.roots
    both = groups(trust, rotation.begin + 0.66)
    assert [(each.trusts, each.issuer, each.through) for each in both] == [(old, old, None), (old, new, old)]
    graph = trust_graph(trust, rotation.begin + 0.66)
    assert graph.edges[old, new]["kind"] == "cross-signed"
    assert "refuses" not in {kind for _, _, kind in graph.edges(data="kind")}
    assert trust_text(trust, rotation.begin + 0.66).splitlines()[-1] == "  all take each other's certificates"
    plot.pki(rotation, 0.66)


def test_after_a_rotation_the_old_root_is_trusted_by_nobody(rotation):
    trust = trust_at(rotation, 30.0)
    old, new = trust.roots
    assert set(trust.trusted.values()) == {new}
    assert f"  {old}  until 2045-12-27, trusted by 0 hosts" in trust_text(trust, 30.0)
    assert (trust.root, trust.wanted) == (new, None)


def test_an_expired_certificate_is_refused_by_all(holidays):
    at = 2 * 3600.0
    trust = trust_at(holidays, at)
    (group,) = groups(trust, holidays.begin + at)
    assert group.expired
    assert not group.takes(group)
    assert trust_text(trust, holidays.begin + at).endswith(": it has expired")
    plot.pki(holidays, at)


def test_a_stranger_is_refused():
    one, other = Group("a", "a", None, False, ("m1",)), Group("b", "b", "c", False, ("w1",))
    assert not one.takes(other)
    assert one._replace(trusts="c").takes(other)
