"""Running a template over data (text/template/exec.go).

The node that was looked at last is where a complaint says it happened; so this goes through a tree as Go does, and
remembers at the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from swarmsim.go.fmt import show
from swarmsim.go.reflect import (
    INTERFACE,
    INVALID,
    STRINGS,
    Method,
    Value,
    concrete,
    entries,
    indirect,
    is_nil,
    is_true,
    items,
    kind,
    method_of,
    plain,
    struct_field,
    type_name,
)
from swarmsim.go.strconv import quote
from swarmsim.go.template.functions import BUILTINS, Function, Functions
from swarmsim.go.template.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Constant,
    Dot,
    Field,
    Identifier,
    Jump,
    Nil,
    Node,
    Operand,
    Pipeline,
    Statement,
    Text,
    Tree,
    Variable,
)
from swarmsim.go.template.parse import TemplateError, parse

MAX_DEPTH = 100
"""Of templates that call each other; Go's is 100,000."""


class _Missing:
    """No value at all: what comes into the first command of a pipeline."""


MISSING = _Missing()


class _Jumped(Exception):
    """``break`` or ``continue``, on its way to the loop."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Template:
    """A parsed template. ``functions`` are those it may call besides Go's own, ``name`` is for complaints."""

    def __init__(self, text: str, functions: Functions, name: str = "") -> None:
        """Raises :class:`TemplateError`."""
        self._text = text
        self._root = name
        self._functions: Functions = {**BUILTINS, **functions}
        try:
            self._tree = parse(text, self._functions, name)
        except RecursionError:
            raise TemplateError("template: :1: max expression depth exceeded") from None

    def execute(self, data: Any, missing_key: str = "default") -> str:
        """Raises :class:`TemplateError`; with ``missing_key="error"`` also where a map has no such entry."""
        run = _Run(self._text, self._root, self._tree, self._functions, data, missing_key == "error")
        try:
            run.walk(data, self._tree.body)
        except TemplateError as error:
            error.written = "".join(run.out)
            raise
        return "".join(run.out)


class _Run:
    def __init__(self, text: str, root: str, tree: Tree, functions: Functions, data: Any, strict: bool) -> None:
        self.out: list[str] = []
        self._text = text
        self._root = root
        self._tree = tree
        self._functions = functions
        self._data = data
        self._strict = strict
        self._name = root
        self._depth = 0
        self._variables: list[tuple[str, Any]] = [("$", data)]
        self._node: Node = Text(0, "")

    def _error(self, message: str) -> NoReturn:
        before = self._text[: self._node.position]
        line, column = before.count("\n") + 1, len(before.encode()) - len(before[: before.rfind("\n") + 1].encode())
        where = f"template: {self._root}:{line}:{column}: executing {quote(self._name)} at <{self._node}>"
        raise TemplateError(f"{where}: {message}")

    # -- statements

    def walk(self, dot: Any, body: Iterable[Statement]) -> None:
        for statement in body:
            self._node = statement
            match statement:
                case Text():
                    self.out.append(statement.text)
                case Action():
                    value = self._pipeline(dot, statement.pipeline)
                    if not statement.pipeline.variables:
                        value = indirect(value)
                        self.out.append("<no value>" if value is INVALID or value is MISSING else show(value))
                case Branch(kind="range"):
                    self._range(dot, statement)
                case Branch():
                    self._branch(dot, statement)
                case Call():
                    self._call_template(dot, statement)
                case Jump():
                    raise _Jumped(statement.kind)

    def _branch(self, dot: Any, branch: Branch) -> None:
        declared = len(self._variables)
        value = self._pipeline(dot, branch.pipeline)
        if is_true(value):
            self.walk(value if branch.kind == "with" else dot, branch.body)
        else:
            self.walk(dot, branch.otherwise)
        del self._variables[declared:]

    def _range(self, dot: Any, branch: Branch) -> None:
        declared = len(self._variables)
        names, assigns = branch.pipeline.variables, branch.pipeline.assigns
        indexes, items = self._entries(self._pipeline(dot, branch.pipeline), len(names))
        body = len(self._variables)
        for index, item in zip(indexes, items, strict=True):
            # With two variables the index comes first.
            values = ((), (item,), (index, item))[len(names)]
            for place, (name, value) in enumerate(zip(names, values, strict=True), declared):
                if assigns:
                    self._assign(name, value)
                else:
                    self._variables[place] = (name, value)
            try:
                self.walk(item, branch.body)
            except _Jumped as jump:
                if jump.kind == "break":
                    break
            finally:
                del self._variables[body:]
        if not items:
            self.walk(dot, branch.otherwise)
        del self._variables[declared:]

    def _entries(self, value: Any, variables: int) -> tuple[Sequence[Any], Sequence[Any]]:
        """What ``range`` goes over: indexes or keys, and what stands there."""
        value = indirect(value)
        match kind(value):
            case "slice":
                elements = items(value)
                return range(len(elements)), elements
            case "map":
                found = entries(value)
                return list(found), list(found.values())
            case "invalid":
                return (), ()
            case "int" | "uint":
                if variables > 1:
                    self._error(f"can't use {plain(value)} to iterate over more than one variable")
                return range(plain(value)), range(plain(value))
            case _:
                self._error(f"range can't iterate over {show(value)}")

    def _call_template(self, dot: Any, call: Call) -> None:
        body = self._tree.defined.get(call.name)
        if body is None:
            self._error(f'template "{call.name}" not defined')
        if self._depth == MAX_DEPTH:
            self._error(f"exceeded maximum template depth ({MAX_DEPTH})")
        value = self._pipeline(dot, call.pipeline) if call.pipeline else None
        outer = self._variables, self._name
        self._variables, self._name, self._depth = [("$", value)], call.name, self._depth + 1
        self.walk(value, body)
        (self._variables, self._name), self._depth = outer, self._depth - 1

    # -- variables

    def _assign(self, name: str, value: Any) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return
        self._error(f"undefined variable: {name}")

    def _variable(self, name: str) -> Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        self._error(f"undefined variable: {name}")

    # -- pipelines and commands

    def _pipeline(self, dot: Any, pipeline: Pipeline) -> Any:
        self._node = pipeline
        value: Any = MISSING
        for command in pipeline.commands:
            value = concrete(self._command(dot, command, value))
            value = INVALID if value is None else value
        for name in pipeline.variables:
            if pipeline.assigns:
                self._assign(name, value)
            else:
                self._variables.append((name, value))
        return value

    def _command(self, dot: Any, command: Command, final: Any) -> Any:
        """``final`` is the value of the command before, its last argument."""
        first, *arguments = command.words
        match first:
            case Field() | Chain() | Variable():
                return self._chain(dot, first, arguments, final)
            case Identifier():
                return self._function(dot, first, command, arguments, final)
            case Pipeline():
                self._no_function(command, final)
                return self._pipeline(dot, first)
        self._node = first
        self._no_function(command, final)
        match first:
            case Dot():
                return dot
            case Constant():
                return first.value
        self._error("nil is not a command")

    def _no_function(self, command: Command, final: Any) -> None:
        if len(command.words) > 1 or final is not MISSING:
            self._error(f"can't give argument to non-function {command.words[0]}")

    def _chain(self, dot: Any, node: Field | Chain | Variable, arguments: list[Operand], final: Any) -> Any:
        """``.A.B``, ``$x.A``, ``(pipeline).A``: one field after the other; only a method would take arguments."""
        self._node = node
        value = dot
        if isinstance(node, Variable):
            value = self._variable(node.name)
            if not node.names and (arguments or final is not MISSING):
                self._error(f"can't give argument to non-function {node}")
        elif isinstance(node, Chain):
            value = self._argument(dot, "any", node.node)
        for number, name in enumerate(node.names, 1):
            last = number == len(node.names)
            value = self._field(dot, value, name, arguments if last else [], final if last else MISSING)
        return value

    def _field(self, dot: Any, receiver: Any, name: str, arguments: list[Operand], final: Any) -> Any:
        """``receiver.name``: a method, a field, or what a map has under that key (evalField)."""
        if receiver is INVALID:
            return INVALID
        nil_interface = receiver is None or (isinstance(receiver, Value) and receiver == (INTERFACE, None))
        if nil_interface:
            self._error(f"nil pointer evaluating interface {{}}.{name}")
        type = receiver.type.name if isinstance(receiver, Value) else type_name(receiver)
        value = indirect(receiver)
        method = method_of(value, name)
        if method is not None:
            return self._method(dot, value, name, method, arguments, final)
        called = bool(arguments) or final is not MISSING
        match kind(value):
            case "struct":
                found = value.type.find(name)
                if found is not None:
                    if called:
                        self._error(f"{name} has arguments but cannot be invoked as function")
                    return _reached(value, name)
            case "map":
                if called:
                    self._error(f"{name} is not a method but has arguments")
                there = entries(value)
                if name not in there and self._strict:
                    self._error(f'map has no entry for key "{name}"')
                return there.get(name, INVALID)
            case "pointer":
                elem = value.type.elem
                if elem.kind != "struct" or elem.find(name) is not None:
                    self._error(f"nil pointer evaluating {type}.{name}")
        self._error(f"can't evaluate field {name} in type {type}")

    def _method(self, dot: Any, value: Any, name: str, method: Method, arguments: list[Operand], final: Any) -> Any:
        given = len(arguments) + (final is not MISSING)
        if given != len(method.takes):
            self._error(f"wrong number of args for {name}: want {len(method.takes)} got {given}")
        node = self._node
        values = [self._argument(dot, wanted, each) for wanted, each in zip(method.takes, arguments, strict=False)]
        if final is not MISSING:
            values.append(self._fits(final, method.takes[-1]))
        if is_nil(value):
            self._node = node
            owner = value.type.elem.name
            pointer = owner.rpartition(".")[2]
            self._error(f"error calling {name}: value method {owner}.{name} called using nil *{pointer} pointer")
        return method.call(value.data, *values)

    # -- functions and their arguments

    def _function(self, dot: Any, node: Identifier, command: Node, arguments: list[Operand], final: Any) -> Any:
        self._node = node
        name = node.name
        function = self._functions[name]
        given = len(arguments) + (final is not MISSING)
        fixed = len(function.takes) - function.variadic
        if given < fixed or (given > fixed and not function.variadic):
            count = len(arguments) if function.variadic else given
            least = "at least " if function.variadic else ""
            self._error(f"wrong number of args for {name}: want {least}{fixed} got {count}")
        if name in ("and", "or") and function is BUILTINS[name]:
            for argument in arguments:
                value = self._argument(dot, "any", argument)
                if is_true(value) == (name == "or"):
                    return value
            return value if final is MISSING else final
        values = [
            self._argument(dot, function.takes[min(number, len(function.takes) - 1)], argument)
            for number, argument in enumerate(arguments)
        ]
        if final is not MISSING:
            values.append(self._fits(final, function.takes[min(given, len(function.takes)) - 1]))
        return self._called(name, function, command, arguments, values)

    def _called(self, name: str, function: Function, command: Node, arguments: list[Operand], values: list[Any]) -> Any:
        try:
            return function.call(*values)
        except ValueError as problem:
            self._node = command
            message = str(problem)
            if name == "call" and arguments:
                message = message.replace("{}", str(arguments[0]), 1)
            self._error(f"error calling {name}: {message}")

    def _argument(self, dot: Any, wanted: str, node: Operand) -> Any:
        self._node = node
        match node:
            case Dot():
                return self._fits(dot, wanted)
            case Nil():
                if wanted not in ("any", "[]string"):
                    self._error(f"cannot assign nil to {wanted}")
                return [] if wanted == "[]string" else None
            case Field() | Chain() | Variable():
                return self._fits(self._chain(dot, node, [], MISSING), wanted)
            case Pipeline():
                return self._fits(self._pipeline(dot, node), wanted)
            case Identifier():
                return self._fits(self._function(dot, node, node, [], MISSING), wanted)
            case Constant():
                return self._constant(node, wanted)

    def _constant(self, node: Constant, wanted: str) -> Any:
        value = node.value
        if wanted == "any" or kind(value) == wanted:
            return value
        if wanted == "int" and isinstance(value, float) and value.is_integer():
            return int(value)
        if wanted == "[]string":
            self._error(f"can't handle {node} for arg of type []string")
        self._error(f"expected {'integer' if wanted == 'int' else wanted}; found {node}")

    def _fits(self, value: Any, wanted: str) -> Any:
        """A value as an argument of a type: followed if it is a pointer to one (validateType)."""
        value = concrete(value)
        if value is INVALID:
            if wanted not in ("any", "[]string"):
                self._error(f"invalid value; expected {wanted}")
            value = None
        elif value is None and wanted != "any":
            self._error(f"wrong type for value; expected {wanted}; got interface {{}}")
        if value is None:
            return [] if wanted == "[]string" else None
        if wanted == "any":
            return value
        if kind(value) == "pointer" and value.type.elem.name == wanted:
            if is_nil(value):
                self._error(f"dereference of nil pointer of type {wanted}")
            value = indirect(value)
        if wanted == "[]string":
            if isinstance(value, Value) and value.type.kind == "slice" and value.type.elem is STRINGS.elem:
                return list(value.data or ())
            if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
                return value
        if type_name(value) != wanted:
            self._error(f"wrong type for value; expected {wanted}; got {type_name(value)}")
        return plain(value)


def _reached(value: Value, name: str) -> Any:
    """A field of a struct, through embedded ones."""
    for each in value.type.fields:
        if each.name == name:
            return struct_field(value, each)
    inner = next(each for each in value.type.fields if each.embedded and each.type.find(name))
    return _reached(struct_field(value, inner), name)
