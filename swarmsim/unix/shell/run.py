"""Does what a script says (POSIX XCU 2.8 to 2.14): commands, redirections, functions, traps, jobs.

A :class:`Runner` runs in a :class:`~swarmsim.unix.process.Process`; a subshell is a copy of it in a child. Between two commands it heeds the signals
it has traps for.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from functools import partial

from swarmsim.sim.future import Activity
from swarmsim.unix.executables import Found, find, load
from swarmsim.unix.files import NotModelled, failure
from swarmsim.unix.process import Exit, Process
from swarmsim.unix.shell import patterns
from swarmsim.unix.shell.builtins import BUILTINS, SPECIAL, quoted
from swarmsim.unix.shell.errors import Break, Jump, Return, ShellError
from swarmsim.unix.shell.expand import fields, pattern, single
from swarmsim.unix.shell.lexer import NAME, SyntaxProblem
from swarmsim.unix.shell.parse import lines
from swarmsim.unix.shell.state import Shell, Variable
from swarmsim.unix.shell.syntax import (
    AndOr,
    Assignment,
    Case,
    Command,
    Document,
    For,
    Function,
    Group,
    If,
    Item,
    Pipeline,
    Redirect,
    Redirected,
    Script,
    Simple,
    Subshell,
    While,
    Word,
)
from swarmsim.unix.streams import Stream

NOT_FOUND, CANNOT_RUN = 127, 126
MOST_CALLS = 200
"""Functions in functions; ash has no bound and dies of its stack."""


class Runner(Shell):
    """The shell at work."""

    def __init__(self, process: Process, name: str, parameters: list[str]) -> None:
        super().__init__(process, name, parameters)
        self._checked = 0
        """In how many conditions it is: there ``set -e`` does not count."""

    def copy(self, process: Process) -> Runner:
        """A subshell, in a child of the process."""
        shell = Runner(process, self.name, list(self.parameters))
        shell.variables = {name: variable.copy() for name, variable in self.variables.items()}
        shell.functions = dict(self.functions)
        shell.options = set(self.options)
        shell.traps = {signal: action for signal, action in self.traps.items() if not action and signal != "EXIT"}
        shell.status, shell.pid, shell.last_job = self.status, self.pid, self.last_job
        shell.calls, shell.loops = [{} for _ in self.calls], self.loops
        shell._checked = self._checked
        return shell

    # -- scripts

    def run_text(self, text: str, *, last: bool = False) -> Activity[None]:
        """Line by line. Raises :class:`ShellError` at a mistake in the syntax."""
        reader = lines(text)
        while True:
            try:
                script, ends = next(reader, (None, True))
            except SyntaxProblem as problem:
                raise ShellError(f"syntax error: {problem}") from None
            if script is None:
                return
            yield from self.script(script, last=last and ends)

    def main(self, work: Callable[[Runner], Activity[None]]) -> Activity[int]:
        """Run to the end, with whatever ends it, and the trap of ``EXIT``; returns the status."""
        status = yield from self._guarded(work)
        action = self.traps.pop("EXIT", "")
        if action:
            self.status = status
            ended = yield from self._guarded(lambda shell: shell.run_text(action))
            status = ended if ended != self.status else status
        return status

    def _guarded(self, work: Callable[[Runner], Activity[None]]) -> Activity[int]:
        try:
            yield from work(self)
            yield from self.heed()
        except Exit as end:
            return end.status
        except (Jump, Return):
            pass
        except ShellError as problem:
            yield from self.complain(str(problem))
            return problem.status
        return self.status

    # In the following, ``last`` says that nothing comes after it in this process, so that a program may take its place.

    def script(self, script: Script, *, last: bool = False) -> Activity[None]:
        for n, item in enumerate(script):
            if item.background:
                self._background(item)
            else:
                yield from self.and_or(item.command, last=last and n == len(script) - 1)

    def _background(self, item: Item) -> None:
        def body(child: Process) -> Activity[int]:
            child.set_stream(0, child.open("/dev/null"))
            return (yield from self.copy(child).main(lambda shell: shell.and_or(item.command, last=True)))

        child = self.process.fork(body)
        self.jobs.append(child)
        self.last_job = child.pid
        self.status = 0

    def and_or(self, command: AndOr, *, last: bool = False) -> Activity[None]:
        yield from self._checked_pipeline(command.first, bool(command.rest), last and not command.rest)
        for n, (operator, pipeline) in enumerate(command.rest):
            if (self.status == 0) == (operator == "&&"):
                ends = n == len(command.rest) - 1
                yield from self._checked_pipeline(pipeline, not ends, last and ends)

    def _checked_pipeline(self, pipeline: Pipeline, is_condition: bool, last: bool) -> Activity[None]:
        is_condition = is_condition or pipeline.negated
        self._checked += is_condition
        yield from self.pipeline(pipeline, last=last and not is_condition)
        self._checked -= is_condition
        if self.status and "e" in self.options and not self._checked and not is_condition:
            raise Exit(self.status)

    def condition(self, script: Script) -> Activity[bool]:
        """Whether it succeeds."""
        self._checked += 1
        yield from self.script(script)
        self._checked -= 1
        return self.status == 0

    def pipeline(self, pipeline: Pipeline, *, last: bool = False) -> Activity[None]:
        if len(pipeline.commands) == 1:
            yield from self.command(pipeline.commands[0], last=last)
        else:
            yield from self._piped(pipeline.commands)
        if pipeline.negated:
            self.status = int(self.status == 0)

    def _piped(self, commands: tuple[Command, ...]) -> Activity[None]:
        children: list[Process] = []
        reading: Stream | None = None
        for n, command in enumerate(commands):
            ends = self.process.system.pipe() if n < len(commands) - 1 else None
            children.append(self.process.fork(partial(self._element, command)))
            if reading is not None:
                children[-1].set_stream(0, reading)
            if ends is not None:
                children[-1].set_stream(1, ends[1])
                reading = ends[0]
        for child in children:
            self.status = yield from self.wait_for(child)
        yield from self.heed()

    def _element(self, command: Command, child: Process) -> Activity[int]:
        """In a pipeline, a substitution or a subshell; a program takes the child's place."""
        return (yield from self.copy(child).main(lambda shell: shell.command(command, last=True)))

    def substitute(self, body: Script) -> Activity[str]:
        """What a script prints, without the newlines at its end."""
        reading, writing = self.process.system.pipe()
        reading.opened()

        def inner(process: Process) -> Activity[int]:
            return (yield from self.copy(process).main(lambda shell: shell.script(body, last=True)))

        child = self.process.fork(inner)
        child.set_stream(1, writing)
        output = yield from self.process.read_all(reading)
        reading.closed()
        self.substituted = yield from self.wait_for(child)
        return output.replace(b"\0", b"").decode(errors="surrogateescape").rstrip("\n")

    # -- commands

    def command(self, command: Command, *, last: bool = False) -> Activity[None]:
        yield from self.process.system.step()
        match command:
            case Simple():
                yield from self.simple(command, last=last)
            case Group():
                yield from self.script(command.body, last=last)
            case Subshell():
                yield from self._subshell(command, last=last)
            case If():
                yield from self._if(command, last=last)
            case While():
                yield from self._while(command)
            case For():
                yield from self._for(command)
            case Case():
                yield from self._case(command)
            case Function():
                self.functions[command.name] = command.body
                self.status = 0
            case Redirected():
                yield from self._redirected(command)
        yield from self.heed()

    def _subshell(self, command: Subshell, *, last: bool) -> Activity[None]:
        if last and not self.traps:
            yield from self.script(command.body, last=True)
            return

        def body(child: Process) -> Activity[int]:
            return (yield from self.copy(child).main(lambda shell: shell.script(command.body, last=True)))

        self.status = yield from self.wait_for(self.process.fork(body))

    def _if(self, command: If, *, last: bool) -> Activity[None]:
        for condition, body in command.branches:
            if (yield from self.condition(condition)):
                yield from self.script(body, last=last)
                return
        self.status = 0
        yield from self.script(command.otherwise, last=last)

    def _while(self, command: While) -> Activity[None]:
        status = 0
        self.loops += 1
        while True:
            try:
                if (yield from self.condition(command.condition)) == command.until:
                    break
                yield from self.script(command.body)
                status = self.status
            except Jump as jump:
                status = 0
                if self._leaves(jump):
                    break
            yield from self.process.system.step()
        self.loops -= 1
        self.status = status

    def _for(self, command: For) -> Activity[None]:
        words = self.parameters if command.words is None else (yield from fields(self, command.words))
        self.status = 0
        self.loops += 1
        for word in list(words):
            self.assign(command.name, word)
            try:
                yield from self.script(command.body)
            except Jump as jump:
                self.status = 0
                if self._leaves(jump):
                    break
        self.loops -= 1

    def _leaves(self, jump: Jump) -> bool:
        """Whether a jump leaves this loop; it goes on if it is for one further out."""
        if jump.levels > 1 and self.loops > 1:
            self.loops -= 1
            raise type(jump)(jump.levels - 1)
        return isinstance(jump, Break)

    def _case(self, command: Case) -> Activity[None]:
        text = yield from single(self, command.word)
        self.status = 0
        for wanted, body in command.items:
            for word in wanted:
                if patterns.matches((yield from pattern(self, word)), text):
                    yield from self.script(body)
                    return

    def _redirected(self, command: Redirected) -> Activity[None]:
        saved = yield from self.redirect(command.redirects)
        if saved is None:
            return
        try:
            yield from self.command(command.command)
        finally:
            self.restore(saved)

    def simple(self, command: Simple, *, last: bool) -> Activity[None]:
        self.substituted, self.line = 0, command.line - 1
        words = yield from fields(self, command.words)
        if not words:
            yield from self._only_assignments(command)
            return
        name = words[0]
        if name in SPECIAL or name in self.functions or name in BUILTINS:
            yield from self._inside(command, words)
        else:
            yield from self._outside(command, words, last=last)

    def _only_assignments(self, command: Simple) -> Activity[None]:
        """The status is that of the last command substitution, or 0."""
        for each in command.assignments:
            yield from self._assign(each)
        self.status = self.substituted
        saved = yield from self.redirect(command.redirects)
        if saved is not None:
            self.restore(saved)

    def _assign(self, each: Assignment) -> Activity[None]:
        value = yield from single(self, each.value, assigns=True)
        self.assign(each.name, value)
        yield from self.trace([f"{each.name}={value}"])

    def trace(self, words: list[str]) -> Activity[None]:
        """``set -x``."""
        if "x" in self.options:
            yield from self.process.say(f"{self.value('PS4') or ''}{' '.join(map(_shown, words))}\n")

    def _inside(self, command: Simple, words: list[str]) -> Activity[None]:
        """A builtin or a function. What is assigned before it stays assigned only before a special builtin."""
        name = words[0]
        kept: dict[str, Variable | None] = {}
        saved = yield from self.redirect(command.redirects)
        if saved is None:
            if name in SPECIAL and name not in self.functions:
                raise Exit(self.status)
            return
        stays = name == "exec" and words[1:] == []
        try:
            for each in command.assignments:
                if name not in SPECIAL:
                    variable = self.variables.get(each.name)
                    kept.setdefault(each.name, variable.copy() if variable is not None else None)
                yield from self._assign(each)
                if name not in SPECIAL:
                    self.variables[each.name].exported = True
            yield from self.trace(words)
            if name in self.functions and name not in SPECIAL:
                yield from self.call(name, words[1:])
            else:
                self.status = yield from BUILTINS[name](self, words[1:])
        except OSError as problem:
            if problem.errno != errno.EBADF:
                raise
            yield from self.complain(f"write error: {problem.strerror}", name)
            self.status = 1
        finally:
            if not stays:
                self.restore(saved)
            for each_name, variable in kept.items():
                if variable is None:
                    self.variables.pop(each_name, None)
                else:
                    self.variables[each_name] = variable

    def call(self, name: str, parameters: list[str]) -> Activity[None]:
        if len(self.calls) >= MOST_CALLS:
            raise ShellError("functions call each other too deeply")
        body, outer, loops = self.functions[name], self.parameters, self.loops
        self.parameters, self.loops = parameters, 0
        self.calls.append({})
        try:
            yield from self.command(body)
        except Return:
            pass
        finally:
            self.parameters, self.loops = outer, loops
            for local, before in self.calls.pop().items():
                if before is None:
                    self.variables.pop(local, None)
                else:
                    self.variables[local] = before

    def _outside(self, command: Simple, words: list[str], *, last: bool) -> Activity[None]:
        assigned = {}
        for each in command.assignments:
            assigned[each.name] = yield from single(self, each.value, assigns=True)
        yield from self.trace([*(f"{name}={value}" for name, value in assigned.items()), *words])

        def body(child: Process) -> Activity[int]:
            shell = self if child is self.process else self.copy(child)
            shell.process.env = {**shell.environment, **assigned}
            if (yield from shell.redirect(command.redirects)) is None:
                return shell.status
            return (yield from shell.execute(words))

        if last and not self.traps:
            self.status = yield from body(self.process)
        else:
            self.status = yield from self.wait_for(self.process.fork(body, words[0]))

    def execute(self, words: list[str]) -> Activity[int]:
        """Become a program."""
        process = self.process
        if process.system.standalone and words[0] in process.system.programs:
            process.name = " ".join(words)
            return (yield from process.system.programs[words[0]](process, words))
        found = find(process, words[0])
        if found.status:
            wording = "not found" if found.status == NOT_FOUND else "Permission denied"
            yield from self.complain(f"{words[0]}: {wording}")
            return found.status
        return (yield from become(process, found, words))

    # -- redirections

    def redirect(self, redirects: tuple[Redirect, ...]) -> Activity[dict[int, Stream | None] | None]:
        """What stood there before, to be given to :meth:`restore`; ``None``, with the status set, if one fails."""
        saved: dict[int, Stream | None] = {}
        for redirect in redirects:
            before = self.process.streams.get(redirect.fd)
            try:
                stream = yield from self._target(redirect)
            except _BadTarget as problem:
                yield from self.complain(str(problem))
                self.restore(saved)
                self.status = 1
                return None
            if redirect.fd not in saved:
                saved[redirect.fd] = before
                if before is not None:
                    before.opened()
            if stream is None:
                self.process.close(redirect.fd)
            else:
                self.process.set_stream(redirect.fd, stream)
        return saved

    def _target(self, redirect: Redirect) -> Activity[Stream | None]:
        process, target = self.process, redirect.target
        if isinstance(target, Document):
            return process.system.document((yield from single(self, target.text)))
        text = yield from self._file_name(target)
        if redirect.operator in ("<&", ">&"):
            if text == "-":
                return None
            if not text.isdigit():
                raise ShellError(f"syntax error: bad fd number: {text}" if text else "bad fd number")
            if int(text) not in process.streams:
                raise _BadTarget(f"{text}: Bad file descriptor")
            return process.streams[int(text)]
        how = {">|": ">"}.get(redirect.operator, redirect.operator)
        try:
            if how == ">" and "C" in self.options and redirect.operator != ">|" and _is_file(process, text):
                raise failure(errno.EEXIST, text)
            return process.open(text, how)
        except OSError as problem:
            reading = how == "<"
            if problem.errno in (errno.ENOENT, errno.ENOTDIR):
                words = "no such file" if reading else "nonexistent directory"
            else:
                words = os.strerror(problem.errno or 0)
            raise _BadTarget(f"can't {'open' if reading else 'create'} {text}: {words}") from None

    def _file_name(self, word: Word) -> Activity[str]:
        return (yield from single(self, word))

    def restore(self, saved: dict[int, Stream | None]) -> None:
        for number, stream in reversed(saved.items()):
            if stream is None:
                self.process.close(number)
            else:
                self.process.set_stream(number, stream)
                stream.closed()

    # -- signals

    def heed(self) -> Activity[None]:
        """Do what the traps of the signals say that have come."""
        while self._pending:
            action = self.traps.get(self._pending.pop(0), "")
            status = self.status
            yield from self.run_text(action)
            self.status = status


_BARE = re.compile(r"[\w%+,./:@-]+")


def _shown(word: str) -> str:
    """As ``set -x`` shows it: in quotes, where it needs some."""
    name, equals, value = word.partition("=")
    if equals and NAME.fullmatch(name):
        return f"{name}={value if not value or _BARE.fullmatch(value) else quoted(value)}"
    return word if _BARE.fullmatch(word) or word == "]" else quoted(word)


class _BadTarget(Exception):
    """Why a redirection fails."""


def _is_file(process: Process, path: str) -> bool:
    try:
        return process.system.files.stat(process.path(path), process.user).kind == "file"
    except OSError:
        return False


def become(process: Process, found: Found, words: list[str]) -> Activity[int]:
    """A process does what an executable says from now on: a program of ours, or a script for an interpreter."""
    program, words = load(process, found, words)
    process.name = " ".join(words)
    return (yield from program(process, words))


def sh(process: Process, words: list[str]) -> Activity[int]:
    """The program ``sh``. Raises :class:`NotModelled`."""
    options: set[str] = set()
    rest = words[1:]
    text: str | None = None
    reads_words = False
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            break
        for letter in word[1:]:
            if letter == "c":
                reads_words = True
            elif letter in "aefuxC":
                options.add(letter)
            elif letter in "lsmbhv":
                continue
            elif letter == "i":
                raise NotModelled("sh -i")
            else:
                yield from process.say(f"{words[0]}: illegal option -{letter}\n")
                return 2
    name = words[0]
    if reads_words:
        if not rest:
            yield from process.say(f"{name}: -c requires an argument\n")
            return 2
        text = rest.pop(0)
        if rest:
            name = rest.pop(0)
    elif rest:
        name = rest.pop(0)
        try:
            text = process.system.files.read(process.path(name), process.user).decode(errors="surrogateescape")
        except OSError:
            yield from process.say(f"{words[0]}: can't open '{name}': No such file or directory\n")
            return 2
    else:
        text = (yield from process.read_all()).decode(errors="surrogateescape")
    shell = Runner(process, name, rest)
    level = process.env.get("SHLVL", "")
    shell.variables["SHLVL"] = Variable(str(int(level) + 1 if level.isdigit() else 1), exported=True)
    shell.options, shell.reads_words = options, reads_words
    script = text
    return (yield from shell.main(lambda shell: shell.run_text(script, last=reads_words)))
