"""Commands that a shell does itself. :data:`SPECIAL` are those of which POSIX says so: an error in one ends the shell, and what is assigned before one stays."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable

from swarmsim.sim.future import Activity
from swarmsim.unix.executables import find
from swarmsim.unix.files import NotModelled
from swarmsim.unix.process import SIGNALS, Exit, Process, signal_number
from swarmsim.unix.programs import printing
from swarmsim.unix.shell.arithmetic import ArithmeticProblem, evaluate
from swarmsim.unix.shell.errors import Break, Continue, Return, ShellError
from swarmsim.unix.shell.lexer import NAME, RESERVED
from swarmsim.unix.shell.state import Shell, Variable

Builtin = Callable[["Shell", list[str]], Activity[int]]


def _refuse(shell: Shell, command: str, words: str) -> ShellError:
    """An error of a builtin."""
    return ShellError(f"{command}: line {shell.line}: {words}")


def _number(shell: Shell, command: str, word: str) -> int:
    if not word.isdigit():
        raise _refuse(shell, command, f"Illegal number: {word}")
    return int(word)


def nothing(shell: Shell, words: list[str]) -> Activity[int]:
    return 0
    yield


def false(shell: Shell, words: list[str]) -> Activity[int]:
    return 1
    yield


def break_(shell: Shell, words: list[str]) -> Activity[int]:
    return (yield from _jump(shell, "break", Break, words))


def continue_(shell: Shell, words: list[str]) -> Activity[int]:
    return (yield from _jump(shell, "continue", Continue, words))


def _jump(shell: Shell, name: str, kind: type[Break] | type[Continue], words: list[str]) -> Activity[int]:
    levels = _number(shell, name, words[0]) if words else 1
    if levels < 1:
        raise _refuse(shell, name, f"Illegal number: {words[0]}")
    if shell.loops:
        raise kind(min(levels, shell.loops))
    return 0
    yield


def return_(shell: Shell, words: list[str]) -> Activity[int]:
    shell.status = _number(shell, "return", words[0]) & 255 if words else shell.status
    raise Return
    yield


def exit_(shell: Shell, words: list[str]) -> Activity[int]:
    raise Exit(_number(shell, "exit", words[0]) & 255 if words else shell.status)
    yield


def cd(shell: Shell, words: list[str]) -> Activity[int]:
    rest = [word for word in words if word not in ("-L", "-P", "--")]
    target = rest[0] if rest else shell.value("HOME") or ""
    shows = target == "-"
    if shows:
        target = shell.value("OLDPWD") or ""
    process = shell.process
    if not target:
        return 0
    try:
        place = process.system.files.resolve(process.path(target), process.user)
        if place.inode is None:
            raise FileNotFoundError(2, os.strerror(2))
        process.system.files.names(place.path)  # must be a folder
        if not process.user.may(place.inode, 1):
            raise PermissionError(13, os.strerror(13))
    except OSError as problem:
        yield from shell.complain(f"can't cd to {target}: {problem.strerror}", "cd")
        return 2
    shell.assign("OLDPWD", shell.value("PWD") or process.cwd)
    process.cwd = _logical(process.path(target))
    shell.assign("PWD", process.cwd)
    if shows:
        yield from process.write(f"{process.cwd}\n")
    return 0


def _logical(path: str) -> str:
    """
    >>> _logical("/a/./b/../c/")
    '/a/c'
    """
    return os.path.normpath("/" + path.lstrip("/"))


def pwd(shell: Shell, words: list[str]) -> Activity[int]:
    yield from shell.process.write(f"{shell.process.cwd}\n")
    return 0


def quoted(value: str) -> str:
    """In single quotes, to be read again by a shell."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def export(shell: Shell, words: list[str]) -> Activity[int]:
    return (yield from _mark(shell, "export", words))


def readonly(shell: Shell, words: list[str]) -> Activity[int]:
    return (yield from _mark(shell, "readonly", words))


def _mark(shell: Shell, command: str, words: list[str]) -> Activity[int]:
    attribute = "exported" if command == "export" else "readonly"
    removes = words[:1] == ["-n"]
    rest = [word for word in words if word not in ("-p", "-n", "--")]
    if not rest:
        for name, variable in sorted(shell.variables.items()):
            if getattr(variable, attribute):
                shown = "" if variable.value is None else f"={quoted(variable.value)}"
                yield from shell.process.write(f"{command} {name}{shown}\n")
    for word in rest:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            raise _refuse(shell, command, f"{name}: bad variable name")
        if equals:
            shell.assign(name, value)
        variable = shell.variables.setdefault(name, Variable(None))
        setattr(variable, attribute, not removes)
    return 0


def local(shell: Shell, words: list[str]) -> Activity[int]:
    if not shell.calls:
        raise _refuse(shell, "local", "not in a function")
    for word in words:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            raise _refuse(shell, "local", f"{name}: bad variable name")
        before = shell.variables.get(name)
        if name not in shell.calls[-1]:
            shell.calls[-1][name] = before.copy() if before is not None else None
            if before is None:
                shell.variables[name] = Variable(None)
        if equals:
            shell.assign(name, value)
    return 0
    yield


def unset(shell: Shell, words: list[str]) -> Activity[int]:
    functions = words[:1] == ["-f"]
    for name in words[words[:1] in (["-f"], ["-v"]) :]:
        if functions:
            shell.functions.pop(name, None)
            continue
        variable = shell.variables.get(name)
        if variable is not None and variable.readonly:
            raise _refuse(shell, "unset", f"{name}: is read only")
        if variable is not None:
            del shell.variables[name]
    return 0
    yield


LONG_OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "noclobber": "C", "allexport": "a"}


def set_(shell: Shell, words: list[str]) -> Activity[int]:
    if not words:
        for name, variable in sorted(shell.variables.items()):
            if variable.value is not None:
                yield from shell.process.write(f"{name}={quoted(variable.value)}\n")
    rest = list(words)
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            break
        on = word[0] == "-"
        for letter in word[1:]:
            if letter == "o":
                name = rest.pop(0) if rest else ""
                if name == "pipefail":
                    raise NotModelled("set -o pipefail")
                if name not in LONG_OPTIONS:
                    raise _refuse(shell, "set", f"illegal option {word} {name}")
                letter = LONG_OPTIONS[name]
            if letter not in "aefuxCbhmnv":
                raise _refuse(shell, "set", f"illegal option {word[0]}{letter}")
            if letter in "nmv":
                raise NotModelled(f"set -{letter}")
            (shell.options.add if on else shell.options.discard)(letter)
    else:
        if rest or "--" in words:
            shell.parameters = rest
        return 0
    shell.parameters = rest
    return 0


def shift(shell: Shell, words: list[str]) -> Activity[int]:
    count = _number(shell, "shift", words[0]) if words else 1
    if count > len(shell.parameters):
        return 1
    del shell.parameters[:count]
    return 0
    yield


def eval_(shell: Shell, words: list[str]) -> Activity[int]:
    shell.status = 0
    try:
        yield from shell.run_text(" ".join(words))
    except ShellError as problem:
        if str(problem).startswith("syntax error"):
            raise _refuse(shell, "eval", str(problem)) from None
        raise
    return shell.status


def dot(shell: Shell, words: list[str]) -> Activity[int]:
    if not words:
        raise _refuse(shell, ".", "filename argument required")
    process, path = shell.process, words[0]
    candidates = [path] if "/" in path else [f"{each}/{path}" for each in (shell.value("PATH") or "").split(":")]
    for candidate in [*candidates, path]:
        try:
            text = process.system.files.read(process.path(candidate), process.user).decode(errors="surrogateescape")
        except OSError:
            continue
        shell.status = 0
        with contextlib.suppress(Return):
            yield from shell.run_text(text)
        return shell.status
    raise _refuse(shell, ".", f"{path}: not found")


def exec_(shell: Shell, words: list[str]) -> Activity[int]:
    if not words:
        return 0
    process = shell.process
    process.env = shell.environment
    found = find(process, words[0])
    if found.status:
        wording = "not found" if found.status == 127 else "Permission denied"
        yield from shell.complain(f"{words[0]}: {wording}", "exec")
        raise Exit(found.status)
    shell.traps.clear()
    process.handlers = {signal: None for signal, handler in process.handlers.items() if handler is None}
    raise Exit((yield from shell.execute(words)))


def trap(shell: Shell, words: list[str]) -> Activity[int]:
    rest = [word for word in words if word != "--"]
    if not rest:
        for signal, kept in shell.traps.items():
            yield from shell.process.write(f"trap -- {quoted(kept)} {signal}\n")
        return 0
    action: str | None = None
    if len(rest) > 1 or (signal_number(rest[0]) is None and rest[0] not in ("EXIT", "0", "-")):
        action, rest = (None if rest[0] == "-" else rest[0]), rest[1:]
    for word in rest:
        if word in ("EXIT", "0"):
            shell.trap("EXIT", action)
            continue
        number = signal_number(word)
        if not number:
            yield from shell.complain(f"{word}: invalid signal specification", "trap")
            return 1
        shell.trap(SIGNALS[number], action)
    return 0


def wait(shell: Shell, words: list[str]) -> Activity[int]:
    if not words:
        while any(job.status is None for job in shell.jobs):
            running = next(job for job in shell.jobs if job.status is None)
            if (yield from _interrupted(shell, running)):
                return 128 + SIGNALS.index(shell.is_called)
        shell.jobs.clear()
        return 0
    status = 0
    for word in words:
        job = _job(shell, word)
        if job is None:
            status = 127
            continue
        if (yield from _interrupted(shell, job)):
            return 128 + SIGNALS.index(shell.is_called)
        status = yield from shell.wait_for(job)
        shell.jobs.remove(job)
    return status


def _interrupted(shell: Shell, job: Process) -> Activity[bool]:
    """Wait for a job; whether a signal with a trap came first."""
    if job.status is None and not shell.is_called:
        yield shell.process.system.clock.first_of((job.ended, shell.alarm))
    return job.status is None


def _job(shell: Shell, word: str) -> Process | None:
    if word.startswith("%"):
        index = len(shell.jobs) if word in ("%", "%%", "%+") else int(word[1:]) if word[1:].isdigit() else 0
        return shell.jobs[index - 1] if 0 < index <= len(shell.jobs) else None
    return next((job for job in shell.jobs if str(job.pid) == word), None)


def kill(shell: Shell, words: list[str]) -> Activity[int]:
    """Of jobs as well as of numbers."""
    numbers = []
    for word in words:
        job = _job(shell, word) if word.startswith("%") else None
        numbers.append(word if job is None else str(job.pid))
    return (yield from kill_process(shell.process, ["sh", *numbers]))


def kill_process(process: Process, words: list[str]) -> Activity[int]:
    """The program ``kill``."""
    name, rest, signal = words[0].rpartition("/")[2], words[1:], "TERM"
    if rest[:1] == ["-l"]:
        if len(rest) == 1:
            lines = [f"{number:2d}) {signal}\n" for number, signal in enumerate(SIGNALS) if number]
        else:
            lines = []
            for word in rest[1:]:
                number = signal_number(word.strip()) if not word.isdigit() else int(word) & 127
                lines.append(f"{(SIGNALS[number] if word.isdigit() else number) if number is not None else word}\n")
        yield from process.write("".join(lines))
        return 0
    if rest and rest[0].startswith("-") and rest[0] != "--":
        option = rest.pop(0)
        given = (rest.pop(0) if rest else "") if option == "-s" else option[1:]
        found = signal_number(given)
        if found is None:
            yield from process.say(f"{name}: bad signal name '{given}'\n")
            return 1
        signal = SIGNALS[found]
    if rest[:1] == ["--"]:
        rest.pop(0)
    if not rest:
        yield from process.say(f"{name}: you need to specify whom to kill\n")
        return 1
    failed = 0
    for word in rest:
        if not re.fullmatch(r"-?\d+", word):
            yield from process.say(f"{name}: invalid number '{word}'\n")
            failed += 1
            continue
        target = process.system.processes.get(int(word))
        if target is None:
            yield from process.say(f"{name}: can't kill pid {word}: No such process\n")
            failed += 1
        elif signal:
            target.kill(signal)
            if process.status is not None:
                yield process.system.clock.future()
    return int(bool(failed))


def read(shell: Shell, words: list[str]) -> Activity[int]:
    raw, names, rest = False, [], list(words)
    while rest:
        word = rest.pop(0)
        if word == "-r":
            raw = True
        elif word == "-p":
            yield from shell.process.say(rest.pop(0) if rest else "")
        elif word.startswith("-") and word != "-":
            raise NotModelled(f"read {word}")
        else:
            names.append(word)
    for name in names:
        if not NAME.fullmatch(name):
            raise _refuse(shell, "read", f"'{name}': bad variable name")
    chars: list[tuple[str, bool]] = []
    complete = False
    while byte := (yield from shell.process.read(1)):
        char = byte.decode(errors="surrogateescape")
        while len(char) == 1 and 0xDC80 <= ord(char) <= 0xDCFF and len(byte) < 4:
            more = yield from shell.process.read(1)
            if not more:
                break
            byte += more
            char = byte.decode(errors="surrogateescape")
        if char == "\n":
            complete = True
            break
        if char == "\\" and not raw:
            following = (yield from shell.process.read(1)).decode(errors="surrogateescape")
            if following and following != "\n":
                chars.append((following, True))
            continue
        chars.append((char, False))
    values = _divided(chars, len(names), shell.value("IFS")) if names else ["".join(char for char, _ in chars)]
    for name, value in zip(names or ["REPLY"], values, strict=True):
        shell.assign(name, value)
    return int(not complete)


def _divided(chars: list[tuple[str, bool]], count: int, separators: str | None) -> list[str]:
    """Split by ``IFS`` into so many texts, the last of which has what is left.

    >>> _divided([(char, False) for char in " a  b c "], 2, None)
    ['a', 'b c']
    """
    separators = " \t\n" if separators is None else separators

    def separates(at: int, kinds: str) -> bool:
        return at < len(chars) and not chars[at][1] and chars[at][0] in kinds

    blanks = "".join(char for char in " \t\n" if char in separators)
    values: list[str] = []
    at = 0
    while separates(at, blanks):
        at += 1
    while len(values) < count - 1:
        text = ""
        while at < len(chars) and not separates(at, separators):
            text += chars[at][0]
            at += 1
        while separates(at, blanks):
            at += 1
        if separates(at, separators):
            at += 1
            while separates(at, blanks):
                at += 1
        values.append(text)
    end = len(chars)
    while end > at and separates(end - 1, blanks):
        end -= 1
    rest = chars[at:end]
    # One separator at the very end belongs to the last text only if there are more of them.
    marks = [n for n, (char, quoted) in enumerate(rest) if not quoted and char in separators and char not in blanks]
    if len(marks) == 1 and marks[0] == len(rest) - 1:
        rest = rest[:-1]
    return [*values, "".join(char for char, _ in rest)]


def umask(shell: Shell, words: list[str]) -> Activity[int]:
    if not words:
        yield from shell.process.write(f"{shell.process.umask:04o}\n")
    elif re.fullmatch(r"[0-7]+", words[0]):
        shell.process.umask = int(words[0], 8) & 0o777
    else:
        raise NotModelled(f"umask {words[0]}")
    return 0


def type_(shell: Shell, words: list[str]) -> Activity[int]:
    failed = 0
    for word in words:
        kind = _kind(shell, word)
        failed |= kind is None
        yield from shell.process.write(f"{word}: not found\n" if kind is None else f"{word} is {kind}\n")
    return 127 if failed else 0


def _kind(shell: Shell, word: str) -> str | None:
    if word in RESERVED:
        return "a shell keyword"
    if word in shell.functions:
        return "a function"
    if word in SPECIAL:
        return "a special shell builtin"
    if word in BUILTINS:
        return "a shell builtin"
    path = _path_of(shell, word)
    return path or None


def _path_of(shell: Shell, word: str) -> str:
    """Of a program, empty if there is none."""
    process = shell.process
    if process.system.standalone and word in process.system.programs:
        return word
    env, process.env = process.env, shell.environment | {"PATH": shell.value("PATH") or ""}
    found = find(process, word)
    process.env = env
    return "" if found.status else found.path


def command(shell: Shell, words: list[str]) -> Activity[int]:
    if words[:1] in (["-v"], ["-V"]):
        status = 0
        for word in words[1:]:
            known = word in RESERVED or word in shell.functions or word in BUILTINS
            shown = word if known else _path_of(shell, word)
            if words[0] == "-V":
                kind = _kind(shell, word)
                yield from shell.process.write(f"{word}: not found\n" if kind is None else f"{word} is {kind}\n")
            elif shown:
                yield from shell.process.write(f"{shown}\n")
            status = 0 if shown else 127
        return status
    rest = words[1:] if words[:1] in (["-p"], ["--"]) else words
    if not rest:
        return 0
    if rest[0] in BUILTINS:
        return (yield from BUILTINS[rest[0]](shell, rest[1:]))

    def body(child: Process) -> Activity[int]:
        inner = shell.copy(child)
        child.env = inner.environment
        return (yield from inner.execute(rest))

    return (yield from shell.wait_for(shell.process.fork(body, rest[0])))


def let(shell: Shell, words: list[str]) -> Activity[int]:
    value = 0
    for word in words:
        try:
            value = evaluate(word, shell.arithmetic_value, shell.assign)
        except ArithmeticProblem as problem:
            raise _refuse(shell, "let", str(problem)) from None
    return int(value == 0)
    yield


def jobs(shell: Shell, words: list[str]) -> Activity[int]:
    if words:
        raise NotModelled(f"jobs {words[0]}")
    shell.jobs = [job for job in shell.jobs if job.status is None]
    for n, _ in enumerate(shell.jobs):
        mark = "+" if n == len(shell.jobs) - 1 else "-" if n == len(shell.jobs) - 2 else " "
        yield from shell.process.write(f"[{n + 1}]{mark}  Running                    \n")
    return 0


def _program(name: str, program: Callable[[Process, list[str]], Activity[int]]) -> Builtin:
    def run(shell: Shell, words: list[str]) -> Activity[int]:
        return (yield from program(shell.process, [name, *words]))

    return run


def _not_modelled(name: str) -> Builtin:
    def refuse(shell: Shell, words: list[str]) -> Activity[int]:
        raise NotModelled(name)
        yield

    return refuse


SPECIAL = frozenset(
    (
        *(":", ".", "source", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set"),
        *("shift", "times", "trap", "unset", "local"),
    )
)
BUILTINS: dict[str, Builtin] = {
    ":": nothing,
    "true": nothing,
    "false": false,
    ".": dot,
    "source": dot,
    "break": break_,
    "continue": continue_,
    "return": return_,
    "exit": exit_,
    "cd": cd,
    "chdir": cd,
    "pwd": pwd,
    "export": export,
    "readonly": readonly,
    "local": local,
    "unset": unset,
    "set": set_,
    "shift": shift,
    "eval": eval_,
    "exec": exec_,
    "trap": trap,
    "wait": wait,
    "kill": kill,
    "read": read,
    "umask": umask,
    "type": type_,
    "command": command,
    "let": let,
    "jobs": jobs,
    "echo": _program("echo", printing.echo),
    "printf": _program("printf", printing.printf),
    "test": _program("test", printing.test),
    "[": _program("[", printing.test),
    **{
        name: _not_modelled(name)
        for name in ("alias", "unalias", "bg", "fg", "fc", "getopts", "hash", "times", "ulimit", "[[")
    },
}
