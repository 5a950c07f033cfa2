"""One YAML document as plain values, and where in the text each of them stands.

Scenario and stack files are both read here. The text becomes YAML's own tree of nodes first (with aliases and merge keys
``<<`` followed), the tree becomes Python's values, and every key and every item of a list is remembered with its line and
column. Scalars are read as YAML 1.2 says, or as a dialect does that the reader names; what has a tag that is not YAML's own
stays the text it is.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

KeyPath = tuple[Any, ...]
"""From the document's root to a value: keys, and numbers in lists."""
MERGE = "tag:yaml.org,2002:merge"
SCALARS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "null", "str"))
MAX_VALUES = 200_000
MERGES_NO_MAPPING = "what << brings in must be a mapping"


class Place(NamedTuple):
    """Counted from 1."""

    line: int
    column: int


START = Place(1, 1)


class DocumentError(Exception):
    """The text is no YAML document; ``problem`` says why in one line, ``context`` within what, which begins at ``begun``."""

    def __init__(self, problem: str, place: Place = START, context: str = "", begun: Place | None = None) -> None:
        super().__init__(f"{place.line}:{place.column}: {problem}")
        self.problem = problem
        self.place = place
        self.context = context
        self.begun = begun


class DuplicateKey(DocumentError):
    """A mapping has a key twice; ``first`` is where it was the first time."""

    def __init__(self, key: Any, place: Place, first: Place) -> None:
        super().__init__(f'found duplicate key "{key}", which is at line {first.line} already', place)
        self.key = key
        self.first = first


class Document:
    """``data`` are dicts, lists, text, numbers, booleans and ``None``; so are keys, or with ``text_keys`` all text.

    ``scalar`` tells what a plain scalar is, where that is not what YAML 1.2 says; ``first`` takes the first document of
    several.
    """

    def __init__(
        self,
        text: str,
        text_keys: bool = False,
        scalar: Callable[[str], Any] | None = None,
        first: bool = False,
    ) -> None:
        """Raises :class:`DocumentError`."""
        self._text_keys = text_keys
        self._plain = scalar
        self.places: dict[KeyPath, Place] = {}
        self._yaml = YAML(typ="safe", pure=True)
        self._left = MAX_VALUES
        try:
            stream = StringIO(text)
            node = next(self._yaml.compose_all(stream), None) if first else self._yaml.compose(stream)
            self.data: Any = None if node is None else self._value(node, (), ())
        except MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            begun = problem.context_mark
            raise DocumentError(
                str(problem.problem or problem.context),
                Place(mark.line + 1, mark.column + 1) if mark else START,
                str(problem.context or ""),
                Place(begun.line + 1, begun.column + 1) if begun else None,
            ) from None
        except ReaderError as problem:
            before = text[: problem.position]
            place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
            raise DocumentError(str(problem).splitlines()[0], place) from None
        except YAMLError as problem:
            raise DocumentError(str(problem).splitlines()[0]) from None
        except RecursionError:
            raise DocumentError("nested too deeply") from None

    def place(self, path: KeyPath) -> Place:
        """Where the key or item that ``path`` leads to begins, or as far as it leads."""
        return self.places.get(path[: self.depth(path)], START)

    def depth(self, path: KeyPath) -> int:
        """How far the path leads in this document."""
        return next((length for length in range(len(path), 0, -1) if path[:length] in self.places), 0)

    # -- from nodes to values

    def _value(self, node: Node, path: KeyPath, within: tuple[Node, ...]) -> Any:
        if any(node is other for other in within):
            raise DocumentError("a value contains itself", _begin(node))
        self._count()
        if isinstance(node, MappingNode):
            return self._mapping(node, path, (*within, node))
        if isinstance(node, SequenceNode):
            values = []
            for number, item in enumerate(node.value):
                self.places[(*path, number)] = _begin(item)
                values.append(self._value(item, (*path, number), (*within, node)))
            return values
        return self._scalar(node)

    def _count(self) -> None:
        """Aliases of aliases make many values of a short text."""
        self._left -= 1
        if self._left < 0:
            raise DocumentError(f"more than {MAX_VALUES:,} values")

    def _mapping(self, node: MappingNode, path: KeyPath, within: tuple[Node, ...]) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for base in reversed(self._bases(node)):
            if any(base is other for other in within):
                raise DocumentError("a value contains itself", _begin(base))
            self._count()
            values.update(self._mapping(base, path, (*within, base)))
        own: dict[tuple[type, Any], Place] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                continue
            place = _begin(key_node)
            if not isinstance(key_node, ScalarNode):
                raise DocumentError("a key must be a single value", place)
            key = key_node.value if self._text_keys else self._scalar(key_node)
            same = (type(key), key)  # 1 and true are two keys
            if same in own:
                raise DuplicateKey(key, place, own[same])
            own[same] = self.places[(*path, key)] = place
            values[key] = self._value(value_node, (*path, key), within)
        return values

    def _bases(self, node: MappingNode) -> list[MappingNode]:
        """What ``<<: *base`` or ``<<: [*one, *other]`` brings in; of the same key, the first counts."""
        found: list[MappingNode] = []
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                found += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
        for each in found:
            if not isinstance(each, MappingNode):
                raise DocumentError(MERGES_NO_MAPPING, _begin(each))
        return found

    def _scalar(self, node: Node) -> Any:
        if self._plain is not None and isinstance(node, ScalarNode) and not node.style and node.ctag.handle is None:
            return self._plain(node.value)
        if node.tag not in SCALARS:
            return node.value
        try:
            return self._yaml.constructor.construct_object(node)
        except (ValueError, OverflowError):
            raise DocumentError(f"{node.value[:40]!r} cannot be read as a number", _begin(node)) from None


def _begin(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
