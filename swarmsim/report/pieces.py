"""What pages are made of. Nothing is fetched: pictures are inside as SVG, style and script (``page.css``, ``page.js``) too."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from swarmsim.replay.texts import Texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}
_PAGE = """<!doctype html>
<html lang={language}><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>{title} — swarmsim</title><style>{style}</style>
<main>{body}</main><script>{script}</script></html>
"""


def page(title: str, parts: Iterable[str], texts: Texts) -> str:
    """A whole page of these parts; empty ones are left out."""
    here = files("swarmsim.report")
    return _PAGE.format(
        language=LANGUAGE_TAGS[texts.language], title=escape(title), body="\n".join(part for part in parts if part),
        style=here.joinpath("page.css").read_text("utf-8"), script=here.joinpath("page.js").read_text("utf-8"),
    )  # fmt: skip


def table(title: str, heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    """A table under its title; nothing if it has no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(cell)}" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</thead><tbody>{body}</tbody></table>"


def svg(figure: Figure) -> str:
    """A picture as part of a page; the same picture gives the same text."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "swarmsim"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue().split("?>", 1)[1].split(">", 1)[1]  # without the XML and DOCTYPE lines
