"""What a template is made of (text/template/parse/node.go). ``str()`` of a node is how complaints show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union


@dataclass(frozen=True, slots=True)
class Node:
    """``position`` is where in the text it begins."""

    position: int


@dataclass(frozen=True, slots=True)
class Text(Node):
    text: str


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A number, a string, a boolean: its value, and as it was written."""

    value: float | str | bool
    written: str

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class Dot(Node):
    def __str__(self) -> str:
        return "."


@dataclass(frozen=True, slots=True)
class Nil(Node):
    def __str__(self) -> str:
        return "nil"


@dataclass(frozen=True, slots=True)
class Field(Node):
    """``.Spec.Name``. It begins at its second name, if it has one."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``$x.Name``; the name with its ``$``."""

    name: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name + "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """The name of a function."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """``(pipeline).Name``, ``function.Name``."""

    node: Operand
    names: tuple[str, ...]

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipeline) else str(self.node)
        return inner + "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Command(Node):
    words: tuple[Operand, ...]

    def __str__(self) -> str:
        return " ".join(f"({word})" if isinstance(word, Pipeline) else str(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """``$x := command | command``; with ``assigns`` it is ``=``."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    assigns: bool = False

    def __str__(self) -> str:
        declared = ", ".join(self.variables) + (" = " if self.assigns else " := ") if self.variables else ""
        return declared + " | ".join(map(str, self.commands))


@dataclass(frozen=True, slots=True)
class Action(Node):
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """``if``, ``with`` or ``range``."""

    kind: str
    pipeline: Pipeline
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Jump(Node):
    """``break`` or ``continue``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``{{template "name" pipeline}}``."""

    name: str
    written: str
    pipeline: Pipeline | None

    def __str__(self) -> str:
        return f"{{{{template {self.written}{f' {self.pipeline}' if self.pipeline else ''}}}}}"


Operand = Union[Constant, Dot, Nil, Field, Variable, Identifier, Chain, Pipeline]  # noqa: UP007
Statement = Union[Text, Action, Branch, Jump, Call]  # noqa: UP007


@dataclass(slots=True)
class Tree:
    """A parsed text: its statements, and the templates it defines."""

    body: tuple[Statement, ...] = ()
    defined: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
