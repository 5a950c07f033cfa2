"""A figure that shows itself, and puts its words where there is room for them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

LINE_OF_WORDS = 11.0
"""Height of a line of words over the axes, in points."""
LONGEST_WORDS = 44
"""Letters of words over the axes; what is longer is cut."""
GAP = 3.0
"""Points that are left free beside words."""
OVER_ALL = 5.0
"""Words are drawn over bars and over lines."""


class _Inside(NamedTuple):
    """Words that want to stand in a bar from ``low`` to ``high`` (data), in the first form that there is room for."""

    words: Annotation
    low: float
    high: float
    forms: Sequence[str]


class Picture(Figure):
    """A matplotlib figure that a notebook shows as it is, whether or not pyplot was imported.

    Words that are given to it by :meth:`inside` and :meth:`above` have their places after :meth:`settle`.
    """

    def __init__(self, width: float, height: float) -> None:
        """``width`` and ``height`` in inches."""
        super().__init__(figsize=(width, height), layout="constrained")
        self._inside: list[_Inside] = []
        self._above: list[tuple[float, Annotation]] = []

    def inside(
        self, axes: Axes, low: float, high: float, y: float, forms: Sequence[str], *, centre: bool = False
    ) -> None:
        """Write into a bar from ``low`` to ``high``: the first of ``forms`` that it has room for, or nothing."""
        words = axes.annotate(
            forms[0], ((low + high) / 2 if centre else low, y), xytext=(0 if centre else 6, 0), textcoords="offset points",
            ha="center" if centre else "left", va="center", fontsize=6.5, zorder=OVER_ALL, annotation_clip=True,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip
        words.set_in_layout(False)
        self._inside.append(_Inside(words, low, high, forms))

    def above(self, axes: Axes, t: float, text: str) -> None:
        """Write over the axes at ``t``, with a line down to it."""
        text = text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1].rstrip() + "…"
        words = axes.annotate(
            text, (t, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 3), textcoords="offset points",
            ha="left", va="bottom", fontsize=7.5, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "linestyle": "--", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0)},
        )  # fmt: skip
        self._above.append((t, words))

    def settle(self) -> Picture:
        """Give all words their places, now that it is known how wide the axes are."""
        if self._inside or self._above:
            self.draw_without_rendering()
        for label in self._inside:
            self._fit(label)
        self._stack()
        return self

    def _fit(self, label: _Inside) -> None:
        axes: Any = label.words.axes
        left, right = axes.transData.transform([(label.low, 0), (label.high, 0)])[:, 0]
        around = 2 * GAP * self.dpi / 72
        for form in label.forms:
            label.words.set_text(form)
            if label.words.get_window_extent().width + around <= right - left:
                return
        label.words.set_visible(False)

    def _stack(self) -> None:
        """Words over each other where they would not fit beside each other.

        From right to left, each over all it would touch: so no line down to the axes crosses words.
        """
        placed: list[tuple[float, int]] = []  # where words begin, and in which line
        for _, words in sorted(self._above, key=lambda each: each[0], reverse=True):
            extent = words.get_window_extent()
            # The extent has the line down too, which is at the words' left end.
            end = extent.x1 + GAP * self.dpi / 72
            level = 1 + max((line for begin, line in placed if begin < end), default=-1)
            placed.append((extent.x0, level))
            words.xyann = (2, 3 + LINE_OF_WORDS * level)
        if placed:
            self.set_figheight(self.get_figheight() + LINE_OF_WORDS / 72 * (1 + max(line for _, line in placed)))

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=100)
        return out.getvalue()
