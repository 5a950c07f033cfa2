"""Go's packages against what the real client made of the same inputs (the YAML files here; record.py asked it)."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from swarmsim.docker.service import LISTING
from swarmsim.go.duration import format_duration, parse_duration
from swarmsim.go.strconv import parse_bool, parse_float, parse_int, parse_uint
from swarmsim.go.units import bytes_size, human_duration, ram_in_bytes
from tests.conftest import Lab

HERE = Path(__file__).parent


def cases(name: str, kind: str) -> list[Any]:
    recorded = YAML(typ="safe").load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))[kind]
    return [pytest.param(case, id=f"{kind}-{number}") for number, case in enumerate(recorded)]


PARSERS: list[tuple[str, str, Callable[[str], Any]]] = [
    ("duration", "duration", parse_duration),
    ("units", "bytes", ram_in_bytes),
    ("strconv", "uint", lambda text: parse_uint(text, base=0)),
    ("strconv", "int", lambda text: parse_int(text, base=0)),
    ("strconv", "bool", parse_bool),
    ("strconv", "float", lambda text: parse_float(text, bits=32)),
]


@pytest.mark.parametrize(
    ("parse", "case"),
    [pytest.param(parse, *case.values, id=case.id) for name, kind, parse in PARSERS for case in cases(name, kind)],
)
def test_text_is_read_as_go_reads_it(parse, case):
    if "error" not in case:
        assert parse(case["in"]) == (case["value"] or 0)  # a request leaves out what is 0
    elif case["error"].startswith("json: unsupported value"):
        assert not math.isfinite(parse(case["in"]))
    else:
        with pytest.raises(ValueError) as refusal:
            parse(case["in"])
        assert str(refusal.value) == case["error"].partition(" flag: ")[2]


@pytest.mark.parametrize("case", cases("duration", "duration_shown"))
def test_a_duration_is_shown(case):
    assert format_duration(case["in"]) == case["value"]


@pytest.mark.parametrize("case", cases("duration", "human_duration"))
def test_a_span_of_time_for_people(case):
    assert human_duration(case["in"]) == case["value"]


@pytest.mark.parametrize("case", cases("units", "bytes_shown"))
def test_a_size_for_people(case):
    assert bytes_size(case["in"]) == case["value"]


SAME = {"Mode": "replicated", "Replicas": "0/3 (max 2 per node)", "Image": "mini:1", "Ports": ""}


@pytest.mark.parametrize("case", cases("tabwriter", "table"))
def test_a_table_is_laid_out(case):
    rows = [{"ID": id, "Name": name, **SAME} for id, name in sorted(case["rows"], key=lambda row: row[1])]
    assert LISTING.render(rows, case["in"], quiet=False) == case["out"]


@pytest.fixture(scope="module")
def lab():
    return Lab(managers=1, workers=0)


@pytest.mark.parametrize("case", cases("flags", "flags"))
def test_words_are_understood_or_refused(lab, case):
    result = lab.docker(shlex.join(case["in"]))
    if "error" in case:
        assert (result.code, result.err.split("\n")[0]) == (case["code"], case["error"])
    else:
        assert result.code == 0 or result.err.startswith("Error response from daemon")  # which knows more
