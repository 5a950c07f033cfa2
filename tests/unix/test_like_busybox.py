"""Scripts made up at random do here what they do in busybox's shell: output, status and files."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unix import busybox
from tests.unix.container import run

pytestmark = pytest.mark.skipif(busybox.BUSYBOX is None, reason="no busybox here to compare with")

NAMES = st.sampled_from(["a", "b", "c"])
FILES = st.sampled_from(["f", "g", "d/h"])
PLAIN = st.sampled_from(["x", "yy", "abcabc", "1", "42", "-n", "a.b", "f", "*", "?", "[a-f]", "/", "=", "é"])
PATTERNS = st.sampled_from(["*", "a*", "?", "[a-c]*", "*b", "'*'", "x|yy", "abc"])
OPERATORS = st.sampled_from(["#", "##", "%", "%%"])
NUMBERS = st.sampled_from(["0", "1", "2", "-3", "10", "a", "b+1", "(c)"])


@st.composite
def parameters(draw):
    name = draw(NAMES | st.sampled_from(["@", "*", "#", "?", "1", "2", "9"]))
    kind = draw(st.integers(0, 7))
    if kind < 3 or not name.isalpha():
        return "${" + name + "}" if kind else f"${name}"
    if kind == 3:
        return "${#" + name + "}"
    if kind == 4:
        return "${" + name + draw(st.sampled_from([":-", "-", ":+", "+", ":=", "="])) + draw(PLAIN) + "}"
    if kind == 5:
        return "${" + name + draw(OPERATORS) + draw(PATTERNS.filter(lambda text: "|" not in text)) + "}"
    if kind == 6:
        return "${" + name + draw(st.sampled_from(["/", "//"])) + "b/Z}"
    return "${" + name + ":1" + draw(st.sampled_from(["", ":1", ":2"])) + "}"


ARITHMETIC = st.builds(
    lambda left, operator, right: f"$(({left} {operator} {right}))",
    NUMBERS,
    st.sampled_from(["+", "-", "*", "<", "==", "&&", "||", "&", "|", "^", "<<"]),
    NUMBERS,
)
EXPANSIONS = parameters() | ARITHMETIC
WORDS = st.one_of(
    PLAIN,
    EXPANSIONS,
    EXPANSIONS.map(lambda text: f'"{text}"'),
    st.builds(lambda left, right: f'"{left} {right}"', PLAIN.filter(lambda text: text != "é"), EXPANSIONS),
    st.sampled_from(["'a b'", '"a  b"', "a\\ b", "''", '""', "'$a'", "\\$a", '"`echo i`"']),
)
ARGUMENTS = st.lists(WORDS, max_size=3).map(" ".join)

SIMPLE = st.one_of(
    ARGUMENTS.map(lambda words: f"echo {words}"),
    ARGUMENTS.map(lambda words: f"printf '<%s>\\n' {words}"),
    st.builds(lambda name, word: f"{name}={word}", NAMES, WORDS),
    st.builds(lambda words: f"set -- {words}", ARGUMENTS),
    st.builds(lambda word, file: f"echo {word} >{file}", WORDS, FILES),
    st.builds(lambda word, file: f"echo {word} >>{file}", WORDS, FILES),
    FILES.map(lambda file: f"cat {file}"),
    FILES.map(lambda file: f"wc -c <{file}"),
    FILES.map(lambda file: f"rm -f {file}"),
    FILES.map(lambda file: f"read a b <{file}"),
    st.sampled_from(["true", "false", "shift", "mkdir d", "ls", "ls d", ":", "cd d", "cd ..", "nosuch x", "rmdir d"]),
    st.sampled_from(["return 3", "exit 4", "break", "continue", "unset a", "f x y", "test -f f", "wait", "echo $?"]),
    st.builds(
        lambda left, operator, right: f"[ {left} {operator} {right} ]",
        WORDS,
        st.sampled_from(["=", "!=", "-eq", "-lt"]),
        WORDS,
    ),
    st.builds(lambda name, value: f"local {name}={value}", NAMES, PLAIN.filter(lambda text: text not in "*?/=")),
    st.builds(lambda file, other: f"cp {file} {other}", FILES, FILES),
    st.builds(lambda file, other: f"mv {file} {other}", FILES, FILES),
)
FILTERS = st.sampled_from(
    [
        "cat",
        "sort",
        "sort -r",
        "wc -l",
        "tr a-c x-z",
        "head -n 1",
        "tail -n 1",
        "grep a",
        "grep -v a",
        "sed s/a/X/g",
        "uniq",
        "cut -c1-2",
        "{ read a; echo $a; }",
        "while read a; do echo .$a; done",
    ]
)


COMPOUND = (
    *("C && C", "C || C", "C | T", "{ L; }", "(L)", "if L; then L; else L; fi", "! C", "f() { L; }"),
    *("for a in W; do L; done", "for b; do L; done", "case V in P) L;; *) L;; esac", "while read a; do L; done <F"),
    *("{ L; } >F 2>&1", 'echo "$(L)"', "a=$(L)"),
)
"""Capitals stand for a command, a list of them, words, a word, a pattern, a file, a filter."""
CALLS_ITSELF = re.compile(r"f\(\).*f x y", re.DOTALL)


class Made:
    def __init__(self, draw):
        self.draw = draw

    def command(self, depth):
        if depth <= 0 or self.draw(st.booleans()):
            return self.draw(SIMPLE)
        return re.sub("[A-Z]", lambda letter: self.part(letter[0], depth - 1), self.draw(st.sampled_from(COMPOUND)))

    def part(self, letter, depth):
        if letter == "L":
            return "; ".join(self.command(depth) for _ in range(self.draw(st.integers(1, 3))))
        if letter == "C":
            return self.command(depth)
        return self.draw({"W": ARGUMENTS, "V": WORDS, "P": PATTERNS, "F": FILES, "T": FILTERS}[letter])


@st.composite
def scripts(draw):
    made = Made(draw)
    text = "\n".join(made.command(2) for _ in range(draw(st.integers(1, 5))))
    return text if not CALLS_ITSELF.search(text) else "true"


@settings(max_examples=60, deadline=None)
@given(scripts())
@example('set -- "a b" c\nfor a in "$@" $*; do printf "<%s>" "$a"; done')
def test_scripts_do_what_they_really_do(script):
    ran = run(script)
    assert (ran.output, ran.status, ran.files) == busybox.ask(script)
