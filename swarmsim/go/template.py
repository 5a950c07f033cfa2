"""Go templates, as far as ``--format`` uses them (text/template with docker's functions).

Data are JSON-like values; a field that is not there is an error in Go's words. Actions: fields, pipes,
``if``/``else``/``end``, ``range``, ``with``, and the functions of docker/cli templates/templates.go.
"""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class TemplateError(ValueError):
    """The template cannot be read or run; the message is Go's."""


class _Action(NamedTuple):
    kind: str  # "text", "value", "if", "range", "with"
    source: str
    column: int
    body: tuple[Any, ...] = ()
    otherwise: tuple[Any, ...] = ()


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\(|\)|\||[^\s()|]+')


def to_json(value: Any) -> str:
    """Go's compact JSON, HTML characters escaped as encoding/json does unless told otherwise."""
    return jsonlib.dumps(value, separators=(",", ":"), ensure_ascii=False)


def show(value: Any) -> str:
    """How Go prints a value (fmt %v).

    >>> show({"b": 1, "a": ["x", True]})
    'map[a:[x true] b:1]'
    """
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{k}:{show(v)}" for k, v in sorted(value.items())) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(show(item) for item in value) + "]"
    return str(value)


class Template:
    """A parsed template. ``type_name`` is what errors call the data's type."""

    def __init__(self, source: str, type_name: str = "") -> None:
        self.type_name = type_name
        self._tokens = self._split(source)
        self._position = 0
        self._actions = self._parse(top=True)

    def execute(self, data: Any) -> str:
        """Raises :class:`TemplateError`."""
        return "".join(self._run(self._actions, data))

    # -- parsing

    def _split(self, source: str) -> list[tuple[str, str, int]]:
        tokens: list[tuple[str, str, int]] = []
        position = 0
        trim_next = False
        while True:
            start = source.find("{{", position)
            text = source[position:] if start < 0 else source[position:start]
            if trim_next:
                text = text.lstrip()
            if start >= 0 and source.startswith("{{- ", start):
                text = text.rstrip()
            if text:
                tokens.append(("text", text, position))
            if start < 0:
                return tokens
            end = source.find("}}", start)
            if end < 0:
                raise TemplateError("template: :1: unclosed action")
            inner = source[start + 2 : end]
            trim_next = inner.endswith(" -")
            inner = inner.removesuffix(" -").removeprefix("- ")
            if not inner.startswith("/*"):
                if not inner.strip():
                    raise TemplateError("template: :1: missing value for command")
                tokens.append(("action", inner.strip(), start + 2))
            position = end + 2

    def _parse(self, top: bool = False) -> tuple[_Action, ...]:
        actions: list[_Action] = []
        while self._position < len(self._tokens):
            kind, text, column = self._tokens[self._position]
            if kind == "text":
                self._position += 1
                actions.append(_Action("text", text, column))
                continue
            word = text.split(maxsplit=1)[0]
            if word in ("end", "else"):
                if top:
                    raise TemplateError(f"template: :1: unexpected {{{{{word}}}}}")
                return tuple(actions)
            self._position += 1
            if word in ("if", "range", "with"):
                actions.append(self._parse_block(word, text[len(word) :].strip(), column))
            else:
                actions.append(_Action("value", text, column))
        if not top:
            raise TemplateError("template: :1: unexpected EOF")
        return tuple(actions)

    def _parse_block(self, kind: str, source: str, column: int) -> _Action:
        body = self._parse()
        otherwise: tuple[_Action, ...] = ()
        if self._tokens[self._position][1].split(maxsplit=1)[0] == "else":
            rest = self._tokens[self._position][1][4:].strip()
            self._position += 1
            if rest.startswith("if "):
                otherwise = (self._parse_block("if", rest[3:], column),)
                return _Action(kind, source, column, body, otherwise)
            otherwise = self._parse()
        self._position += 1
        return _Action(kind, source, column, body, otherwise)

    # -- running

    def _run(self, actions: tuple[_Action, ...], data: Any) -> list[str]:
        out: list[str] = []
        for action in actions:
            if action.kind == "text":
                out.append(action.source)
                continue
            value = self._pipeline(action, data)
            if action.kind == "value":
                out.append("<no value>" if value is None else show(value))
            elif action.kind == "if":
                out += self._run(action.body if value else action.otherwise, data)
            elif action.kind == "with":
                out += self._run(action.body, value) if value else self._run(action.otherwise, data)
            else:
                items = list(value.values()) if isinstance(value, Mapping) else list(value or ())
                for item in items:
                    out += self._run(action.body, item)
                if not items:
                    out += self._run(action.otherwise, data)
        return out

    def _pipeline(self, action: _Action, data: Any) -> Any:
        words = _TOKEN.findall(action.source)
        value, position = self._evaluate(words, 0, action, data)
        if position < len(words):
            raise TemplateError(f'template: :1: unexpected "{words[position]}" in operand')
        return value

    def _evaluate(self, words: list[str], position: int, action: _Action, data: Any) -> tuple[Any, int]:
        piped: list[Any] = []
        while True:
            values: list[Any] = []
            function: Callable[..., Any] | None = None
            while position < len(words) and words[position] not in ("|", ")"):
                word = words[position]
                if word == "(":
                    value, position = self._evaluate(words, position + 1, action, data)
                    position += 1
                    values.append(value)
                    continue
                position += 1
                if not values and function is None and word in FUNCTIONS:
                    function = FUNCTIONS[word]
                else:
                    values.append(self._operand(word, action, data))
            values += piped
            if function is not None:
                try:
                    result = function(*values)
                except (TypeError, ValueError, IndexError, KeyError) as problem:
                    raise TemplateError(
                        f'template: :1:{action.column}: executing "" at <{action.source}>: {problem}'
                    ) from None
            elif len(values) == 1:
                result = values[0]
            else:
                raise TemplateError(f'template: :1: unexpected operand in "{action.source}"')
            if position < len(words) and words[position] == "|":
                piped, position = [result], position + 1
                continue
            return result, position

    def _operand(self, word: str, action: _Action, data: Any) -> Any:
        if word.startswith('"'):
            return jsonlib.loads(word)
        if word.startswith("`"):
            return word[1:-1]
        if word in ("true", "false"):
            return word == "true"
        if word == "nil":
            return None
        if re.fullmatch(r"-?\d+", word):
            return int(word)
        if re.fullmatch(r"-?\d+\.\d*", word):
            return float(word)
        if word == ".":
            return data
        if word.startswith("."):
            return self._field(word, action, data)
        raise TemplateError(f'template: :1: function "{word}" not defined')

    def _field(self, path: str, action: _Action, data: Any) -> Any:
        value = data
        for name in path[1:].split("."):
            if isinstance(value, Mapping) and name in value:
                value = value[name]
                continue
            where = f'template: :1:{action.column}: executing "" at <{path}>'
            if value is None:
                raise TemplateError(f"{where}: nil pointer evaluating interface {{}}.{name}")
            raise TemplateError(f"{where}: can't evaluate field {name} in type {self.type_name}")
        return value


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif not isinstance(key, int) or not 0 <= key < len(value):
            raise IndexError(f"error calling index: index out of range: {show(key)}")
        else:
            value = value[key]
    return value


def _printf(form: str, *values: Any) -> str:
    return re.sub(r"%[+\-0-9.]*[vsdqtx]", lambda m: next(shown), form) if (shown := iter(map(show, values))) else form


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": to_json,
    "upper": lambda text: show(text).upper(),
    "lower": lambda text: show(text).lower(),
    "title": lambda text: show(text)[:1].upper() + show(text)[1:],
    "join": lambda items, separator: separator.join(show(item) for item in items or ()),
    "split": lambda text, separator: text.split(separator),
    "len": len,
    "index": _index,
    "println": lambda *values: " ".join(map(show, values)) + "\n",
    "print": lambda *values: "".join(map(show, values)),
    "printf": _printf,
    "pad": lambda text, before, after: " " * before + show(text) + " " * after if text else text,
    "truncate": lambda text, length: show(text)[:length],
    "eq": lambda a, *b: any(a == other for other in b),
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "not": lambda value: not value,
    "and": lambda *values: next((v for v in values if not v), values[-1]),
    "or": lambda *values: next((v for v in values if v), values[-1]),
}
