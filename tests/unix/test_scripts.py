"""What scripts print and how they end, as busybox's own shell answered (busybox.py asks it again)."""

import json

import pytest

from tests.unix import busybox
from tests.unix.container import run

ANSWERS = json.loads(busybox.ANSWERS.read_text())


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_script(answer):
    ran = run(answer["script"])
    assert ran.output == answer["output"]
    assert ran.status == answer["status"]


def test_each_script_has_an_answer():
    assert [answer["script"] for answer in ANSWERS] == busybox.scripts()


@pytest.mark.skipif(busybox.BUSYBOX is None, reason="no busybox here")
def test_the_answers_are_those_of_this_busybox():
    for answer in ANSWERS[::10]:
        output, status, _ = busybox.ask(answer["script"])
        assert (output, status) == (answer["output"], answer["status"])
