"""Go's packages against what the real client made of the same inputs (the YAML files here; record.py asked it)."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from swarmsim.apitypes.base import go_type
from swarmsim.apitypes.engine import ErrorResponse
from swarmsim.apitypes.http import Request, Response
from swarmsim.apitypes.swarm import Service, ServiceCreateResponse
from swarmsim.docker.client import run_docker
from swarmsim.docker.service import LISTING
from swarmsim.docker.templates import FUNCTIONS
from swarmsim.go.duration import format_duration, parse_duration
from swarmsim.go.reflect import make
from swarmsim.go.strconv import parse_bool, parse_float, parse_int, parse_uint
from swarmsim.go.template import Template, TemplateError
from swarmsim.go.units import bytes_size, human_duration, ram_in_bytes
from swarmsim.sim.future import Activity
from tests.conftest import Lab
from tests.docker.canned import Desk

HERE = Path(__file__).parent


def cases(name: str, kind: str) -> list[Any]:
    recorded = YAML(typ="safe").load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))[kind]
    return [pytest.param(case, id=f"{kind}-{number}", marks=_marks(case)) for number, case in enumerate(recorded)]


def _marks(case: Any) -> Any:
    """A case that says it ``differs`` must fail; when it does not any more, the word can go."""
    return [pytest.mark.xfail(strict=True, reason=case["differs"])] if "differs" in case else []


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
    [
        pytest.param(parse, *case.values, id=case.id, marks=case.marks)
        for name, kind, parse in PARSERS
        for case in cases(name, kind)
    ],
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


SERVICE = make(go_type(Service), json.loads((HERE / "service.json").read_text(encoding="utf-8")))


def masked(text: str) -> str:
    """Without the addresses of pointers, which are chance."""
    return re.sub(r"0xc[0-9a-f]{9}|8246[0-9]{8}", "ADDRESS", text)


@pytest.mark.parametrize("case", cases("template", "template"))
def test_a_template_is_run(case):
    if "error" not in case:
        assert masked(Template(case["in"], FUNCTIONS).execute(SERVICE)) == masked(case["out"])
        return
    with pytest.raises(TemplateError) as refusal:
        Template(case["in"], FUNCTIONS).execute(SERVICE)
    assert masked(f"template parsing error: {refusal.value}") == masked(case["error"])


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


class Outbox:
    """A daemon that has nothing, takes everything, and keeps what it was sent."""

    def __init__(self) -> None:
        self.posted: list[Any] = []

    def handle(self, request: Request) -> Activity[Response]:
        if request.method != "POST":
            return Response(404, ErrorResponse(message=f"{request.path} not found"))
        self.posted.append(json.loads(request.content))
        return Response(201, ServiceCreateResponse(id="created"))
        yield  # an activity that waits for nothing


def understood() -> list[Any]:
    return [case for case in cases("flags", "flags") if "body" in case.values[0]]


@pytest.mark.parametrize("case", understood())
def test_what_the_words_mean_is_sent_as_the_real_client_sends_it(case):
    """Key by key, with every zero that it writes and without any that it leaves out."""
    outbox = Outbox()
    with contextlib.suppress(StopIteration):
        next(run_docker(outbox, Desk(), case["in"]))
    assert outbox.posted == [case["body"]]


def test_there_are_recorded_bodies():
    assert len(understood()) > 20


WORDS = """
{{ }} {{- -}} ( ) | . .Spec .Name $ $x := = , "a" `a` 'a' if else end range with define block template break 1 -2 1.5e3
nil true printf "%5.2d%s" index slice len join json truncate and eq /* */ \\ é
"""


@given(st.lists(st.sampled_from([*WORDS.split(), " ", "\n"]), max_size=12).map("".join))
def test_no_template_raises_anything_else(text):
    with contextlib.suppress(TemplateError):
        Template(text, FUNCTIONS).execute(SERVICE)
