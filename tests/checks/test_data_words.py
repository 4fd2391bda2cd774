"""The words for arrays, values and figures: what passes in every spelling, and what is said."""

from dataclasses import replace

import pytest

from grader.checks.data import Values, Variables
from grader.checks.plots import Figures
from grader.checks.training import Training
from grader.records import ArrayFacts, AxesRecord, FigureRecord, LineRecord

SCALED = ArrayFacts(shape=(50_000, 784), dtype="float32", minimum=0.0, maximum=1.0, mean=0.13)
NORMAL = replace(SCALED, minimum=-0.42, maximum=2.8, mean=0.001, deviation=0.999)
ONE_HOT = ArrayFacts(shape=(9, 10), dtype="float64", minimum=0.0, maximum=1.0, one_hot=True)
TEXTS = ArrayFacts(shape=(9,), dtype="object")

ARRAYS = [
    ("expect_dtype", SCALED, ("float32",), None),
    ("expect_dtype", SCALED, ("float32", "float64"), None),
    ("expect_dtype", ONE_HOT, ("float32",), "`a` of float32. Received: float64. Look at `astype`"),
    ("expect_range", SCALED, (0, 1), None),
    ("expect_range", replace(SCALED, maximum=0.99), (0, 1), None),
    ("expect_range", replace(SCALED, maximum=255.0), (0, 255), None),
    ("expect_range", replace(SCALED, maximum=255.0), (0, 1), "values of 0…255. Look at what"),
    ("expect_range", replace(SCALED, maximum=0.0039), (0, 1), "scaled twice"),
    ("expect_range", TEXTS, (0, 1), "`a` to hold numbers"),
    ("expect_one_hot", ONE_HOT, {"classes": 10}, None),
    ("expect_one_hot", replace(ONE_HOT, shape=(9, 9)), {"classes": 10}, "shape (9, 9)"),
    ("expect_one_hot", replace(ONE_HOT, shape=(9,), one_hot=None), {"classes": 10}, "shape (9,)"),
    ("expect_one_hot", replace(ONE_HOT, shape=(9, 10, 10)), {"classes": 10}, "(9, 10, 10)"),
    ("expect_one_hot", replace(ONE_HOT, one_hot=False, maximum=3.0), {"classes": 10}, "0…3"),
    ("expect_normalised", NORMAL, (), None),
    ("expect_normalised", replace(NORMAL, deviation=None), (), None),
    ("expect_normalised", SCALED, (), "a mean of 0.13. Both are taken from the training data"),
    ("expect_normalised", replace(NORMAL, deviation=0.3), (), "a standard deviation of 0.3"),
]


@pytest.mark.parametrize(("name", "facts", "arguments", "wrong"), ARRAYS)
def test_arrays(name, facts, arguments, wrong, judge, said):
    expectation = getattr(Variables({"a": facts}), name)
    if isinstance(arguments, dict):
        judge(wrong, expectation, "a", **arguments)
    else:
        judge(wrong, expectation, "a", *arguments)
    assert "an array called `b`" in said(
        getattr(Variables({"a": facts}), name),
        "b",
        *(() if isinstance(arguments, dict) else arguments),
        **(arguments if isinstance(arguments, dict) else {}),
    )


@pytest.mark.parametrize(
    ("shapes", "wrong"),
    [
        ([(50_000, 784), (10_000, 784)], None),
        ([(54_000, 784), (6_000, 784)], "Received: 54,000 in `x_train`, 6,000 in `x_val`."),
        ([(50_000, 784), (10_000, 28, 28)], "samples of one shape"),
        ([(50_000, 784), ()], "`x_val` is no array of rows"),
    ],
)
def test_a_split(shapes, wrong, judge):
    names = ("x_train", "x_val")
    arrays = {name: replace(SCALED, shape=shape) for name, shape in zip(names, shapes, strict=True)}
    judge(wrong, Variables(arrays).expect_split, {"x_train": 50_000, "x_val": 10_000})


@pytest.mark.parametrize(
    ("value", "wanted", "tolerance", "wrong"),
    [
        (4, 4, 0, None),
        (5.0, 4, 1, None),
        (0.36, 0.36, 1e-6, None),
        ("9/25", 0.36, 1e-6, None),
        (" 0.36 ", 0.36, 1e-6, None),
        (0.6, 0.36, 1e-6, "`n` to be right. Received: 0.6."),
        (9, 4, 1, "give or take 1"),
        ("four", 4, 1, "It is to be a number"),
        (True, 1, 0, "It is to be a number"),
        ("1/0", 1, 0, "It is to be a number"),
        ("1e999999999", 1, 0, "right"),
        ("nan", 1, 0, "right"),
        ([4], 4, 0, "It is to be a number"),
    ],
)
def test_a_number(value, wanted, tolerance, wrong, judge):
    judge(wrong, Values({"n": value}).expect_number, "n", wanted, tolerance=tolerance)


def test_values_are_found_by_name_and_texts_whatever_their_case(said):
    values = Values({"answer": " Overfitting ", "shape": [28, 28]})
    assert (len(values), list(values)) == (2, ["answer", "shape"])
    assert "shape" in values
    values.expect_value("answer", "overfitting", "over-fitting")
    values.expect_value("shape", (28, 28))
    assert "Received: ' Overfitting '" in said(values.expect_value, "answer", "underfitting")
    assert "values called `answer`, `shape`" in said(values.expect_number, "epoch", 4)
    assert "Received: none" in said(Values({}).expect_number, "epoch", 4)


# ------------------------------------------------------------------ figures

LOSS, VAL_LOSS = (0.9, 0.5, 0.3, 0.2), (0.8, 0.6, 0.5, 0.7)
HISTORY = {"loss": LOSS, "val_loss": VAL_LOSS, "acc": (0.5, 0.6, 0.7, 0.8)}


def line(y, label=""):
    return LineRecord(label=label, points=len(y), y=tuple(y))


def axes(*lines, **changes):
    made = AxesRecord(
        title="",
        x_label="epoch",
        y_label="loss",
        legend=("a", "b"),
        lines=tuple(map(line, lines)),
        images=0,
        bars=0,
        dots=0,
    )
    return replace(made, **changes)


@pytest.fixture
def figures(make):
    def build(*drawn, trainings=({"history": HISTORY},)):
        training = Training(tuple(make.fit(**each) for each in trainings), make.card())
        made = [
            FigureRecord(cell=4, title="", axes=each if isinstance(each, tuple) else (each,))
            for each in drawn
        ]
        return Figures(tuple(made), [training])

    return build


CURVES = {
    "in one plot": ([axes(LOSS, VAL_LOSS)], None),
    "in two plots": ([(axes(LOSS), axes(VAL_LOSS))], None),
    "in two figures": ([axes(LOSS), axes(VAL_LOSS)], None),
    "in percent": ([axes([100 * y for y in LOSS], VAL_LOSS)], None),
    "rounded": ([axes([y + 1e-6 for y in LOSS], VAL_LOSS)], None),
    "without the first epochs": ([axes(LOSS[1:], VAL_LOSS[2:])], None),
    "only one of them": ([axes(LOSS)], "a curve of val_loss over the epochs. Received: 1 figure"),
    "other numbers": ([axes(LOSS, LOSS[::-1])], "None of the lines has the values"),
    "too little of it": ([axes(LOSS, VAL_LOSS[3:])], "val_loss"),
    "pictures": ([axes(images=3)], "1 figure with 0 lines and 3 pictures"),
    "nothing": ([], "expected a figure. Received: none."),
}


@pytest.mark.parametrize("case", CURVES)
def test_curves_are_known_by_their_numbers(figures, case, judge):
    drawn, wrong = CURVES[case]
    judge(wrong, figures(*drawn).expect_curves, "loss", "val_loss")


def test_a_metric_goes_by_several_names_and_must_have_been_watched(figures, said):
    drawn = figures(axes(HISTORY["acc"]))
    drawn.expect_curves("accuracy")
    assert "No training has a history of val_accuracy" in said(drawn.expect_curves, "val_accuracy")


def test_a_curve_over_the_calls_of_a_loop_is_one(figures):
    loop = [{"history": {"loss": (y,)}, "epochs": 1, "continues": 0} for y in LOSS]
    drawn = figures(axes(LOSS), trainings=loop)
    drawn.expect_curves("loss")
    drawn.expect_points(4)


def test_a_loop_of_ones_own_has_no_history_to_compare_with(make, said):
    found = replace(make.execution().models[0], fits=0, updates=9)
    training = Training((), make.card(), found)
    figure = FigureRecord(cell=1, title="", axes=(axes((3, 2, 1)),))
    Figures((figure,), [training]).expect_curves("loss")
    Figures((figure,), [training]).expect_points()
    bare = Figures((replace(figure, axes=(axes(),)),), [training])
    assert "a figure with a curve" in said(bare.expect_curves, "loss")


@pytest.mark.parametrize(
    ("wanted", "wrong"),
    [(4, None), (None, None), (20, "a curve of 20 points. Received: curves of 4, 4 points")],
)
def test_points(figures, wanted, wrong, judge):
    judge(wrong, figures(axes(LOSS, VAL_LOSS)).expect_points, wanted)


LABELS = {
    "all": ([axes(LOSS, VAL_LOSS)], None),
    "one curve needs no legend": ([axes(LOSS, legend=())], None),
    "below each other": ([(axes(LOSS, x_label=""), axes(VAL_LOSS))], None),
    "pictures beside": ([axes(LOSS), axes(images=1, x_label="", y_label="")], None),
    "no horizontal": ([axes(LOSS, x_label="")], "no label of the horizontal axis in the figure of"),
    "no vertical": ([axes(LOSS, y_label="")], "no label of the vertical axis"),
    "no legend": ([axes(LOSS, VAL_LOSS, legend=())], "no legend in the figure of cell 4"),
    "nothing at all": ([axes(LOSS, LOSS, x_label="", y_label="", legend=())], "and no legend"),
    "the second": ([axes(LOSS), axes(LOSS, y_label="")], "vertical"),
    "no curves": ([axes(images=1)], "a figure with a curve"),
    "nothing": ([], "expected a figure"),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels(figures, case, judge):
    drawn, wrong = LABELS[case]
    judge(wrong, figures(*drawn).expect_labels)


def test_pictures_are_counted_over_all_figures(figures, said):
    drawn = figures(axes(images=2), (axes(images=1), axes(LOSS)))
    drawn.expect_images(at_least=3)
    assert "at least 4 pictures. Received: 3" in said(drawn.expect_images, at_least=4)
    assert len(drawn) == 2
