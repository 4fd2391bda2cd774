"""Reads off matplotlib's figures what they show: titles, labels, lines, how many images.

A figure is read when it is displayed (``plt.show()``, the end of a cell, ``display(figure)``), and
one that is still open at the end of a cell as well: a backend that draws nothing shows nothing.
Where the student's code does not import matplotlib, nothing of it is touched.
"""

import contextlib
import sys
import weakref
from typing import Any

import numpy as np

from .channel import plain, send

MOST_FIGURES = 1000
"""Figures told of; code that draws anew in each epoch makes many."""
MOST_AXES = 100
MOST_LINES = 50
MOST_VALUES = 200
"""Values of a line that are told one by one."""
MOST_VALUES_OF_A_FIGURE = 20_000
LONGEST_TEXT = 200


class Figures:
    """Tells the host of each figure; of one that was told of before only when it has changed."""

    def __init__(self) -> None:
        self.cell = 0
        self._known: weakref.WeakKeyDictionary[Any, tuple[int, Any]] = weakref.WeakKeyDictionary()
        self._count = 0

    def displayed(self, value: Any) -> None:
        """Take whatever is displayed; only figures are looked at."""
        with contextlib.suppress(Exception):  # no mistake of ours may become the student's
            module = sys.modules.get("matplotlib.figure")
            if module is not None and isinstance(value, module.Figure):
                self._tell(value)

    def cell_ended(self) -> None:
        """Look at the figures that are still open."""
        with contextlib.suppress(Exception):
            helpers = sys.modules.get("matplotlib._pylab_helpers")
            if helpers is not None:
                for manager in list(helpers.Gcf.figs.values()):
                    self._tell(manager.canvas.figure)

    def _tell(self, figure: Any) -> None:
        number, before = self._known.get(figure, (self._count, None))
        facts = plain(figure_facts(figure))
        if facts == before or number >= MOST_FIGURES:
            return
        if before is None:
            self._count += 1
        self._known[figure] = number, facts
        send("figure", number=number, figure=facts | {"cell": self.cell})


def figure_facts(figure: Any) -> dict[str, Any]:
    """Describe a figure: ``title`` and ``axes``, each with its labels, lines and counts."""
    left = MOST_VALUES_OF_A_FIGURE
    axes = []
    for one in figure.axes[:MOST_AXES]:
        facts = _axes_facts(one)
        for line in facts["lines"]:
            left -= len(line["y"])
            if left < 0:
                line["y"] = []
        axes.append(facts)
    if figure.legends and axes and not axes[0]["legend"]:
        axes[0]["legend"] = [text for legend in figure.legends for text in _legend(legend)]
    return {"title": _text(figure.get_suptitle()), "axes": axes}


def _axes_facts(axes: Any) -> dict[str, Any]:
    kinds = [(type(each).__name__, each) for each in axes.collections]
    return {
        "title": _text(axes.get_title()),
        "x_label": _text(axes.get_xlabel()),
        "y_label": _text(axes.get_ylabel()),
        "legend": _legend(axes.get_legend()),
        "lines": [_line_facts(line) for line in axes.lines[:MOST_LINES]],
        "images": len(axes.images) + sum(kind == "QuadMesh" for kind, _ in kinds),
        "bars": sum(
            len(each.patches) for each in axes.containers if type(each).__name__ == "BarContainer"
        ),
        "dots": sum(len(each.get_offsets()) for kind, each in kinds if kind == "PathCollection"),
    }


def _line_facts(line: Any) -> dict[str, Any]:
    label = str(line.get_label())
    y = np.ma.filled(np.ma.asarray(line.get_ydata(orig=False), np.float64), np.nan).ravel()
    facts: dict[str, Any] = {
        # matplotlib's own names for lines without one begin with an underscore
        "label": "" if label.startswith("_") else _text(label),
        "points": len(y),
        "y": y.tolist() if len(y) <= MOST_VALUES else [],
    }
    if len(y):
        known = y[~np.isnan(y)]
        facts |= {"first": y[0], "last": y[-1]}
        facts |= {"minimum": known.min(), "maximum": known.max()} if len(known) else {}
    return facts


def _legend(legend: Any) -> list[str]:
    texts = legend.get_texts() if legend is not None else []
    return [_text(text.get_text()) for text in texts[:MOST_LINES]]


def _text(value: Any) -> str:
    return str(value)[:LONGEST_TEXT]
