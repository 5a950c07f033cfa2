"""Words to flags and arguments by pflag's rules, with its complaints (spf13/pflag), and its help.

``--name value``, ``--name=value``, ``-n value``, ``-n=value``, ``-nvalue``, ``-abc``; booleans take a value only after
``=``; ``--`` ends the flags; where a command says so, the first argument does too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from swarmsim.go.strconv import quote


class FlagError(ValueError):
    """A word that is no flag, or a value that does not fit; the message is pflag's."""


class HelpAsked(Exception):
    """``-h`` or ``--help``, in words without a mistake. ``remarks`` are as of :class:`Flags`."""

    def __init__(self, remarks: str) -> None:
        super().__init__("help")
        self.remarks = remarks


class FlagType(NamedTuple):
    """What values a flag takes: pflag's Value.

    ``parse`` raises :class:`ValueError` with its complaint. Of a ``repeatable`` flag it returns a list, and the lists
    add up when the flag is given again. ``shown_as`` is what help calls it, where that is not its name; a default that is ``zero``
    is not told there.
    """

    parse: Callable[[str], Any]
    repeatable: bool = False
    shown_as: str = ""
    zero: str = "0"


class Flag(NamedTuple):
    """One flag of a command. ``type`` is the name of a :class:`FlagType`; ``"bool"`` needs no value.

    ``modelled`` is false for real flags whose effect is not in the model yet; ``since`` is the version of the API that
    has the flag, where older daemons do not know it. One that is ``deprecated`` does nothing but say so, and is not in the help;
    nor is one that is ``hidden``.
    """

    name: str
    type: str
    about: str
    short: str = ""
    default: str = ""
    modelled: bool = True
    since: str = ""
    deprecated: str = ""
    hidden: bool = False


class Flags:
    """The flags that were given, by name. ``remarks`` is what is said of those that should not be given any more."""

    def __init__(self, values: dict[str, Any], remarks: str = "") -> None:
        self._values = values
        self.remarks = remarks

    def changed(self, *names: str) -> bool:
        """Whether any of the flags was given."""
        return any(name in self._values for name in names)

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def on(self, name: str) -> bool:
        return bool(self._values.get(name, False))

    def every(self, name: str) -> list[Any]:
        """All values of a repeatable flag."""
        return list(self._values.get(name, ()))

    def with_values(self, name: str, values: list[Any]) -> Flags:
        """The same flags, of a repeatable one other values."""
        return Flags({**self._values, name: values}, self.remarks)

    def names(self) -> list[str]:
        return list(self._values)


HELP = Flag("help", "bool", "Show this", "h")
"""What every command has, if it does not use the letter for something else. It shows in no help."""
SHORT_HELP = "-h"


class FlagSet:
    """The flags a command knows, and what their values are."""

    def __init__(self, flags: Iterable[Flag], types: Mapping[str, FlagType]) -> None:
        self._flags = sorted(flags, key=lambda flag: flag.name)
        self._types = types
        self._by_name = {HELP.name: HELP, **{flag.name: flag for flag in self._flags}}
        self._by_short = {HELP.short: HELP, **{flag.short: flag for flag in self._flags if flag.short}}

    def parse(self, words: list[str], interspersed: bool = True) -> tuple[Flags, list[str]]:
        """Flags and arguments. Raises :class:`FlagError` and :class:`HelpAsked`."""
        values: dict[str, Any] = {}
        arguments: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                arguments += rest
                break
            if len(word) < 2 or word[0] != "-":
                arguments.append(word)
                if not interspersed:
                    arguments += rest
                    break
                continue
            if word.startswith("--"):
                self._parse_long(word, rest, values)
            else:
                self._parse_shorts(word, rest, values)
        deprecated = [(flag.name, flag.deprecated) for flag in self._flags if flag.deprecated and flag.name in values]
        remarks = "".join(f"Flag --{name} has been deprecated, {why}\n" for name, why in deprecated)
        if values.pop(SHORT_HELP, False):
            remarks += "Flag shorthand -h has been deprecated, use --help\n"
        if values.pop(HELP.name, False):
            raise HelpAsked(remarks)
        return Flags(values, remarks), arguments

    def _parse_long(self, word: str, rest: list[str], values: dict[str, Any]) -> None:
        name, equals, value = word[2:].partition("=")
        if not name or name[0] == "-":
            raise FlagError(f"bad flag syntax: {word}")
        flag = self._by_name.get(name)
        if flag is None:
            raise FlagError(f"unknown flag: --{name}")
        if not equals:
            if flag.type == "bool":
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise FlagError(f"flag needs an argument: --{name}")
        self._set(flag, value, values)

    def _parse_shorts(self, word: str, rest: list[str], values: dict[str, Any]) -> None:
        letters = word[1:]
        while letters:
            given, letter, letters = letters, letters[0], letters[1:]
            flag = self._by_short.get(letter)
            if flag is None:
                # pflag goes by bytes: of a letter that is not ASCII it shows the first.
                byte = chr(letter.encode()[0])
                raise FlagError(f"unknown shorthand flag: '{byte}' in -{given}")
            if flag is HELP:
                values[SHORT_HELP] = True
            if len(letters) > 1 and letters[0] == "=":
                self._set(flag, letters[1:], values)
                return
            if flag.type == "bool":
                self._set(flag, "true", values)
            elif letters:
                self._set(flag, letters, values)
                return
            elif rest:
                self._set(flag, rest.pop(0), values)
                return
            else:
                raise FlagError(f"flag needs an argument: '{letter}' in -{given}")

    def _set(self, flag: Flag, text: str, values: dict[str, Any]) -> None:
        type = self._types[flag.type]
        try:
            value = type.parse(text)
        except ValueError as problem:
            shown = f"-{flag.short}, --{flag.name}" if flag.short and flag is not HELP else f"--{flag.name}"
            raise FlagError(f'invalid argument {quote(text)} for "{shown}" flag: {problem}') from None
        if type.repeatable:
            values.setdefault(flag.name, []).extend(value)
        else:
            values[flag.name] = value

    def usages(self, width: int = 80) -> str:
        """The flags as help lists them (FlagUsagesWrapped)."""
        rows = []
        for flag in self._flags:
            if flag.deprecated or flag.hidden:
                continue
            short = f"-{flag.short}, " if flag.short else "    "
            kind = "" if flag.type == "bool" else f" {self._types[flag.type].shown_as or flag.type}"
            default = f" (default {flag.default})" if flag.default not in ("", self._types[flag.type].zero) else ""
            rows.append((f"  {short}--{flag.name}{kind}", flag.about + default))
        indent = max((len(left) for left, _ in rows), default=0) + 3
        out = ""
        for left, about in rows:
            wrapped = textwrap.wrap(about, max(width - indent, 24), break_long_words=False) or [""]
            out += f"{left:<{indent}}" + ("\n" + " " * indent).join(wrapped) + "\n"
        return out
