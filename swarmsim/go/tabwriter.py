"""Go's text/tabwriter, as docker/cli keeps it: text with tabs becomes columns.

A cell is text that a tab ends; what follows a line's last tab belongs to no column. A column is a block of lines one
below the other that have a cell there: so a line with fewer cells ends the columns it does not reach, and those below
it are laid out anew. Widths are a terminal's: an East Asian letter takes two places, a combining mark none.
"""

from __future__ import annotations

import unicodedata


def align(text: str, min_width: int, padding: int) -> str:
    r"""``text``, its columns at least ``min_width`` wide (padding included), filled with blanks.

    >>> align("ID\tNAME\nabc\tweb\n", 5, 2)
    'ID   NAME\nabc  web\n'
    """
    lines = [line.split("\t") for line in text.split("\n")]
    widths = [[0] * (len(line) - 1) for line in lines]
    for column in range(max(map(len, widths))):
        block: list[int] = []
        for number in range(len(lines) + 1):
            if number < len(lines) and column < len(widths[number]):
                block.append(number)
                continue
            width = max((_width(lines[member][column]) for member in block), default=0)
            for member in block:
                widths[member][column] = max(width + padding, min_width)
            block = []
    return "\n".join(
        "".join(cell + " " * (width - _width(cell)) for cell, width in zip(line[:-1], row, strict=True)) + line[-1]
        for line, row in zip(lines, widths, strict=True)
    )


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
