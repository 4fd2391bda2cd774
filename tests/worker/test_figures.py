"""What is read off the figures that a student's code draws."""

import pytest

pytestmark = pytest.mark.keras

CURVES = """
import matplotlib.pyplot as plt
loss, val_loss = [0.9, 0.5, 0.3], [0.8, 0.6, 0.7]
"""
DRAW = """
plt.plot([1, 2, 3], loss, "bo", label="training")
plt.plot([1, 2, 3], val_loss)
plt.title("Loss")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
"""
ENDINGS = {
    "shown": "plt.show()",
    "left open": "",
    "shown and drawn anew": "plt.show()\nplt.plot([7])\nplt.show()",
    "displayed": "display(plt.gcf())\nplt.close()",
    "the cell's value": "figure = plt.gcf()\nplt.close()\nfigure",
    "cleared afterwards": "plt.show()\nplt.clf()\nplt.close('all')",
}


@pytest.fixture(scope="module", autouse=True)
def _as_in_the_sandbox():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        yield


@pytest.mark.parametrize("case", ENDINGS)
def test_a_figure_is_read_however_it_is_shown(kernel, case):
    ran = kernel.run(CURVES, DRAW + ENDINGS[case])
    assert ran.outcomes == ["ok", "ok"], ran.errors
    number, figure = ran.figures[0]
    assert (number, figure.cell) == (0, 2)
    (axes,) = figure.axes
    assert (axes.title, axes.x_label, axes.y_label) == ("Loss", "epoch", "loss")
    assert axes.legend == ("training",)
    training, validation = axes.lines
    assert (training.label, training.points, training.y) == ("training", 3, (0.9, 0.5, 0.3))
    assert (validation.label, validation.first, validation.last) == ("", 0.8, 0.7)
    assert (validation.minimum, validation.maximum) == (0.6, 0.8)
    again = [known.axes[0].lines[0].y for _, known in ran.figures[1:] if known.axes]
    assert again == ([(7.0,)] if case == "shown and drawn anew" else [])


def test_without_a_screen_open_figures_are_read_and_those_that_change_once_more(kernel):
    ran = kernel.run(
        "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt",
        "plt.plot([1, 2])",
        "x = 1",
        "plt.plot([3, 4])\nplt.show()",
    )
    assert ran.outcomes == ["ok"] * 4, ran.errors
    assert [(number, figure.cell, len(figure.axes[0].lines)) for number, figure in ran.figures] == [
        (0, 2, 1),
        (0, 4, 2),
    ]


DRAWINGS = {
    "images": ("fig, ax = plt.subplots(2, 3)\nfor a in ax.flat: a.imshow([[1, 2]])", "images", 6),
    "a heat map": ("plt.pcolormesh([[1, 2], [3, 4]])", "images", 1),
    "bars": ("plt.bar([1, 2, 3], [3, 2, 1])", "bars", 3),
    "a histogram": ("plt.hist([1, 2, 3], bins=5)", "bars", 5),
    "dots": ("plt.scatter([1, 2, 3], [3, 2, 1])", "dots", 3),
    "lines of pandas": ("import pandas as pd\npd.DataFrame({'a': [1, 2]}).plot()", "lines", 1),
}


@pytest.mark.parametrize("case", DRAWINGS)
def test_what_is_in_a_figure_is_counted(kernel, case):
    code, what, count = DRAWINGS[case]
    ran = kernel.run(CURVES, code)
    assert ran.outcomes == ["ok", "ok"], ran.errors
    ((_, figure),) = ran.figures
    found = [getattr(axes, what) for axes in figure.axes]
    assert sum(len(each) if what == "lines" else each for each in found) == count


def test_a_large_figure_is_told_in_short(kernel):
    ran = kernel.run(
        "import numpy as np, matplotlib.pyplot as plt\n"
        "plt.plot(np.arange(1000.0))\nplt.plot([1, np.nan, 3])\nplt.title('x' * 10_000)\n"
        "plt.figure()\n"
        "for _ in range(300): plt.plot(np.zeros(150))\n"
        "fig, axes = plt.subplots(11, 11)\nfor a in axes.flat: a.plot(np.zeros(200))",
    )
    assert ran.outcomes == ["ok"], ran.errors
    (_, long), (_, many), (_, grid) = ran.figures
    assert [(line.points, len(line.y)) for line in long.axes[0].lines] == [(1000, 0), (3, 3)]
    assert (long.axes[0].lines[1].minimum, long.axes[0].lines[1].maximum) == (1.0, 3.0)
    assert len(long.axes[0].title) == 200
    assert len(many.axes[0].lines) == 50
    assert len(grid.axes) == 100
    assert sum(len(axes.lines[0].y) for axes in grid.axes) == 20_000


def test_matplotlib_is_left_alone_where_nobody_asks_for_it(kernel):
    ran = kernel.run(
        "import sys\nfor name in list(sys.modules):\n"
        "    if name.startswith('matplotlib'):\n        del sys.modules[name]",
        "'x'",
        "assert not [name for name in sys.modules if name.startswith('matplotlib')]",
    )
    assert ran.outcomes == ["ok"] * 3, ran.errors
    assert ran.figures == []


# ------------------------------------------------------------------ values


def test_numbers_texts_and_small_collections_are_kept_by_name(kernel):
    ran = kernel.run(
        "import numpy as np\n"
        "overfit_epoch, rate, name, done, nothing = 4, 1e-4, 'adam', True, None\n"
        "best = np.float32(0.5)\nplace = np.argmin([3, 1, 2])\nzero = np.array(7)\n"
        "losses = [0.5, float('nan')]\nshape = (28, 28)\nscores = {'a': [1, 2], 3: 0.5}\n"
        "_private = 1\n"
        "array = np.zeros(3)\ndeep = [[[1]]]\nlong = list(range(1000))\ntext = 'x' * 5000\n"
        "huge = 10 ** 5000\nmixed = [1, object()]\n"
        "class Liar(dict):\n    def items(self): raise RuntimeError\n"
        "liar = Liar(a=1)\ndef f(): pass",
    )
    assert ran.outcomes == ["ok"], ran.errors
    found = ran.values
    losses = found.pop("losses")
    assert losses[0] == 0.5
    assert losses[1] == {"__float__": "nan"}
    assert found == {
        "overfit_epoch": 4,
        "rate": 1e-4,
        "name": "adam",
        "done": True,
        "nothing": None,
        "best": 0.5,
        "place": 1,
        "zero": 7,
        "shape": [28, 28],
        "scores": {"a": [1, 2], "3": 0.5},
    }
