"""In Chinese: nothing of ours is left in English in what run and report show."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from swarmsim import Scenario
from swarmsim.analysis.availability import availability
from swarmsim.analysis.milestones import milestones
from swarmsim.cli import app
from swarmsim.replay.chinese import chinese
from swarmsim.replay.story import story
from swarmsim.replay.texts import RUN
from tests.english import left_in_english

TELLING = ["quorum-loss", "two-sites", "update-rolled-back", "health-check", "jobs"]
UNMET = """
name: mine
cluster: {managers: 1, workers: 1}
steps:
  - docker: service create -d --name web --replicas 2 nginx
  - wait: {service: web, running: 2}
  - fault: {power-off: w1}
expect:
  - {service: web, running: 2, within: 5s}
  - {service: db, running: 1}
"""


def said(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("how", [(), ("-v",), ("-q",), ("--seeds", "2")])
def test_run_tells_all_in_chinese(how):
    shown = said("run", "quorum-loss", "--lang", "zh", *how)
    assert left_in_english(shown) == []
    assert "所有预期均满足" in shown or "均满足所有预期" in shown
    assert left_in_english(said("run", "quorum-loss", "--lang", "en", *how)) != []


def test_a_verdict_that_does_not_hold_is_told_in_chinese(tmp_path):
    (tmp_path / "mine.yaml").write_text(UNMET, "utf-8")
    for how in ((), ("-q",), ("--seeds", "2")):
        shown = said("run", "mine.yaml", "--lang", "zh", *how, code=1)
        assert left_in_english(shown) == []
    shown = said("run", "mine.yaml", "--lang", "zh", code=1)
    assert "但是：5 s 内 2 个运行，依管理节点所见：web：显示 2，实际 1" in shown
    assert "1 项预期未满足：" in shown
    assert "没有 service db" in shown


@pytest.mark.parametrize("scenario", TELLING)
def test_every_sentence_of_story_and_tables_has_a_chinese_twin(scenario):
    trace = Scenario.load(scenario).run(seed=1)
    chapters = story(trace)
    ours = [chapter.what for chapter in chapters if not chapter.what.startswith("docker ")]
    ours += [sentence.text for chapter in chapters for sentence in chapter.sentences]
    ours += [*milestones(trace), *availability(trace).figures()]
    assert [text for text in ours if chinese(text) is None] == []


def test_the_language_is_the_locale_s_unless_it_is_named(monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "所有预期均满足" in said("run", "first-service", "-q")
    assert "all expectations hold" in said("run", "first-service", "-q", "--lang", "en")


def test_a_language_that_is_not_there():
    for command in (["run", "first-service"], ["report", "x.jsonl"]):
        result = CliRunner().invoke(app, [*command, "--lang", "tlh"])
        assert result.exit_code == 2
        assert "--lang tlh: there are en, zh" in result.output


def test_both_languages_say_everything():
    for key, (en, zh) in RUN.items():
        assert en, key
        assert zh, key
        names = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in (en, zh)]
        assert names[0] == names[1], key
