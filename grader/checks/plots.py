"""Checks of what was plotted: curves of the history, labels, images."""

import math
from collections.abc import Iterator, Sequence

from grader.checks.recorded import Recorded, curve
from grader.checks.verdict import Unmet, count
from grader.records import AxesRecord, FigureRecord

CLOSE = 1e-4
"""Share by which a plotted value may differ from the history's, rounded to a few digits."""
PERCENT = 100.0


class Figures:
    """The figures that were shown, as checks see them.

    Args:
        figures: In order.
        trainings: Whose histories may be plotted, the judged model's first.
    """

    def __init__(
        self, figures: tuple[FigureRecord, ...], trainings: Sequence[Recorded] = ()
    ) -> None:
        self.figures = figures
        """In order."""
        self._trainings = trainings

    def __len__(self) -> int:
        """Count the figures."""
        return len(self.figures)

    def expect_curves(self, *metrics: str) -> None:
        """Expect that the history's values of these metrics were plotted, in one figure or more.

        The numbers are compared, not the labels: percentages will do, and so will curves that
        leave out the first epochs.

        Example:
            ``figures.expect_curves("loss", "val_loss")``
        """
        series = {metric: list(self._series(metric)) for metric in metrics}
        known = [metric for metric in metrics if series[metric]]
        self._expect_any()
        if not known and any(training.by_hand for training in self._trainings):
            return self._expect_lines()
        for metric in metrics:
            if not any(_shows(y, values) for values in series[metric] for y in self._lines()):
                raise Unmet(
                    expected=f"a curve of {metric} over the epochs",
                    received=self._words(),
                    hint="None of the lines has the values that `fit` gave back."
                    if series[metric]
                    else f"No training has a history of {metric}.",
                )
        return None

    def expect_points(self, wanted: int | None = None) -> None:
        """Expect a curve with so many points, or with one for each epoch of the training.

        Example:
            ``figures.expect_points(20)``
        """
        self._expect_any()
        epochs = {len(values) for values in self._series("loss")}
        counts = {wanted} if wanted is not None else epochs
        found = [line.points for axes in self._axes() for line in axes.lines]
        if not counts or counts & set(found):
            return
        raise Unmet(
            expected=f"a curve of {' or '.join(map(str, sorted(counts)))} points",
            received=f"curves of {', '.join(map(str, found))} points" if found else self._words(),
            hint="One point for each epoch.",
        )

    def expect_labels(self) -> None:
        """Expect labelled axes where there are curves, and a legend where there are several.

        Example:
            ``figures.expect_labels()``
        """
        self._expect_any()
        with_lines = [
            (figure, [axes for axes in figure.axes if axes.lines]) for figure in self.figures
        ]
        if not any(axes for _, axes in with_lines):
            return self._expect_lines()
        for figure, plots in with_lines:
            missing = _unlabelled(plots)
            if missing:
                raise Unmet(
                    expected="axes that say what they show, and a legend for several curves",
                    received=f"no {' and no '.join(missing)} in the figure of cell {figure.cell}",
                    hint="A reader who was not there must know what is drawn over what.",
                )
        return None

    def expect_images(self, *, at_least: int = 1) -> None:
        """Expect that so many pictures were shown.

        Example:
            ``figures.expect_images(at_least=3)``
        """
        self._expect_any()
        found = sum(axes.images for axes in self._axes())
        if found < at_least:
            raise Unmet(
                expected=f"at least {count(at_least, 'picture')}",
                received=str(found),
                hint="A picture is drawn from an array of its height and width.",
            )

    def _expect_any(self) -> None:
        if not self.figures:
            raise Unmet(
                expected="a figure",
                received="none",
                hint="A figure counts when it is shown, or left open at the end of its cell.",
            )

    def _expect_lines(self) -> None:
        if not any(True for _ in self._lines()):
            raise Unmet(expected="a figure with a curve", received=self._words())

    def _axes(self) -> Iterator[AxesRecord]:
        for figure in self.figures:
            yield from figure.axes

    def _lines(self) -> Iterator[tuple[float, ...]]:
        for axes in self._axes():
            for line in axes.lines:
                yield line.y

    def _series(self, metric: str) -> Iterator[tuple[float, ...]]:
        """Give what a metric's curve may be: of one call of ``fit``, or of a whole training."""
        for training in self._trainings:
            for fit in training.fits:
                yield from filter(None, [curve(fit, metric)])
            yield from filter(None, [training.series(metric)])

    def _words(self) -> str:
        lines = sum(len(axes.lines) for axes in self._axes())
        images = sum(axes.images for axes in self._axes())
        shown = [count(len(self.figures), "figure"), f"with {count(lines, 'line')}"]
        return " ".join(shown) + (f" and {count(images, 'picture')}" if images else "")


def _shows(y: Sequence[float], values: Sequence[float]) -> bool:
    """Whether a line shows a series, whole or without its first epochs, perhaps in percent."""
    if not y or len(y) > len(values) or 2 * len(y) < len(values):
        return False
    end = values[len(values) - len(y) :]
    return any(
        all(_same(plotted, scale * value) for plotted, value in zip(y, end, strict=True))
        for scale in (1.0, PERCENT)
    )


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= CLOSE * max(abs(one), abs(other)) or (
        math.isnan(one) and math.isnan(other)
    )


def _unlabelled(plots: Sequence[AxesRecord]) -> list[str]:
    missing = []
    if plots and not any(axes.x_label for axes in plots):
        missing.append("label of the horizontal axis")
    if not all(axes.y_label for axes in plots):
        missing.append("label of the vertical axis")
    if any(len(axes.lines) > 1 and not axes.legend for axes in plots):
        missing.append("legend")
    return missing
