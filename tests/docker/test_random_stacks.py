"""Random stack files, made from the schema itself: each is deployed and printed, or refused in one sentence."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.docker.compose.convert import Stack
from swarmsim.docker.compose.forms import CONFIG
from swarmsim.docker.compose.load import load
from swarmsim.docker.compose.schema import Schema, schema_of
from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from swarmsim.go.yaml import dump, scalar
from swarmsim.yamldoc import Document

WORDS = st.sampled_from(["a", "b=1", "c:d", "/x:/y", "80:80", "5s", "1g", "0.5", "", "${WHO}", "${", "~/x", "é", "on"])
SCALARS = {
    "string": WORDS | st.text(max_size=5),
    "integer": st.integers(-2, 70000),
    "number": st.integers(-2, 99) | st.sampled_from([0.5, 1.5]),
    "boolean": st.booleans(),
    "null": st.none(),
}
ODD = st.sampled_from([None, True, -1, 1.5, "", [], {}, ["a", "a"], {"a": None}])


def values(schema: Schema) -> st.SearchStrategy:
    """Mostly what the schema lets through."""
    if schema.one:
        return st.one_of([values(each) for each in schema.one])
    found = [SCALARS[type] for type in schema.types if type in SCALARS]
    if schema.format == "duration":
        found = [st.sampled_from(["5s", "1m30s", "0s", "soon"])]
    if schema.enum:
        found = [st.sampled_from(schema.enum)]
    if schema.item is not None:
        found.append(st.lists(st.deferred(lambda: values(schema.item)), max_size=2))
    if schema.keys is not None:
        keys = {key: st.deferred(lambda inner=inner: values(inner) | ODD) for key, inner in schema.keys.items()}
        needed = {key: keys.pop(key) for key in schema.needed}
        few = st.lists(st.sampled_from(sorted(keys)), max_size=4, unique=True) if keys else st.just([])
        found.append(few.flatmap(lambda names: st.fixed_dictionaries({**needed, **{n: keys[n] for n in names}})))
    elif schema.patterns:
        inner = schema.patterns[0][1]
        found.append(st.dictionaries(st.sampled_from(["a", "b"]), st.deferred(lambda: values(inner)), max_size=2))
    return st.one_of(found) if found else ODD


ROOT = schema_of("3.13")
SERVICE = ROOT.keys["services"].patterns[0][1]
SECTIONS = st.fixed_dictionaries(
    {}, optional={name: values(ROOT.keys[name]) for name in ("networks", "volumes", "secrets", "configs")}
)


@settings(max_examples=150, deadline=None)
@given(services=st.lists(values(SERVICE), min_size=1, max_size=2), sections=SECTIONS)
def test_a_file_is_understood_or_refused(services, sections):
    names = [f"{number}.yml" for number in range(len(services))]
    texts = [json.dumps({"services": {"a": {"image": "x", **service}}, **sections}) for service in services]
    files = Files({**dict(zip(names, texts, strict=True)), "a": "A=1"}, environment={"WHO": "x", "HOME": "/root"})
    try:
        loaded = load(names, files, lambda warning: None)
        stack = Stack("s", loaded, files.read)
        stack.check_images()
        stack.networks()
        stack.files("secrets")
    except CommandError:
        return
    printed = dump(CONFIG.show(loaded.config))
    again = Document(printed, scalar=scalar).data
    assert set(again) >= {"version", "services"}
    with suppress(CommandError, ValueError):
        stack.service("a", stack.begun("a"))
