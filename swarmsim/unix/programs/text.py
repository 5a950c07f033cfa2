"""``cat head tail wc sort uniq cut tr seq tee grep yes expr basename dirname xargs``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cmp_to_key

from swarmsim.sim.future import Activity
from swarmsim.unix.executables import find, load
from swarmsim.unix.files import NotModelled
from swarmsim.unix.process import Process
from swarmsim.unix.programs import regex
from swarmsim.unix.programs.options import Complaint, Usage, options
from swarmsim.unix.programs.texts import complain, contents, inputs, lines_of, octets, write
from swarmsim.unix.shell.patterns import CLASSES


def cat(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "nbu", not_modelled="vteA")
    status, number = 0, 0
    for path in given.words or ["-"]:
        try:
            stream = process.streams[0] if path == "-" else process.open(path)
            while piece := (yield from stream.read(65536)):
                yield from process.system.step()
                if "n" not in given and "b" not in given:
                    yield from process.write(piece)
                    continue
                for line in piece.decode("latin-1").splitlines(True):
                    counts = "n" in given or line != "\n"
                    number += counts
                    yield from write(process, f"{number:6d}\t{line}" if counts else line)
        except (OSError, KeyError) as problem:
            if isinstance(problem, BrokenPipeError):
                raise
            words_of_problem = problem.strerror if isinstance(problem, OSError) else "Bad file descriptor"
            verb = "read error" if isinstance(problem, IsADirectoryError) else f"can't open '{path}'"
            yield from process.say(f"cat: {verb}: {words_of_problem}\n")
            status = 1
    return status


def _old_style(words: list[str]) -> list[str]:
    """``head -3`` is ``head -n 3``."""
    return [
        part
        for word in words
        for part in (["-n", word[1:]] if re.fullmatch(r"-\d+[kmb]?", word) and word is not words[0] else [word])
    ]


def head(process: Process, words: list[str]) -> Activity[int]:
    """Reads no more than it needs: whoever writes for ever into a pipe is to notice."""
    given = options(_old_style(words), "n:c:qv")
    count = _count(words[0], given.flags.get("c", given.flags.get("n", "10")))
    titles = ("v" in given or len(given.words) > 1) and "q" not in given
    status = shown = 0
    for path in given.words or ["-"]:
        try:
            stream = process.streams[0] if path == "-" else process.open(path)
            data = b""
            while not (len(data) if "c" in given else data.count(b"\n")) >= count >= 0:
                piece = yield from stream.read(1024)
                if not piece:
                    break
                data += piece
        except OSError as problem:
            yield from complain(process, "head", path, problem)
            status = 1
            continue
        if titles:
            name = "standard input" if path == "-" else octets(path)
            yield from write(process, f"{chr(10) if shown else ''}==> {name} <==\n")
        shown += 1
        text = data.decode("latin-1")
        yield from write(process, text[:count] if "c" in given else "".join(_with_ends(text)[:count]))
    return status


def _with_ends(text: str) -> list[str]:
    """Lines with the newlines at their ends."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _count(program: str, text: str) -> int:
    match = re.fullmatch(r"([-+]?\d+)([bkm]?)", text)
    if match is None:
        raise Usage(f"{program}: invalid number '{text}'")
    return int(match[1]) * {"": 1, "b": 512, "k": 1024, "m": 1 << 20}[match[2]]


def tail(process: Process, words: list[str]) -> Activity[int]:
    given = options(_old_style(words), "n:c:qvfFs:")
    wanted = given.flags.get("c", given.flags.get("n", "10"))
    count = _count(words[0], wanted.lstrip("+-"))
    if "f" in given or "F" in given:
        return (yield from _follow(process, given.words, count))
    many = (len(given.words) > 1 and "q" not in given) or "v" in given
    texts, status = [], 0
    for path in given.words or ["-"]:
        try:
            texts.append((path, (yield from contents(process, path))))
        except OSError as problem:
            yield from process.say(f"tail: can't open '{path}': {problem.strerror}\n")
            status = 1
    if not texts:
        yield from process.say("tail: no files\n")
    for n, (path, text) in enumerate(texts):
        units = list(text) if "c" in given else _with_ends(text)
        kept = units[max(count - 1, 0) :] if wanted.startswith("+") else units[len(units) - count :] if count else []
        if count > len(units) and not wanted.startswith("+"):
            kept = units
        title = f"{chr(10) if n else ''}==> {'standard input' if path == '-' else path} <==\n" if many else ""
        yield from write(process, title + "".join(kept))
    return status


def _follow(process: Process, paths: list[str], count: int) -> Activity[int]:
    """Look once a second, for ever."""
    if len(paths) != 1:
        raise NotModelled("tail -f of several files")
    try:
        stream = process.open(paths[0])
    except OSError as problem:
        yield from process.say(f"tail: can't open '{paths[0]}': {problem.strerror}\ntail: no files\n")
        return 1
    data = b""
    while piece := (yield from stream.read(65536)):
        data += piece
    yield from write(process, "".join(_with_ends(data.decode("latin-1"))[-count:] if count else []))
    while True:
        while piece := (yield from stream.read(65536)):
            yield from process.write(piece)
        yield 1.0


def wc(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "lwcm", not_modelled="L")
    which = [letter for letter in "lwc" if letter in given or (letter == "c" and "m" in given)] or list("lwc")
    totals = dict.fromkeys("lwc", 0)
    read = 0

    def show(counts: dict[str, int], name: str) -> Activity[None]:
        numbers = [str(counts[letter]) for letter in which]
        text = numbers[0] if len(numbers) == 1 else " ".join(f"{number:>9}" for number in numbers)
        yield from write(process, text + (f" {octets(name)}" if name else "") + "\n")

    def use(path: str, text: str) -> Activity[None]:
        nonlocal read
        read += 1
        counts = {"l": text.count("\n"), "w": len(re.findall(r"[^ \t\n\r\f\v\0]+", text)), "c": len(text)}
        for letter in totals:
            totals[letter] += counts[letter]
        yield from show(counts, path if given.words else "")

    status = yield from inputs(process, "wc", given.words, use)
    if len(given.words) > 1:
        yield from show(totals, "total")
    return status


def sort(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "rnufbdik:t:o:cs", not_modelled="gMhVzTSm")
    lines: list[str] = []
    for path in given.words or ["-"]:
        try:
            lines += lines_of((yield from contents(process, path)))
        except OSError as problem:
            yield from complain(process, "sort", path, problem)
            return 2
    key = _sort_key(given.flags)

    def compare(a: str, b: str) -> int:
        left, right = key(a), key(b)
        if left == right and "u" not in given and "s" not in given:
            left, right = (0.0, a), (0.0, b)
        order = (left > right) - (left < right)
        return -order if "r" in given else order

    ordered = sorted(lines, key=cmp_to_key(compare))
    if "c" in given:
        wrong = next((n for n, (line, right) in enumerate(zip(lines, ordered, strict=True)) if line != right), None)
        if wrong is not None:
            yield from process.say("sort: Check line failed\n")
        return int(wrong is not None)
    if "u" in given:
        ordered = [line for n, line in enumerate(ordered) if not n or key(ordered[n - 1]) != key(line)]
    text = "".join(f"{line}\n" for line in ordered)
    if "o" in given:
        yield from process.open(given.flags["o"], ">").write(text.encode("latin-1"))
    else:
        yield from write(process, text)
    return 0


def _sort_key(flags: dict[str, str]) -> Callable[[str], tuple[float, str]]:
    field = re.fullmatch(r"(\d+)(?:\.\d+)?([rnfb]*)(?:,(\d+)([rnfb]*))?", flags.get("k", "1"))
    if field is None or "." in flags.get("k", "") or "r" in (field[2] + (field[4] or "")):
        raise NotModelled(f"sort -k {flags['k']}")
    numeric = "n" in flags or "n" in field[2] + (field[4] or "")
    folds = "f" in flags or "f" in field[2]

    def key(line: str) -> tuple[float, str]:
        text = line
        if "k" in flags:
            separator = flags.get("t")
            parts = line.split(separator) if separator else re.findall(r"\s*\S+", line)
            last = int(field[3]) if field[3] else len(parts)
            text = (separator or "").join(parts[int(field[1]) - 1 : last])
        if "b" in flags:
            text = text.lstrip()
        if folds:
            text = text.upper()
        if numeric:
            match = re.match(r"\s*(-?\d*\.?\d*)", text)
            try:
                return float(match[1]) if match else 0.0, ""
            except ValueError:
                return 0.0, ""
        return 0.0, text

    return key


def uniq(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "cdui", not_modelled="fswz")
    try:
        text = yield from contents(process, given.words[0] if given.words else "-")
    except OSError as problem:
        yield from process.say(f"uniq: can't open '{given.words[0]}': {problem.strerror}\n")
        return 1
    groups: list[tuple[str, int]] = []
    for line in lines_of(text):
        same = groups and (line.lower() == groups[-1][0].lower() if "i" in given else line == groups[-1][0])
        if same:
            groups[-1] = (groups[-1][0], groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    kept = [
        (line, count)
        for line, count in groups
        if not ("d" in given and count == 1) and not ("u" in given and count > 1)
    ]
    yield from write(process, "".join(f"{count:7d} {line}\n" if "c" in given else f"{line}\n" for line, count in kept))
    return 0


def cut(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "b:c:f:d:sn", not_modelled="ODF")
    kinds = [letter for letter in "bcf" if letter in given]
    if not kinds:
        raise Usage("cut: expected a list of bytes, characters, or fields")
    ranges = _ranges(given.flags[kinds[0]])
    separator = octets(given.flags.get("d", "\t"))

    def use(path: str, text: str) -> Activity[None]:
        output = []
        for line in lines_of(text):
            if kinds[0] != "f":
                output.append("".join(char for n, char in enumerate(line, 1) if _among(ranges, n)))
            elif separator not in line:
                if "s" not in given:
                    output.append(line)
            else:
                parts = line.split(separator)
                output.append(separator.join(part for n, part in enumerate(parts, 1) if _among(ranges, n)))
        yield from write(process, "".join(f"{line}\n" for line in output))

    return (yield from inputs(process, "cut", given.words, use))


def _ranges(text: str) -> list[tuple[int, float]]:
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if match is None or not (match[1] or match[3]) or match[1] == "0":
            raise Usage(f"cut: invalid range '{part}'" if part else "cut: missing list")
        start = int(match[1] or 1)
        found.append((start, float(match[3]) if match[3] else float("inf") if match[2] else start))
    return found


def _among(ranges: list[tuple[int, float]], number: int) -> bool:
    return any(start <= number <= end for start, end in ranges)


def tr(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "cCds", mixed=False)
    if not given.words or (len(given.words) < 2 and "d" not in given and "s" not in given):
        raise Usage
    first = _characters(octets(given.words[0]))
    second = _characters(octets(given.words[1])) if len(given.words) > 1 else []
    if "c" in given or "C" in given:
        first = [chr(code) for code in range(256) if chr(code) not in first]
    table: dict[str, str] = {}
    if second and "d" not in given:
        for n, char in enumerate(first):
            table[char] = second[min(n, len(second) - 1)]
    deleted = frozenset(first) if "d" in given else frozenset()
    squeezed = frozenset((second or first) if "s" in given else ())
    last = ""
    while piece := (yield from process.read()):
        output = []
        for char in piece.decode("latin-1"):
            if char in deleted:
                continue
            char = table.get(char, char)
            if char == last and char in squeezed:
                continue
            output.append(char)
            last = char
        yield from write(process, "".join(output))
        yield from process.system.step()
    return 0


def _characters(text: str) -> list[str]:
    """
    >>> "".join(_characters("a-c[:digit:]\\\\n"))
    'abc0123456789\\n'
    """
    found: list[str] = []
    at = 0
    while at < len(text):
        named = re.match(r"\[:(\w+):\]", text[at:])
        if named is not None and named[1] in CLASSES:
            pattern = re.compile(f"[{CLASSES[named[1]]}]")
            found += [chr(code) for code in range(128) if pattern.match(chr(code))]
            at += named.end()
            continue
        char = text[at]
        at += 1
        if char == "\\" and at < len(text):
            octal = re.match(r"[0-7]{1,3}", text[at:])
            if octal is not None:
                char = chr(int(octal[0], 8) & 255)
                at += octal.end()
            else:
                char = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}.get(text[at], text[at])
                at += 1
        if text[at : at + 1] == "-" and at + 1 < len(text):
            found += [chr(code) for code in range(ord(char), ord(text[at + 1]) + 1)]
            at += 2
        else:
            found.append(char)
    return found


def seq(process: Process, words: list[str]) -> Activity[int]:
    rest, separator, wide = words[1:], "\n", False
    while rest and rest[0] in ("-w", "-s"):
        if rest.pop(0) == "-w":
            wide = True
        elif rest:
            separator = rest.pop(0)
    if not 1 <= len(rest) <= 3 or not all(re.fullmatch(r"-?\d+(\.\d+)?", word) for word in rest):
        raise Usage
    if any("." in word for word in rest):
        raise NotModelled("seq with fractions")
    numbers = [int(word) for word in rest]
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) > 2 else 1
    last = numbers[-1]
    if step == 0:
        raise NotModelled("seq without end")
    values = range(first, last + (1 if step > 0 else -1), step)
    width = max(len(str(first)), len(str(last))) if wide else 0
    for start in range(0, len(values), 5000):
        text = separator.join(f"{value:0{width}d}" if wide else str(value) for value in values[start : start + 5000])
        yield from process.write(text + ("\n" if start + 5000 >= len(values) else separator))
        yield from process.system.step()
    return 0


def tee(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "ai")
    streams, status = [], 0
    for path in given.words:
        try:
            streams.append(process.open(path, ">>" if "a" in given else ">"))
        except OSError as problem:
            yield from complain(process, "tee", path, problem)
            status = 1
    while piece := (yield from process.read()):
        for stream in streams:
            yield from stream.write(piece)
        yield from process.write(piece)
    return status


def grep(process: Process, words: list[str]) -> Activity[int]:
    """0 if something matched, 1 if nothing, 2 at an error."""
    program = words[0].rpartition("/")[2]
    given = options(words, "ivcnlLqsoxwhHEFe:m:rR", not_modelled="fABCz")
    rest = list(given.words)
    if "e" not in given and not rest:
        raise Usage
    text = octets("\n".join(given.all("e")) if "e" in given else rest.pop(0))
    extended = "E" in given or program == "egrep"
    fixed = "F" in given or program == "fgrep"
    parts = [re.escape(part) if fixed else part for part in text.split("\n")]
    expressions = [
        regex.compiled(_whole(part, given.flags, fixed or extended), extended=True, ignore_case="i" in given)
        if fixed or extended
        else regex.compiled(_whole(part, given.flags, False), ignore_case="i" in given)
        for part in parts
    ]
    paths = rest
    if "r" in given or "R" in given:
        paths = _below(process, rest or ["."])
    names = ("H" in given or len(paths) > 1 or "r" in given or "R" in given) and "h" not in given
    most = int(given.flags["m"]) if "m" in given else -1
    matched, failed = False, False
    for path in paths or ["-"]:
        try:
            lines = lines_of((yield from contents(process, path)))
        except OSError as problem:
            failed = True
            if "s" not in given:
                yield from complain(process, program, path, problem)
            continue
        yield from process.system.step()
        count, output = 0, []
        shown = "(standard input)" if path == "-" else octets(path)
        prefix = f"{shown}:" if names else ""
        for n, line in enumerate(lines, 1):
            if count == most:
                break
            hits = [match for each in expressions for match in each.finditer(line)]
            if bool(hits) == ("v" in given):
                continue
            count += 1
            number = f"{n}:" if "n" in given else ""
            if "o" in given:
                output += [f"{prefix}{number}{match[0]}\n" for match in hits if match[0]]
            else:
                output.append(f"{prefix}{number}{line}\n")
        matched = matched or bool(count)
        if "q" in given:
            if matched:
                return 0
        elif "l" in given or "L" in given:
            if bool(count) == ("l" in given):
                yield from write(process, f"{shown}\n")
        elif "c" in given:
            yield from write(process, f"{prefix}{count}\n")
        else:
            yield from write(process, "".join(output))
    return 2 if failed else int(not matched)


def _whole(text: str, flags: dict[str, str], extended: bool) -> str:
    """The expression of ``-x`` or ``-w``."""
    opening, closing = ("(", ")") if extended else (r"\(", r"\)")
    if "x" in flags:
        return f"^{opening}{text}{closing}$"
    return rf"\b{opening}{text}{closing}\b" if "w" in flags else text


def _below(process: Process, paths: list[str]) -> list[str]:
    found: list[str] = []
    for path in paths:
        try:
            inode = process.system.files.stat(process.path(path), process.user)
            if inode.kind != "folder":
                found.append(path)
                continue
            names = process.system.files.names(process.path(path), process.user)
        except OSError:
            found.append(path)
            continue
        found += _below(process, [f"{path.rstrip('/')}/{name}" for name in names])
    return found


def yes(process: Process, words: list[str]) -> Activity[int]:
    line = " ".join(words[1:]) or "y"
    block = f"{line}\n" * max(1, 4096 // (len(line) + 1))
    while True:
        yield from process.write(block)
        yield from process.system.step()


def basename(process: Process, words: list[str]) -> Activity[int]:
    if not 2 <= len(words) <= 3:
        raise Usage
    name = words[1].rstrip("/").rpartition("/")[2] or ("/" if words[1].startswith("/") else "")
    if len(words) == 3 and name != words[2]:
        name = name.removesuffix(words[2])
    yield from process.write(f"{name}\n")
    return 0


def dirname(process: Process, words: list[str]) -> Activity[int]:
    if len(words) != 2:
        raise Usage
    stripped = words[1].rstrip("/")
    above = stripped.rpartition("/")[0].rstrip("/")
    rooted = words[1].startswith("/")
    yield from process.write((above or ("/" if rooted else ".")) + "\n")
    return 0


def xargs(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "n:r0tI:", not_modelled="pPsLxE", mixed=False)
    text = (yield from process.read_all()).decode(errors="surrogateescape")
    if "0" in given:
        items = [part for part in text.split("\0") if part]
    elif "I" in given:
        items = [line.lstrip() for line in text.split("\n") if line.strip()]
    else:
        items = [re.sub(r"\\(.)|[\"']", lambda match: match[1] or "", part) for part in _shell_words(text)]
    command = given.words or ["echo"]
    if not items and ("r" in given or "I" in given):
        return 0
    if "I" in given:
        calls = [[word.replace(given.flags["I"], item) for word in command] for item in items]
    else:
        size = int(given.flags.get("n", len(items) or 1))
        calls = [[*command, *items[n : n + size]] for n in range(0, max(len(items), 1), size)]
    status = 0
    for call in calls:
        found = find(process, call[0])
        if found.status:
            yield from process.say(f"xargs: {call[0]}: No such file or directory\n")
            return found.status
        program, call = load(process, found, call)
        child = process.fork(lambda child, program=program, call=call: program(child, call), call[0])  # type: ignore[misc]
        child.set_stream(0, process.open("/dev/null"))
        code = yield from child.ended
        if code:
            status = 123
    return status


def _shell_words(text: str) -> list[str]:
    return re.findall(r"(?:\\.|\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'\\])+", text)


def expr(process: Process, words: list[str]) -> Activity[int]:
    """Operators by precedence: ``| & = != < > <= >= + - * / % :`` and ``length``, ``substr``, ``index``, ``match``."""
    if len(words) < 2:
        raise Complaint("expr: too few arguments")
    reader = _Expression(words[1:])
    value = reader.level(0)
    if reader.at < len(reader.words):
        raise Complaint("expr: syntax error")
    yield from process.write(f"{value}\n")
    return int(value in ("", "0"))


class _Expression:
    LEVELS = (("|",), ("&",), ("=", "==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"), (":",))

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0

    def take(self) -> str:
        if self.at >= len(self.words):
            raise Complaint("expr: syntax error")
        self.at += 1
        return self.words[self.at - 1]

    def level(self, depth: int) -> str:
        if depth == len(self.LEVELS):
            return self.operand()
        left = self.level(depth + 1)
        while self.at < len(self.words) and self.words[self.at] in self.LEVELS[depth]:
            operator = self.take()
            left = self.apply(operator, left, self.level(depth + 1))
        return left

    def operand(self) -> str:
        word = self.take()
        if word == "(":
            value = self.level(0)
            if self.take() != ")":
                raise Complaint("expr: syntax error")
            return value
        if word == "length" and self.at < len(self.words):
            return str(len(self.operand()))
        if word == "match":
            return self.apply(":", self.operand(), self.operand())
        if word == "substr":
            text, start, length = self.operand(), self.number(self.operand()), self.number(self.operand())
            return text[start - 1 : start - 1 + length] if start > 0 and length > 0 else ""
        if word == "index":
            text, chars = self.operand(), self.operand()
            return str(next((n for n, char in enumerate(text, 1) if char in chars), 0))
        return word

    @staticmethod
    def number(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text):
            raise Complaint("expr: non-numeric argument")
        return int(text)

    def apply(self, operator: str, left: str, right: str) -> str:
        if operator == "|":
            return left if left not in ("", "0") else right
        if operator == "&":
            return left if left not in ("", "0") and right not in ("", "0") else "0"
        if operator == ":":
            match = regex.compiled(octets(right)).match(octets(left))
            if match is None:
                return "" if r"\(" in right else "0"
            return (match[1] or "") if match.re.groups else str(match.end())
        if operator in self.LEVELS[2]:
            numeric = re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right)
            a, b = (int(left), int(right)) if numeric else (left, right)
            results = {"=": a == b, "==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}  # type: ignore[operator]
            return str(int(results[operator]))
        x, y = self.number(left), self.number(right)
        if operator in "/%" and y == 0:
            raise Complaint("expr: division by zero")
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1) if operator in "/%" else 0
        return str({"+": x + y, "-": x - y, "*": x * y, "/": quotient, "%": x - quotient * y}[operator])
