"""How programs read their options, as ``getopt`` does, and what they say when they are used wrongly."""

from __future__ import annotations

from dataclasses import dataclass

from swarmsim.unix.files import NotModelled


class Usage(Exception):
    """Used wrongly: the first line of what it says; the usage text that follows is the program's own."""


class Complaint(Exception):
    """Why a program ends with status 1; all that it says."""


@dataclass(frozen=True)
class Options:
    """``flags`` are letters, each with its last value (empty without one); ``words`` what is left; ``values`` all pairs of both, in order."""

    flags: dict[str, str]
    words: list[str]
    values: tuple[tuple[str, str], ...] = ()

    def all(self, letter: str) -> list[str]:
        """The values of an option that may come several times."""
        return [value for each, value in self.values if each == letter]

    def __contains__(self, letter: str) -> bool:
        return letter in self.flags


def options(words: list[str], letters: str, *, not_modelled: str = "", mixed: bool = True) -> Options:
    """``letters`` as for ``getopt``: a colon behind one that takes a value. ``not_modelled`` are those that are real and refused.

    ``mixed``: options may stand behind words. Raises :class:`Usage`, :class:`NotModelled`.

    >>> options(["ls", "-la", "-I", "x", "/tmp"], "laI:")
    Options(flags={'l': '', 'a': '', 'I': 'x'}, words=['/tmp'], values=(('I', 'x'),))
    """
    program, flags, left = words[0].rpartition("/")[2], dict[str, str](), list[str]()
    values: list[tuple[str, str]] = []
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        if word == "--":
            left += rest
            break
        if not word.startswith("-") or word == "-":
            left.append(word)
            if not mixed:
                left += rest
                break
            continue
        if word.startswith("--"):
            raise NotModelled(f"{program} {word}")
        letters_here = word[1:]
        while letters_here:
            letter, letters_here = letters_here[0], letters_here[1:]
            if letter in not_modelled:
                raise NotModelled(f"{program} -{letter}")
            at = letters.find(letter)
            if at < 0 or letter == ":":
                raise Usage(f"{program}: invalid option -- '{letter}'")
            if letters[at + 1 : at + 2] != ":":
                flags[letter] = ""
                continue
            if not letters_here and not rest:
                raise Usage(f"{program}: option requires an argument -- '{letter}'")
            flags[letter] = letters_here or rest.pop(0)
            values.append((letter, flags[letter]))
            letters_here = ""
    return Options(flags, left, tuple(values))
