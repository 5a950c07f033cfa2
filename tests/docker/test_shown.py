"""What our client prints of a daemon's answers is what the real one prints of the same (shown.yaml; canned.py asked it)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.docker.canned import HERE, ours

CASES = YAML(typ="safe").load((HERE / "shown.yaml").read_text(encoding="utf-8"))


def masked(text: str) -> str:
    """Without the addresses of pointers, which are chance."""
    return re.sub(r"0xc[0-9a-f]{9}", "ADDRESS", text)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case["in"],
            marks=[pytest.mark.xfail(strict=True, reason=case["differs"])] if "differs" in case else [],
        )
        for case in CASES
    ],
)
def test_our_client_prints_what_the_real_one_does(case: dict[str, Any]) -> None:
    result = ours(case["in"])
    assert (result.code, masked(result.out), masked(result.err)) == (
        case["code"],
        masked(case.get("out", "")),
        masked(case.get("err", "")),
    )
