"""A YAML document as values with places."""

from __future__ import annotations

import pytest

from swarmsim.yamldoc import Document, DocumentError

READ = [
    ("a: 1\nb: [x, y]", {"a": 1, "b": ["x", "y"]}, {("a",): (1, 1), ("b",): (2, 1), ("b", 1): (2, 8)}),
    ("a: # a remark\n  b\n\nc: d", {"a": "b", "c": "d"}, {("c",): (4, 1)}),
    ("a:\n  # a remark\n  - 1 # one\n  # two\n  - 2", {"a": [1, 2]}, {("a", 1): (5, 5)}),
    ("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}, {("d", "b"): (1, 8), ("d", "c"): (4, 3)}),
    ("a: &x {b: 1}\nc: &y {b: 2, e: 3}\nd: {<<: [*x, *y]}", {"a": {"b": 1}, "c": {"b": 2, "e": 3}, "d": {"b": 1, "e": 3}}, {("d", "e"): (2, 14)}),
    ("a: 2020-01-01\nb: !secret x\nc: ~\nd: .5\ne: true", {"a": "2020-01-01", "b": "x", "c": None, "d": 0.5, "e": True}, {}),
    ("8080: x", {8080: "x"}, {(8080,): (1, 1)}),
    ("- a\n- b: c", ["a", {"b": "c"}], {(1,): (2, 3), (1, "b"): (2, 3)}),
    ("", None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "data", "places"), READ)
def test_values_and_where_they_stand(text, data, places):
    document = Document(text)
    assert document.data == data
    assert {path: tuple(document.place(path)) for path in places} == places


def test_keys_as_text():
    assert Document("8080: {true: x}", text_keys=True).data == {"8080": {"true": "x"}}


def test_a_path_that_leads_out_of_the_document_ends_where_it_leaves():
    document = Document("a:\n  b: 1")
    assert document.depth(("a", "b", "c")) == 2
    assert document.place(("a", "c")) == (1, 1)
    assert document.place(("a", "b", "c")) == (2, 3)


REFUSED = [
    ("a: [1", "1:6: expected ',' or ']', but got '<stream end>'"),
    ("a: 1\na: 2", '2:1: found duplicate key "a", which is at line 1 already'),
    ("a: &x\n  b: *x", "1:4: a value contains itself"),
    ("a: &x\n  <<: *x", "1:4: a value contains itself"),
    ("a:\n  <<: 1", "2:7: what << brings in must be a mapping"),
    ("? [a]\n: b", "1:3: a key must be a single value"),
    ("a: b\nc: \x01", "2:4: unacceptable character #x0001: special characters are not allowed"),
    ("a: *x", "1:4: found undefined alias 'x'"),
    ("[" * 3000, "1:1: nested too deeply"),
    ("a: " + "1" * 5000, f"1:4: '{'1' * 40}' cannot be read as a number"),
    ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]" for a, b in ("ab", "bc", "cd", "de", "ef")), "1:1: more than 200,000 values"),
    ("a: &a {}\n" + "\n".join(f"{b}: &{b} {{<<: [{','.join([f'*{a}'] * 10)}]}}" for a, b in ("ab", "bc", "cd", "de", "ef", "fg")), "1:1: more than 200,000 values"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_what_is_no_document_is_refused_in_one_line_with_its_place(text, complaint):
    with pytest.raises(DocumentError) as refusal:
        Document(text)
    assert str(refusal.value) == complaint
