"""The page of the web version, and what tells visitors apart; tests/terminals opens it in a real browser."""

from __future__ import annotations

import re

from swarmsim.replay.texts import LANGUAGES
from swarmsim.tui.start import claim_folder
from swarmsim.tui.texts import Texts
from swarmsim.tui.web import page_for


def test_the_page_asks_nobody_else_for_anything():
    page = page_for("playground", Texts("en"))
    assert not re.search(r"//[a-z]", page.replace("// Keys", ""))  # no address of another host
    assert {"static/js/textual.js", "static/css/xterm.css"} <= set(re.findall(r'(?:src|href)="([^"]+)"', page))


def test_the_page_speaks_the_language_and_has_no_gaps():
    for language in LANGUAGES:
        page = page_for("a<b", Texts(language))
        assert "{{" not in page
        assert "<title>swarmsim: a&lt;b</title>" in page
        assert Texts(language)("web ended") in page


def test_every_visitor_has_a_folder_of_their_own(tmp_path):
    folders = [claim_folder(tmp_path / "runs") for _ in range(3)]
    assert [folder.name for folder in folders if folder] == ["visitor-1", "visitor-2", "visitor-3"]


def test_where_nothing_can_be_made_there_is_no_folder(tmp_path):
    (tmp_path / "runs").write_text("a file")
    assert claim_folder(tmp_path / "runs") is None
