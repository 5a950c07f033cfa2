"""What a script is made of, as POSIX names it (XCU 2.3 to 2.10).

A word is a tuple of parts. ``quoted`` says that a part stood in quotes: then it is neither split into fields nor taken for a pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$x``, ``${x:-word}``. ``operator`` is ``""``, ``#x`` (the length), one of ``- = ? +`` (``:`` before it if empty counts as unset),
    ``# ## % %%``, ``/ //`` (then ``argument`` is pattern and ``second`` replacement) or ``:`` (a part from ``argument``, ``second`` characters)."""

    name: str
    operator: str = ""
    argument: Word = ()
    second: Word | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class CommandSubstitution:
    body: Script
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    expression: Word
    quoted: bool = False


Part: TypeAlias = "Text | Parameter | CommandSubstitution | Arithmetic"
Word: TypeAlias = tuple[Part, ...]


class Document:
    """A here-document: its text stands behind the line that asks for it, so it is filled in later."""

    def __init__(self, end: str, *, strip: bool, literal: bool) -> None:
        self.end = end
        self.strip = strip
        self.literal = literal
        self.text: Word = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """``operator`` is one of ``< > >| >> <> <& >&``, or ``<<`` with a document."""

    fd: int
    operator: str
    target: Word | Document


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    value: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A command and its words; ``line`` counts from 1."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    """``rest`` are pairs of ``&&`` or ``||`` and what follows it."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One of a list's; ``background``: ``&`` stood behind it."""

    command: AndOr
    background: bool


Script: TypeAlias = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Group:
    body: Script


@dataclass(frozen=True, slots=True)
class Subshell:
    body: Script


@dataclass(frozen=True, slots=True)
class If:
    """``branches`` are conditions and what is done under them."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script


@dataclass(frozen=True, slots=True)
class While:
    condition: Script
    body: Script
    until: bool = False


@dataclass(frozen=True, slots=True)
class For:
    """Without ``words``: over the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


@dataclass(frozen=True, slots=True)
class Case:
    """``items`` are patterns and what is done at the first that matches."""

    word: Word
    items: tuple[tuple[tuple[Word, ...], Script], ...]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: Command


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections."""

    command: Command
    redirects: tuple[Redirect, ...]


Command: TypeAlias = "Simple | Group | Subshell | If | While | For | Case | Function | Redirected"
