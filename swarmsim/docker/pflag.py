"""Words to flags and arguments by pflag's rules, with its complaints (spf13/pflag).

``--name value``, ``--name=value``, ``-n value``, ``-nvalue``, ``-abc``; booleans take a value only after
``=``; ``--`` ends the flags; where a command says so, the first argument does too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from swarmsim.docker.values import PARSERS, REPEATABLE


class FlagError(ValueError):
    """A word that is no flag, or a value that does not fit; the message is pflag's."""


class HelpAsked(Exception):
    """``-h`` or ``--help``."""


class Flag(NamedTuple):
    """One flag of a command. ``type`` is the name shown in help and the key of :data:`PARSERS`.

    ``modelled`` is false for real flags whose effect is not in the model yet.
    """

    name: str
    type: str
    about: str
    short: str = ""
    default: str = ""
    modelled: bool = True


class Flags:
    """The flags that were given, by name."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

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

    def names(self) -> list[str]:
        return list(self._values)


def parse(words: list[str], flags: tuple[Flag, ...], interspersed: bool = True) -> tuple[Flags, list[str]]:
    """Flags and arguments. Raises :class:`FlagError` and :class:`HelpAsked`."""
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
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
            _parse_long(word, rest, by_name, values)
        else:
            _parse_shorts(word, rest, by_short, values)
    return Flags(values), arguments


def _parse_long(word: str, rest: list[str], by_name: dict[str, Flag], values: dict[str, Any]) -> None:
    name, equals, value = word[2:].partition("=")
    if not name or name[0] == "-":
        raise FlagError(f"bad flag syntax: {word}")
    flag = by_name.get(name)
    if flag is None:
        if name == "help":
            raise HelpAsked
        raise FlagError(f"unknown flag: --{name}")
    if not equals:
        if flag.type == "bool":
            value = "true"
        elif rest:
            value = rest.pop(0)
        else:
            raise FlagError(f"flag needs an argument: --{name}")
    _set(flag, value, values)


def _parse_shorts(word: str, rest: list[str], by_short: dict[str, Flag], values: dict[str, Any]) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = by_short.get(letter)
        if flag is None:
            if letter == "h":
                raise HelpAsked
            raise FlagError(f"unknown shorthand flag: '{letter}' in {word}")
        if letters[:1] == "=":
            _set(flag, letters[1:], values)
            return
        if flag.type == "bool":
            _set(flag, "true", values)
        elif letters:
            _set(flag, letters, values)
            return
        elif rest:
            _set(flag, rest.pop(0), values)
            return
        else:
            raise FlagError(f"flag needs an argument: '{letter}' in {word}")


def _set(flag: Flag, text: str, values: dict[str, Any]) -> None:
    try:
        value = PARSERS.get(flag.type, str)(text)
    except ValueError as problem:
        shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
        raise FlagError(f'invalid argument "{text}" for "{shown}" flag: {problem}') from None
    if flag.type in REPEATABLE:
        values.setdefault(flag.name, []).extend(value)
    else:
        values[flag.name] = value
