"""Options of busybox's programs, and its words about them (getopt)."""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.world.tools.console import Console, Refusal, not_modelled


class Usage(NamedTuple):
    """``letters`` are options as getopt has them (``c:`` has a value), ``long`` those with names; ``real`` are letters of options
    that are not modelled."""

    program: str
    letters: str
    text: str
    long: tuple[str, ...] = ()
    real: str = ""

    def refusal(self, console: Console, complaint: str = "") -> Refusal:
        words = f"{self.program}: {complaint}\n" if complaint else ""
        return Refusal(1, f"{words}{console.busybox}\n\n{self.text}")

    def read(self, console: Console, words: list[str]) -> tuple[dict[str, str], list[str]]:
        """Options with their values, and arguments. Raises :class:`Refusal`."""
        given: dict[str, str] = {}
        arguments: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                arguments += rest
                break
            if word.startswith("--"):
                name, _, value = word[2:].partition("=")
                if name not in self.long:
                    raise self.refusal(console, f"unrecognized option '{word}'")
                given[name] = value
            elif word.startswith("-") and word != "-":
                self._letters(console, word[1:], rest, given)
            else:
                arguments.append(word)
        return given, arguments

    def _letters(self, console: Console, letters: str, rest: list[str], given: dict[str, str]) -> None:
        for place, letter in enumerate(letters):
            if letter in self.real:
                raise not_modelled(self.program, f"option -{letter}")
            at = self.letters.find(letter)
            if at < 0 or letter == ":":
                raise self.refusal(console, f"invalid option -- '{letter}'")
            if self.letters[at + 1 : at + 2] != ":":
                given[letter] = ""
                continue
            glued = letters[place + 1 :]
            if not glued and not rest:
                raise self.refusal(console, f"option requires an argument -- '{letter}'")
            given[letter] = glued or rest.pop(0)
            return


def number(program: str, text: str, *, whole: bool = False) -> float:
    """A number that an option takes. Raises :class:`Refusal`."""
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = -1
    if value < 0:
        raise Refusal(1, f"{program}: invalid number '{text}'\n")
    return value
