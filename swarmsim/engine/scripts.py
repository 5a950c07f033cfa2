"""What ``sh -c`` scripts do, as far as it matters from outside: how long they run, exit code, output, signals.

A small part of the shell's language is understood: lists (``;``, ``&&``, ``||``, ``&`` with ``wait``), ``if``, ``while``,
``until``, ``for``, groups, ``!``, ``trap``, ``exec``, ``exit``, ``break``, ``test``, and the commands below. There are no files
but the few that every image has and those that the script makes itself. What is not understood raises
:class:`NotUnderstood` with its name: rather no container than one that does something else.

A loop whose condition does not change goes on for ever, in cycles of one length:

>>> run_script("echo begin; while true; do sleep 2; echo tick; done")
Behaviour(seconds=inf, code=0, stops=None, lines=((0.0, 'begin'), (2.0, 'tick')), again=1, every=2.0, since=0.0, traps=(), pauses=(), stop_seconds=0.0)
>>> run_script("sleep 1 && exit 3").code
3
>>> run_script("echo x | sort")
Traceback (most recent call last):
    ...
swarmsim.engine.behaviour.NotUnderstood: |
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from swarmsim.engine.behaviour import Behaviour, NotUnderstood, Trap, run_command, signal_name, sleep_seconds

FILES = frozenset(("/bin/sh", "/etc/group", "/etc/hostname", "/etc/hosts", "/etc/passwd", "/etc/resolv.conf"))
FOLDERS = frozenset(("/", "/bin", "/dev", "/etc", "/proc", "/sys", "/tmp"))
MANY_ROUNDS = 1000


class _Exit(Exception):
    pass


class _Break(Exception):
    pass


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\\\n|\#[^\n]*)|(?P<operator>&&|\|\||;;|[;&|()\n]|\d?>&\d|\d?>>?|<)"""
    r"""|(?P<word>(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s;&|()<>'"\\])+)""",
    re.DOTALL,
)
_PART = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\]+)""", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
OPENERS = frozenset(("while", "until", "for", "if", "{", "("))
KEYWORDS = frozenset(("do", "done", "then", "else", "elif", "fi", "}", ")"))


class Unfinished(Exception):
    """The script ends where more must come, or has what must not be there."""


def _tokens(script: str) -> list[str]:
    """Operators and raw words."""
    found, at = [], 0
    while at < len(script):
        match = _TOKEN.match(script, at)
        if match is None:
            raise Unfinished("unterminated quoted string")
        if match["space"] is None:
            found.append(";" if match[0] == "\n" else match[0])
        at = match.end()
    return found


class _Shell:
    """Runs a script on a clock of its own."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.now = 0.0
        self.code = 0
        self.lines: list[tuple[float, str]] = []
        self.pauses: list[float] = []
        self.traps: dict[str, Trap] = {}
        self.files: set[str] = set()
        self.made: set[str] = set()
        """Files it makes or removes."""
        self.variables: dict[str, str] = {}
        self.background: list[float] = []
        self.cycle: tuple[float, float, int] | None = None
        """Since when it goes round for ever, in how many seconds, and how many lines it prints then."""

    # -- words

    @property
    def ahead(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.ahead
        if not token or (wanted and token != wanted):
            raise Unfinished(f"unexpected {token or 'end of file'}" + (f' (expecting "{wanted}")' if wanted else ""))
        self.at += 1
        return token

    def skip_ends(self) -> None:
        while self.ahead == ";":
            self.at += 1

    def expand(self, raw: str) -> str:
        text = ""
        for single, double, escaped, plain in (match.groups() for match in _PART.finditer(raw)):
            if single is not None:
                text += single
            elif escaped is not None:
                text += escaped
            else:
                part = double if double is not None else plain
                if "`" in part or (plain is not None and set("*?~") & set(part)):
                    raise NotUnderstood(raw)
                part = _VARIABLE.sub(self.value, part)
                if "$" in part:
                    raise NotUnderstood(raw)
                text += re.sub(r"\\([\"\\$`])", r"\1", part) if double is not None else part
        return text

    def value(self, match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in self.variables:
            raise NotUnderstood(match[0])
        return self.variables[name]

    # -- lists

    def run_list(self) -> None:
        """Commands up to a keyword that ends them."""
        self.skip_ends()
        while self.ahead and self.ahead not in KEYWORDS:
            self.and_or()
            if self.ahead == "&":
                raise NotUnderstood("&")
            if self.ahead not in (";", "", *KEYWORDS):
                raise NotUnderstood(self.ahead)
            self.skip_ends()

    def and_or(self) -> None:
        self.command(True)
        while self.ahead in ("&&", "||"):
            operator = self.take()
            self.skip_ends()
            self.command((self.code == 0) is (operator == "&&"))

    def command(self, runs: bool) -> None:
        if not runs:
            self.skip_command()
            return
        if self.ahead == "!":
            self.take()
            self.command(True)
            self.code = int(self.code == 0)
            return
        compound = {
            "while": self.loop,
            "until": self.loop,
            "if": self.branch,
            "for": self.count,
            "{": self.group,
            "(": self.group,
        }.get(self.ahead)
        if compound is not None:
            compound()
        else:
            self.simple()
        if self.ahead in ("|", "<") or self.ahead.lstrip("012").startswith(">"):
            raise NotUnderstood(self.ahead)

    def skip_command(self) -> None:
        """Pass over one command."""
        if self.ahead in OPENERS:
            depth = 0
            while self.ahead:
                token = self.take()
                depth += token in OPENERS
                depth -= token in ("done", "fi", "}", ")")
                if depth == 0:
                    return
            raise Unfinished("unexpected end of file")
        while self.ahead and self.ahead not in (";", "&&", "||", "&", "|", *KEYWORDS):
            self.take()

    def skip_list(self) -> None:
        self.skip_ends()
        while self.ahead and self.ahead not in KEYWORDS:
            self.skip_command()
            if self.ahead in (";", "&&", "||", "&", "|"):
                self.take()
            self.skip_ends()

    # -- compound commands

    def group(self) -> None:
        end = {"{": "}", "(": ")"}[self.take()]
        self.run_list()
        self.take(end)

    def branch(self) -> None:
        self.take()
        done = False
        while True:
            self.part(not done)
            taken = not done and self.code == 0
            self.take("then")
            self.part(taken)
            done = done or taken
            word = self.take()
            if word == "elif":
                continue
            if word == "else":
                self.part(not done)
                word = self.take()
            if word != "fi":
                raise Unfinished(f"unexpected {word}")
            if not done:
                self.code = 0
            return

    def part(self, runs: bool) -> None:
        if runs:
            self.run_list()
        else:
            self.skip_list()

    def count(self) -> None:
        self.take()
        name = self.take()
        self.take("in")
        words = []
        while self.ahead not in (";", ""):
            words.append(self.expand(self.take()))
        self.skip_ends()
        self.take("do")
        start = self.at
        try:
            for word in words:
                self.at, self.variables[name] = start, word
                self.run_list()
        except _Break:
            pass
        self.at = start
        self.skip_list()
        self.take("done")

    def loop(self) -> None:
        until = self.take() == "until"
        start = self.at
        for _ in range(MANY_ROUNDS):
            before = (set(self.files), dict(self.traps), len(self.background))
            self.at, begin, printed = start, self.now, len(self.lines)
            try:
                self.run_list()
                if (self.code == 0) is until:
                    self.code = 0
                    break
                self.take("do")
                self.run_list()
            except _Break:
                self.code = 0
                break
            if before == (self.files, self.traps, len(self.background)) and self.cycle is None:
                if self.now == begin and len(self.lines) > printed:
                    raise NotUnderstood("a loop that prints without pause")
                self.cycle = (begin, self.now - begin, len(self.lines) - printed)
                raise _Exit
        else:
            raise NotUnderstood("a loop that goes on changing")
        self.at = start
        self.skip_list()
        self.take("do")
        self.skip_list()
        self.take("done")

    # -- simple commands

    def simple(self) -> None:
        words: list[str] = []
        silent = False
        while self.ahead and self.ahead not in (";", "&&", "||", "&", "|", "(", ")", "<"):
            token = self.take()
            if token.lstrip("012").startswith(">"):
                if "&" not in token and self.expand(self.take()) != "/dev/null":
                    raise NotUnderstood(token)
                silent = silent or not token.startswith("2")
                continue
            words.append(self.expand(token))
        if not words:
            raise Unfinished(f"unexpected {self.ahead or 'end of file'}")
        name, arguments = words[0], words[1:]
        if re.match(r"\w+=", name):
            raise NotUnderstood(name)
        if self.ahead == "&":
            self.take()
            if name != "sleep":
                raise NotUnderstood(f"{name} &")
            self.background.append(self.now + sleep_seconds(arguments)[0])
            if self.ahead not in ("", *KEYWORDS):
                self.tokens.insert(self.at, ";")
            self.code = 0
            return
        self.do(name, arguments, silent)
        if self.now == math.inf:
            raise _Exit
        self.pauses.append(self.now)

    def do(self, name: str, arguments: list[str], silent: bool) -> None:
        builtin: dict[str, Callable[[list[str]], None]] = {
            "exit": self.exit,
            "trap": self.trap,
            "wait": self.wait,
            "break": self.stop_loop,
            "touch": self.touch,
            "rm": self.remove,
            "mkdir": self.remove,
        }
        if name == "exec":
            if arguments:
                self.do(arguments[0], arguments[1:], silent)
            raise _Exit
        if name in builtin:
            builtin[name](arguments)
            return
        if name in ("test", "["):
            if name == "[":
                if arguments[-1:] != ["]"]:
                    raise NotUnderstood("[ without ]")
                arguments = arguments[:-1]
            self.code = 0 if self.judge(arguments) else 1
            return
        run = run_command([name, *arguments])
        if not silent:
            self.lines += [(self.now + after, text) for after, text in run.lines]
        self.now += run.seconds
        self.code = run.code

    def exit(self, arguments: list[str]) -> None:
        given = arguments[0] if arguments else str(self.code)
        self.code = int(given) % 256 if given.lstrip("-").isdigit() else 2
        raise _Exit

    def stop_loop(self, arguments: list[str]) -> None:
        raise _Break

    def wait(self, arguments: list[str]) -> None:
        if arguments:
            raise NotUnderstood("wait " + arguments[0])
        # Signals are heeded at once meanwhile.
        ends = max(self.background, default=self.now)
        if ends > self.now and any(trap.code is not None for trap in self.traps.values()):
            raise NotUnderstood("wait with a trap")
        self.now, self.background, self.code = max(self.now, ends), [], 0

    def trap(self, arguments: list[str]) -> None:
        if len(arguments) < 2:
            raise NotUnderstood("trap without a signal")
        action, *signals = arguments
        for name in map(signal_name, signals):
            if action == "-":
                self.traps.pop(name, None)
            elif name in ("EXIT", "0"):
                raise NotUnderstood("trap … EXIT")
            elif not action.strip():
                self.traps[name] = Trap(name, None)
            else:
                run = run_script(action)
                if run.lines or run.seconds == math.inf or "exit" not in action:
                    raise NotUnderstood(f"trap '{action}'")
                self.traps[name] = Trap(name, run.code, run.seconds)
        self.code = 0

    def touch(self, arguments: list[str]) -> None:
        self.files.update(arguments)
        self.made.update(arguments)
        self.code = 0

    def remove(self, arguments: list[str]) -> None:
        names = [argument for argument in arguments if not argument.startswith("-")]
        self.files.difference_update(names)
        self.made.update(names)
        self.code = 0

    def judge(self, words: list[str]) -> bool:
        """``test``: whether an expression of at most three words holds."""
        match words:
            case []:
                return False
            case ["!", *rest]:
                return not self.judge(rest)
            case [word]:
                return bool(word)
            case ["-z", word]:
                return not word
            case ["-n", word]:
                return bool(word)
            case ["-f" | "-r" | "-s", path]:
                return path in self.files or path in FILES
            case ["-e", path]:
                return path in self.files or path in FILES or path in FOLDERS
            case ["-d", path]:
                return path in FOLDERS
            case [left, "=" | "==", right]:
                return left == right
            case [left, "!=", right]:
                return left != right
            case [left, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" as operator, right] if (
                left.lstrip("-").isdigit() and right.lstrip("-").isdigit()
            ):
                a, b = int(left), int(right)
                return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[
                    operator
                ]
        raise NotUnderstood("test " + " ".join(words))


def _run(script: str) -> _Shell:
    shell = _Shell(_tokens(script))
    try:
        shell.run_list()
        if shell.ahead:
            raise Unfinished(f"unexpected {shell.ahead}")
    except (_Exit, _Break):
        pass
    return shell


def run_script(script: str) -> Behaviour:
    """What ``sh -c`` with this script does. Raises :class:`NotUnderstood`."""
    try:
        shell = _run(script)
    except Unfinished as problem:
        return Behaviour(0.0, 2, None, ((0.0, f"sh: syntax error: {problem}"),))
    traps = tuple(shell.traps.values())
    lines, pauses = tuple(shell.lines), tuple(shell.pauses)
    if shell.cycle is None:
        return Behaviour(shell.now, shell.code, None, lines, traps=traps, pauses=pauses if traps else ())
    since, every, again = shell.cycle
    return Behaviour(math.inf, 0, None, lines, again, every, since, traps, pauses if traps else ())


def made_by(script: str) -> set[str]:
    """The files that a script makes or removes on its way."""
    try:
        return _run(script).made
    except Unfinished:
        return set()
