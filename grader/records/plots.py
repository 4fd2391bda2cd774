"""What was plotted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecord:
    """One line of a plot."""

    label: str
    """Its name in a legend; empty without one."""
    points: int
    """How many it has."""
    y: tuple[float, ...] = ()
    """Their heights; empty when there are too many to keep."""
    first: float | None = None
    """Height of the first."""
    last: float | None = None
    """Height of the last."""
    minimum: float | None = None
    """The lowest."""
    maximum: float | None = None
    """The highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxesRecord:
    """One plot of a figure."""

    title: str
    """What stands above it."""
    x_label: str
    """What stands along the horizontal axis."""
    y_label: str
    """What stands along the vertical axis."""
    legend: tuple[str, ...]
    """The legend's entries; none without a legend."""
    lines: tuple[LineRecord, ...]
    """In the order in which they were drawn."""
    images: int
    """Pictures and heat maps."""
    bars: int
    """Bars, those of histograms included."""
    dots: int
    """Dots of scatter plots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRecord:
    """A figure that was shown, or was still open when its cell ended."""

    cell: int
    """The cell it was seen in, counted from 1."""
    title: str
    """What stands above all its plots."""
    axes: tuple[AxesRecord, ...]
    """Its plots."""
