"""Rows are what their types say: those written, those recorded, those a picture is drawn from, those the documents show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NotRequired, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim import load_trace
from swarmsim.trace.recorded import upgrade
from swarmsim.trace.rows import INTERNALS, KINDS, OBSERVATIONS, ROWS, fault_in
from swarmsim.trace.state import APPLY, ClusterState
from swarmsim.trace.tables import filled

ROOT = Path(__file__).parents[2]
RECORDED = sorted((ROOT / "tests" / "records").glob("*/run*.jsonl"))


def test_the_documents_tables_are_those_of_the_types():
    text = (ROOT / "docs" / "trace.md").read_text("utf-8")
    assert filled(text) == text, "write them anew: make schema"
    for kind in (*OBSERVATIONS, *INTERNALS):
        assert f"| `{kind}` | | |" in text


def test_every_kind_and_every_field_says_what_it_is():
    assert not OBSERVATIONS.keys() & INTERNALS.keys()
    assert len(KINDS) == len(ROWS)
    for fields in ROWS.values():
        assert (fields.__doc__ or "").strip().endswith(".")
        for name, hint in get_type_hints(fields, include_extras=True).items():
            (hint,) = get_args(hint) if get_origin(hint) is NotRequired else (hint,)
            assert get_origin(hint) is Annotated, f"{fields.__name__}.{name} has no meaning"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_rows_of_recorded_clusters_are_as_typed(path):
    assert [fault for row in load_trace(path).rows if (fault := fault_in(row))] == []


NOTHING_LIKE_IT = [
    ({"kind": "raft.vole"}, "unknown kind 'raft.vole'"),
    ({"kind": "raft.leading", "host": "m1", "term": "2"}, "raft.leading: Expected `int`, got `str` - at `$.term`"),
    ({"kind": "raft.leading", "host": "m1"}, "raft.leading: no field term"),
    ({"kind": "raft.leading", "host": "m1", "term": 2, "turn": 2}, "raft.leading: unknown field turn"),
    ({"kind": "end", "t": "now"}, "end: t is no number of seconds"),
    ({"kind": "links", "cuts": [["m1"]], "isolated": [], "slow": [], "lossy": {}}, "at `$.cuts"),
]


@pytest.mark.parametrize(("row", "complaint"), NOTHING_LIKE_IT)
def test_what_is_no_such_row_is_found(row, complaint):
    fault = fault_in({"t": 1.0, **row})
    assert fault is not None
    assert complaint in fault


class _Typed(dict):
    """A row that tells who asks for a field its kind does not have."""

    def __missing__(self, name):
        raise AssertionError(f"{self['kind']} has no field {name}")

    def get(self, name, default=None):
        known = name in get_type_hints(ROWS[self["kind"]]) or name in ("t", "kind")
        return super().get(name, default) if known else self.__missing__(name)


def rows_of(kind):
    return st.from_type(ROWS[kind]).map(lambda fields: _Typed({"t": 1.0, "kind": kind, **fields}))


@settings(max_examples=300)
@given(st.lists(st.sampled_from(sorted(APPLY)).flatmap(rows_of), max_size=8))
def test_the_picture_asks_rows_only_for_fields_they_have(rows):
    state = ClusterState()
    for row in rows:
        assert fault_in(row) is None
        state.apply(row)


def test_the_picture_takes_in_only_kinds_there_are():
    assert APPLY.keys() <= ROWS.keys()


STEPS = [
    ("power off m1", "power-off", ["m1"]),
    ("power off m2 m3, leader m1 alone", "power-off", ["m2", "m3"]),
    ("power off second follower m2 (leader alone)", "power-off", ["m2"]),
    ("kill a container on w1", "kill-container", ["w1"]),
    ("kill container web.1", "kill-container", []),
    ("kill container any on w2", "kill-container", ["w2"]),
    ("partition m1 | m2 m3", "partition", ["m1", "m2", "m3"]),
    ("heal all", "heal", []),
    ("cut off w1", "cut-off", ["w1"]),
    ("cut m1 m2", "cut", ["m1", "m2"]),
    ("loss w1 20 %", "loss", ["w1"]),
    ("drain w1", None, []),
    ("cutting corners", None, []),
]


@pytest.mark.parametrize(("what", "verb", "hosts"), STEPS)
def test_a_step_that_has_only_words_is_read_once(what, verb, hosts):
    row = upgrade({"t": 1.0, "kind": "step", "what": what})
    assert (row["verb"], row["hosts"]) == (verb, hosts)
    assert upgrade(row) is row
    assert fault_in(row) is None
