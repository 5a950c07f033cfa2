"""From a template's words to its tree (text/template/parse/parse.go).

A recursive descent with up to three words looked ahead: ``$x foo`` is an argument, ``$x := foo`` a declaration.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NoReturn

from swarmsim.go.strconv import parse_float, parse_int, quote, unquote
from swarmsim.go.template.lex import Item, Lexer
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
    Operand,
    Pipeline,
    Statement,
    Text,
    Tree,
    Variable,
)

OPERANDS = frozenset(("bool", "char", "field", "identifier", "number", "raw string", "string", "variable", "("))


class TemplateError(ValueError):
    """The template cannot be read or run; the message is Go's.

    ``written`` is what came out before it happened.
    """

    written = ""


def parse(text: str, functions: Container[str], name: str = "") -> Tree:
    """Raises :class:`TemplateError`. ``functions`` are the names it may call."""
    return _Parser(text, functions, name).parse()


class _Parser:
    def __init__(self, text: str, functions: Container[str], name: str) -> None:
        self._name = name
        self._items = Lexer(text).items()
        self._functions = functions
        self._ahead: list[Item] = []
        self._last = Item("eof", "", 0, 1)
        self._variables = ["$"]
        self._loops = 0
        self._action_line = 0
        self._tree = Tree()

    # -- words

    def _next(self) -> Item:
        if self._ahead:
            return self._ahead.pop()
        self._last = next(self._items, self._last)
        return self._last

    def _peek(self) -> Item:
        item = self._next()
        self._ahead.append(item)
        return item

    def _back(self, *items: Item) -> None:
        """Put words back, to be read again in the order given."""
        self._ahead += reversed(items)

    def _next_word(self) -> Item:
        while (item := self._next()).kind == "space":
            pass
        return item

    def _peek_word(self) -> Item:
        item = self._next_word()
        self._ahead.append(item)
        return item

    def _keyword(self, item: Item, word: str) -> bool:
        return item.kind == "keyword" and item.text == word

    # -- complaints

    def _error(self, message: str) -> NoReturn:
        raise TemplateError(f"template: {self._name}:{self._last.line}: {message}")

    def _unexpected(self, item: Item, context: str) -> NoReturn:
        if item.kind != "error":
            self._error(f"unexpected {item} in {context}")
        more = ""
        if self._action_line not in (0, item.line):
            started = f"action started at :{self._action_line}"
            more = f" started at :{self._action_line}" if item.text.endswith(" action") else f" in {started}"
        self._error(f"{item}{more}")

    def _expect(self, kinds: tuple[str, ...], context: str) -> Item:
        item = self._next_word()
        if item.kind not in kinds:
            self._unexpected(item, context)
        return item

    # -- statements

    def parse(self) -> Tree:
        body: list[Statement] = []
        while self._peek().kind != "eof":
            if self._peek().kind == "left":
                left = self._next()
                word = self._next_word()
                if self._keyword(word, "define"):
                    self._definition()
                    continue
                self._back(left, word)
            statement = self._statement()
            if isinstance(statement, str):
                self._error(f"unexpected {{{{{statement}}}}}")
            body.append(statement)
        self._tree.body = tuple(body)
        return self._tree

    def _definition(self) -> None:
        name = self._unquoted(self._expect(("string", "raw string"), "define clause"))
        self._expect(("right",), "define clause")
        variables, self._variables, loops, self._loops = self._variables, ["$"], self._loops, 0
        self._tree.defined[name] = self._until_end("define clause")
        self._variables, self._loops = variables, loops

    def _until_end(self, context: str) -> tuple[Statement, ...]:
        body, end = self._list()
        if end != "end":
            self._error(f"unexpected {{{{{end}}}}} in {context}")
        return body

    def _list(self) -> tuple[tuple[Statement, ...], str]:
        """Statements up to ``end`` or ``else``, and which it was."""
        body: list[Statement] = []
        while self._peek_word().kind != "eof":
            statement = self._statement()
            if isinstance(statement, str):
                return tuple(body), statement
            body.append(statement)
        self._error("unexpected EOF")

    def _statement(self) -> Statement | str:
        """A statement, or ``"end"`` or ``"else"``."""
        item = self._next_word()
        if item.kind == "text":
            return Text(item.position, item.text)
        if item.kind != "left":
            self._unexpected(item, "input")
        self._action_line = item.line
        try:
            return self._action()
        finally:
            self._action_line = 0

    def _action(self) -> Statement | str:
        item = self._next_word()
        if item.kind == "keyword":
            match item.text:
                case "if" | "with" | "range":
                    return self._branch(item)
                case "break" | "continue":
                    return self._jump(item)
                case "else":
                    following = self._peek_word()
                    if not (self._keyword(following, "if") or self._keyword(following, "with")):
                        self._expect(("right",), "else")
                    return "else"
                case "end":
                    self._expect(("right",), "end")
                    return "end"
                case "template":
                    return self._call(item)
                case "block":
                    return self._block()
        self._back(item)
        return Action(item.position, self._pipeline("command", "right"))

    def _branch(self, word: Item) -> Branch:
        kind, declared = word.text, len(self._variables)
        pipeline = self._pipeline(kind, "right")
        self._loops += kind == "range"
        body, end = self._list()
        self._loops -= kind == "range"
        otherwise: tuple[Statement, ...] = ()
        if end == "else":
            following = self._peek()
            if kind in ("if", "with") and self._keyword(following, kind):
                otherwise = (self._branch(self._next()),)
            else:
                otherwise, end = self._list()
                if end != "end":
                    self._error(f"expected end; found {{{{{end}}}}}")
        del self._variables[declared:]
        return Branch(pipeline.position, kind, pipeline, body, otherwise)

    def _jump(self, word: Item) -> Jump:
        item = self._next_word()
        if item.kind != "right":
            self._unexpected(item, f"{{{{{word.text}}}}}")
        if not self._loops:
            self._error(f"{{{{{word.text}}}}} outside {{{{range}}}}")
        return Jump(word.position, word.text)

    def _call(self, word: Item) -> Call:
        name = self._next_word()
        if name.kind not in ("string", "raw string"):
            self._unexpected(name, "template clause")
        pipeline = None
        item = self._next_word()
        if item.kind != "right":
            self._back(item)
            pipeline = self._pipeline("template clause", "right")
        return Call(name.position, self._unquoted(name), quote(self._unquoted(name)), pipeline)

    def _block(self) -> Call:
        item = self._next_word()
        if item.kind not in ("string", "raw string"):
            self._unexpected(item, "block clause")
        name = self._unquoted(item)
        pipeline = self._pipeline("block clause", "right")
        variables, self._variables, loops, self._loops = self._variables, ["$"], self._loops, 0
        self._tree.defined[name] = self._until_end("block clause")
        self._variables, self._loops = variables, loops
        return Call(item.position, name, quote(name), pipeline)

    # -- pipelines

    def _pipeline(self, context: str, end: str) -> Pipeline:
        position = self._peek_word().position
        variables, assigns = self._declared(context)
        commands: list[Command] = []
        while True:
            item = self._next_word()
            if item.kind == end:
                break
            if item.kind not in OPERANDS and not (item.kind == "keyword" and item.text in (".", "nil")):
                self._unexpected(item, context)
            self._back(item)
            commands.append(self._command())
        if not commands:
            self._error(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.words[0], Constant | Dot | Nil):
                self._error(f"non executable command in pipeline stage {stage}")
        return Pipeline(position, tuple(commands), variables, assigns)

    def _declared(self, context: str) -> tuple[tuple[str, ...], bool]:
        """The variables a pipeline declares (or assigns to), if it does."""
        names: list[str] = []
        while (variable := self._peek_word()).kind == "variable":
            self._next()
            after = self._peek()
            following = self._peek_word()
            if following.kind in ("=", ":="):
                self._next_word()
                names.append(variable.text)
                self._variables.append(variable.text)
                return tuple(names), following.kind == "="
            if following.kind == "mark" and following.text == ",":
                self._next_word()
                names.append(variable.text)
                self._variables.append(variable.text)
                if context != "range" or len(names) >= 2:
                    self._error(f"too many declarations in {context}")
                if self._peek_word().kind not in ("variable", "right", ")"):
                    self._error("range can only initialize variables")
                continue
            self._back(variable, *([after] if after.kind == "space" else []))
            break
        return tuple(names), False

    def _command(self) -> Command:
        position = self._peek_word().position
        words: list[Operand] = []
        while True:
            self._peek_word()
            operand = self._operand()
            if operand is not None:
                words.append(operand)
            item = self._next()
            if item.kind == "space":
                continue
            if item.kind in ("right", ")"):
                self._back(item)
            elif item.kind != "|":
                self._unexpected(item, "operand")
            break
        if not words:
            self._error("empty command")
        return Command(position, tuple(words))

    def _operand(self) -> Operand | None:
        node = self._term()
        following = self._peek()
        if node is None or following.kind != "field":
            return node
        names: list[str] = []
        while self._peek().kind == "field":
            names.append(self._next().text[1:])
        if isinstance(node, Field):
            return Field(following.position, (*node.names, *names))
        if isinstance(node, Variable):
            return Variable(following.position, node.name, tuple(names))
        if isinstance(node, Constant | Dot | Nil):
            self._error(f"unexpected . after term {quote(str(node))}")
        return Chain(following.position, node, tuple(names))

    def _term(self) -> Operand | None:
        item = self._next_word()
        position, text = item.position, item.text
        match item.kind:
            case "identifier":
                if text not in self._functions:
                    self._error(f"function {quote(text)} not defined")
                return Identifier(position, text)
            case "keyword" if text == ".":
                return Dot(position)
            case "keyword" if text == "nil":
                return Nil(position)
            case "variable":
                if text not in self._variables:
                    self._error(f"undefined variable {quote(text)}")
                return Variable(position, text)
            case "field":
                return Field(position, (text[1:],))
            case "bool":
                return Constant(position, text == "true", text)
            case "number" | "char":
                return Constant(position, self._number(item), text)
            case "string" | "raw string":
                return Constant(position, self._unquoted(item), text)
            case "(":
                return self._pipeline("parenthesized pipeline", ")")
        self._back(item)
        return None

    def _unquoted(self, item: Item) -> str:
        try:
            return unquote(item.text)
        except ValueError as problem:
            self._error(str(problem))

    def _number(self, item: Item) -> float:
        text = item.text
        if item.kind == "char":
            try:
                letter = unquote(text)
            except ValueError:
                letter = ""
            if len(letter) != 1:
                self._error(f"malformed character constant: {text}")
            return ord(letter)
        try:
            return parse_int(text, base=0)
        except ValueError:
            pass
        try:
            number = parse_float(text)
        except ValueError:
            self._error(f"illegal number syntax: {quote(text)}")
        if not any(letter in text for letter in ".eEpP"):
            self._error(f"integer overflow: {quote(text)}")
        return number
