"""Answers that can be checked but not read, and faults that are not read by accident.

An answer is kept as a slow salted hash (scrypt). Whoever tries all hosts or all choices finds the right one all the same: there are few
of them, and each takes a few hundredths of a second. Hidden faults are only encoded: whoever wants to can decode them. Both keep
honest people from stumbling over what they are to find out. Where that is not enough, the answers stay with the lecturer (an exercise built
without them, and ``swarmsim check --key``).

A number with a tolerance is hashed as a cell of a grid: cells are twice the tolerance wide, and the grid is shifted so that the answer lies
in the middle of one. The shift is written down beside the hash; it tells where in its cell the answer lies, not in which.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from fractions import Fraction
from typing import Any

from swarmsim.scenario.duration import parse_seconds
from swarmsim.scenario.exercise import Number, Question

COST = 2**14
"""scrypt's N, with r = 8 and p = 1: 16 MB and about 0.05 s."""
SALT_BYTES = 12


class AnswerError(ValueError):
    """An answer is not of the sort that is asked for; the message says what would be."""


def number_of(text: str | float, number: Number) -> Fraction:
    """The number an answer means, in the unit that is asked for. Raises :class:`AnswerError`.

    >>> [float(number_of(text, Number(tolerance=1, unit="s"))) for text in ("93.5", "93,5 s", "1m33s", 93.5)]
    [93.5, 93.5, 93.0, 93.5]
    """
    given = str(text).strip()
    plain = given.removesuffix(number.unit).strip().replace(",", ".") if number.unit else given.replace(",", ".")
    try:
        value = float(plain)
        if math.isfinite(value):
            return Fraction(plain)
    except ValueError:
        pass
    if number.unit == "s":
        try:
            return Fraction(parse_seconds(given)).limit_denominator(1000)
        except ValueError:
            pass
    unit = f" of {number.unit}" if number.unit else ""
    raise AnswerError(f"{given!r} is no number{unit}")


def plain(question: Question, given: str | float, hosts: list[str]) -> str | Fraction:
    """An answer as it is compared. Raises :class:`AnswerError`."""
    if question.number is not None:
        return number_of(given, question.number)
    word = str(given).strip().lower()
    possible = list(question.choice) if question.choice is not None else hosts
    if word not in possible:
        raise AnswerError(f"{word!r} is none of {', '.join(possible)}")
    return word


def is_right(question: Question, answer: str | float | Fraction, given: str | float, hosts: list[str]) -> bool:
    """Whether an answer is what the key says. Raises :class:`AnswerError`."""
    found = plain(question, given, hosts)
    if question.number is None:
        return found == str(answer).strip().lower()
    wanted = answer if isinstance(answer, Fraction) else number_of(answer, question.number)
    return abs(Fraction(found) - wanted) <= Fraction(str(question.number.tolerance))


def seal(question: Question, answer: str | float, hosts: list[str], salt: bytes) -> str:
    """The answer as it stands in a student's file: ``SALT:HASH``, and ``:SHIFT`` of a number. Raises :class:`AnswerError`."""
    found = plain(question, answer, hosts)
    if isinstance(found, str):
        return f"{salt.hex()}:{_hash(question, found, salt)}"
    assert question.number is not None
    tolerance = Fraction(str(question.number.tolerance))
    shift = (found - tolerance) % (2 * tolerance)
    cell = (found - tolerance - shift) / (2 * tolerance)
    return f"{salt.hex()}:{_hash(question, str(cell), salt)}:{shift}"


def fits(question: Question, sealed: str, given: str | float, hosts: list[str]) -> bool:
    """Whether an answer is the sealed one. Raises :class:`AnswerError`."""
    found = plain(question, given, hosts)
    salt, wanted, *shift = sealed.split(":")
    if isinstance(found, str):
        return _hash(question, found, bytes.fromhex(salt)) == wanted
    assert question.number is not None
    place = (found - Fraction(shift[0])) / (2 * Fraction(str(question.number.tolerance)))
    cells = {math.floor(place), math.ceil(place) - 1}  # an answer on the edge is in both
    return any(_hash(question, str(cell), bytes.fromhex(salt)) == wanted for cell in sorted(cells))


def _hash(question: Question, word: str, salt: bytes) -> str:
    text = f"{question.name}={word}".encode()
    return hashlib.scrypt(text, salt=salt, n=COST, r=8, p=1, dklen=16, maxmem=2**26).hex()


def put_away(value: Any) -> str:
    """Plain values as text that is not read by accident.

    >>> found(put_away([{"at": 3.0}]))
    [{'at': 3.0}]
    """
    return base64.b85encode(zlib.compress(json.dumps(value, sort_keys=True).encode(), 9)).decode()


def found(text: str) -> Any:
    """What was put away. Raises :class:`ValueError`."""
    try:
        return json.loads(zlib.decompress(base64.b85decode("".join(text.split()))))
    except (zlib.error, ValueError):
        raise ValueError("what is hidden cannot be read: it was changed by hand; build the exercise again") from None
