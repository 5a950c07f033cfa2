"""The story of a run: a chapter for every cause, and of many only those that matter."""

from __future__ import annotations

import pytest

from swarmsim import Scenario
from swarmsim.replay.story import Chapter, Sentence, in_short, story
from swarmsim.trace.reader import Trace


@pytest.fixture(scope="module")
def chapters():
    return story(Scenario.load("quorum-loss").run(seed=1))


def said(chapter: Chapter) -> str:
    return " ".join(sentence.text for sentence in chapter.sentences)


def test_a_chapter_for_every_fault_and_every_command_that_changes_something(chapters):
    assert [chapter.what for chapter in chapters] == [
        "docker service create -d --no-resolve-image --name web --replicas 5 min…",
        "kill host m2 m3",
        "docker service scale -d web=8",
        "docker service scale -d web=8",
        "kill container any on w1",
        "power on m2",
    ]


def test_what_followed_is_with_its_cause(chapters):
    create, kill, scale, _, _, power = chapters
    assert said(create) == "5 tasks of web came up, the last 2.6 s later."
    assert "there was no quorum: 1 of 3 managers were up" in said(kill)
    assert "It failed after 13.8 s: web: raft: failed to process the request: node lost leader status." in said(scale)
    assert "no manager answered any more" in said(scale)
    assert "a manager answered again" in said(power)
    assert "2 tasks of web failed." in said(power)


def test_tasks_that_no_node_is_for_are_told():
    (chapter, *_) = story(Scenario.load("pending-constraint").run(seed=1))
    assert said(chapter) == (
        "1 task of db had to wait: no suitable node (2 nodes not available for new tasks; "
        "scheduling constraints not satisfied on 2 nodes)."
    )


def test_in_short_what_matters_most_is_kept_in_order():
    def chapter(t: float, weight: int) -> Chapter:
        return Chapter(t, f"cause {t:g}", [Sentence(f"{n}", n) for n in range(weight + 1)], weight)

    short, others = in_short([chapter(1.0, 0), chapter(2.0, 5), chapter(3.0, 1), chapter(4.0, 4)], 2)
    assert [each.what for each in short] == ["cause 2", "cause 4"]
    assert [sentence.text for sentence in short[0].sentences] == ["3", "4", "5"]
    assert others == 2


def test_a_run_in_which_nothing_was_done_has_no_story():
    rows = [{"t": 0.0, "kind": "begin", "scenario": "x"}, {"t": 9.0, "kind": "end"}]
    assert story(Trace({}, rows)) == []


def test_a_rotation_of_the_root_has_a_beginning_and_an_end():
    begun, freed = [
        chapter for chapter in story(Scenario.load("ca-rotation-blocked").run(seed=1)) if "root" in said(chapter)
    ]
    assert "m1 began to replace the root certificate." in said(begun)
    assert freed.what == "docker node rm w2"
    assert "every node had a certificate of the new root, which was trusted from then on." in said(freed)
