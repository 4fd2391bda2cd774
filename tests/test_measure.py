import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grader.judging.forms import candidate_forms
from grader.measure import classes, measure, wilson
from grader.records import ArrayFacts, Predictions
from grader.settings import ModelWanted

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], dtype="uint8")
RIGHT = np.eye(3, dtype="<f4")[LABELS]


@pytest.fixture
def measured(make):
    """Measure rows of answers: ``measured(rows, ...)``."""

    def go(*answers, labels=LABELS, task="multiclass", width=3, problem="", **card_changes):
        predictions, kept = [], {}
        for place, answer in enumerate(answers):
            rows = np.asarray(answer, dtype="<f4")
            digest = hashlib.sha256(rows.tobytes()).hexdigest()
            kept[digest] = rows.tobytes()
            predictions.append(Predictions(form=f"form {place}", shape=rows.shape, sha256=digest))
        card = make.card(predictions=tuple(predictions), judge_problem=problem, **card_changes)
        wanted = ModelWanted(task=task, inputs=("vector",), classes=width)
        assignment = SimpleNamespace(settings=SimpleNamespace(model=wanted, data="mnist"))
        return measure(card, assignment, SimpleNamespace(labels=lambda: labels), kept.get)

    return go


def test_right_answers_count(measured):
    half = RIGHT.copy()
    half[:5] = np.roll(half[:5], 1, axis=1)
    found = measured(half)
    assert found.value == 0.5
    assert found.samples == 10
    assert found.low < 0.5 < found.high
    assert len(found.per_class) == 3
    assert not found.constant


def test_the_best_of_several_forms_counts_and_all_are_named(measured):
    found = measured(np.roll(RIGHT, 1, axis=1), RIGHT)
    assert (found.value, found.form) == (1.0, "form 1")
    assert found.tried == {"form 0": 0.0, "form 1": 1.0}


def test_an_answer_that_is_no_number_is_wrong_even_where_the_rest_points_right(measured):
    rows = RIGHT.copy()
    rows[0, 1] = np.nan
    rows[1, 1] = np.inf
    found = measured(rows)
    assert found.value == 0.8
    assert found.non_finite == 2
    assert measured(np.full((10, 3), np.nan)).value == 0.0


def test_a_constant_answer_is_noticed(measured):
    assert measured(np.tile(RIGHT[:1], (10, 1))).constant


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays("f4", (10, 3), elements=st.sampled_from([0.0, 0.3, 0.5, 1.0, -1.0, np.nan, np.inf])),
    arrays("u1", 10, elements=st.integers(0, 2)),
)
def test_every_number_is_what_its_definition_says(measured, rows, labels):
    found = measured(rows, labels=labels)
    right = [
        bool(np.isfinite(row).all()) and row.argmax() == label
        for row, label in zip(rows, labels, strict=True)
    ]
    of_class = [
        np.mean([one for one, label in zip(right, labels, strict=True) if label == each])
        for each in sorted(set(labels.tolist()))
    ]
    chosen = {int(np.nanargmax(row)) if not np.isnan(row).all() else 0 for row in rows}
    assert found.value == pytest.approx(np.mean(right))
    assert found.per_class == pytest.approx(of_class)
    assert found.non_finite == sum(not np.isfinite(row).all() for row in rows)
    assert (found.answered, found.constant) == (len(chosen), len(chosen) == 1)


@pytest.mark.parametrize(("width", "says"), [(1, "gives 1 number"), (4, "gives 4 numbers")])
def test_a_wrong_width_is_measured_as_nothing_with_a_reason(measured, width, says):
    found = measured(np.zeros((10, width)))
    assert found.value is None
    assert says in found.problem
    assert "needs 3" in found.problem


def test_no_answers_give_the_judges_reason(measured):
    assert measured(problem="The model takes images.").problem == "The model takes images."


def test_one_number_is_a_probability_or_a_logit(measured, make):
    labels = np.array([0, 1, 1, 0])
    rows = np.array([[0.2], [0.9], [0.4], [-1.0]])
    kwargs = {"labels": labels, "task": "binary"}
    assert measured(rows, **kwargs).value == 0.75
    logits = make.card(make.dense(1, "linear")).layers
    compiled = make.compiled(loss="binary_crossentropy", from_logits=True)
    assert measured(rows - 0.3, layers=logits, compiled=compiled, **kwargs).value == 1.0
    two = np.array([[0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.6, 0.4]])
    assert measured(two, **kwargs).value == 1.0
    assert measured(np.zeros((4, 3)), **kwargs).value is None


def test_the_interval_is_wilsons():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    low, high = wilson(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0.0, 10)[0] == 0.0
    assert wilson(1.0, 10)[1] == pytest.approx(1.0)


def test_ties_go_to_the_first_class():
    assert classes(np.zeros((2, 3), dtype="f4"), logits=False).tolist() == [0, 0]


# ------------------------------------------------------------------ forms


@pytest.fixture
def dataset(tmp_path):
    facts = {"min": 0.0, "max": 255.0, "mean": 33.3, "std": 78.6, "num_words": 10000.0}
    return SimpleNamespace(held_out=tmp_path, sample_shape=(28, 28), train_facts=facts)


def seen(low, high, mean=0.1):
    return ArrayFacts(shape=(9, 784), dtype="float32", minimum=low, maximum=high, mean=mean)


@pytest.mark.parametrize(
    ("trained_on", "names"),
    [
        (seen(0.0, 255.0, 33.3), ["raw values"]),
        (seen(0.0, 1.0), ["scaled to 0…1"]),
        (seen(-1.0, 1.0), ["scaled to −1…1"]),
        (seen(-0.5, 0.5), ["scaled to −0.5…0.5"]),
        (seen(-0.4237, 2.8206, 0.0), ["standardised"]),
        (seen(0.0, 1 / 255), ["scaled to 0…0.003922, as in training"]),
        # A part of the data, in which the brightest values happen to be missing.
        (seen(0.0, 230.0, 34.0), ["raw values", "scaled to 0…230, as in training"]),
        (seen(0.0, 0.9, 0.13), ["scaled to 0…1", "scaled to 0…0.9, as in training"]),
        (seen(0.0, 0.9, 0.45), ["scaled to 0…0.9, as in training"]),
        (
            seen(-1.2, 244.9, 0.0),
            ["scaled to -1.2…244.9, as in training", "standardised feature by feature"],
        ),
    ],
)
def test_the_scale_follows_from_what_was_trained_on(dataset, trained_on, names):
    forms = candidate_forms(["vector"], dataset, trained_on)
    assert [form.name.removeprefix("vectors of 784, ") for form in forms] == names


@pytest.mark.parametrize("trained_on", [None, seen(None, None), seen(3.0, 3.0)])
def test_every_known_scale_is_tried_when_nothing_was_seen(dataset, trained_on):
    assert len(candidate_forms(["vector"], dataset, trained_on)) == 6


def test_a_scale_maps_the_ends_of_the_range_to_the_ends_that_were_seen(dataset):
    (form,) = candidate_forms(["vector"], dataset, seen(-3.0, 7.0, 1.0))
    assert 0.0 * form.scale + form.shift == pytest.approx(-3.0)
    assert 255.0 * form.scale + form.shift == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("trained_on", "names"),
    [
        (seen(0.0, 1.0, 0.47), ["scaled to 0…1"]),
        (
            seen(-1.989, 2.127, 0.0),
            [
                "scaled to -1.989…2.127, as in training",
                "standardised feature by feature",
                "standardised colour by colour",
            ],
        ),
    ],
)
def test_colours_may_have_been_standardised_one_by_one(tmp_path, trained_on, names):
    facts = {"min": 0.0, "max": 255.0, "mean": 120.7, "std": 64.1}
    dataset = SimpleNamespace(held_out=tmp_path, sample_shape=(32, 32, 3), train_facts=facts)
    forms = candidate_forms(["image"], dataset, trained_on)
    assert [form.name.removeprefix("images of 32 × 32 × 3, ") for form in forms] == names
    assert [form.by_channel for form in forms] == ["colour by colour" in name for name in names]


def test_images_come_with_and_without_channels_and_words_as_vectors(dataset):
    shapes = [form.shape for form in candidate_forms(["image"], dataset, seen(0.0, 1.0))]
    assert shapes == [(28, 28), (28, 28, 1)]
    (words,) = candidate_forms(["multi_hot"], dataset, None)
    assert words.shape == (10000,)
    padded = candidate_forms(["padded"], dataset, None)
    assert [form.padding for form in padded] == ["pre", "post"]
    assert words.task()["layout"] == "multi_hot"


def test_of_numbers_the_mean_squared_error_is_measured(measured):
    labels = np.linspace(0, 1, 10, dtype="float32")
    found = measured(labels[:, None] + 0.1, labels=labels, task="regression", width=1)
    assert found.metric == "mean_squared_error"
    assert found.value == pytest.approx(0.01, abs=1e-6)
    assert found.low <= found.value <= found.high
    assert not found.constant
    assert measured(np.full((10, 1), 0.5), labels=labels, task="regression", width=1).constant


def test_of_several_forms_the_smallest_error_counts(measured):
    labels = np.linspace(0, 1, 10, dtype="float32")
    rows = labels[:, None]
    found = measured(rows + 1, rows, rows * np.nan, labels=labels, task="regression", width=1)
    assert (found.value, found.form) == (0.0, "form 1")
    assert found.tried == {"form 0": pytest.approx(1.0), "form 1": 0.0}


def test_answers_that_are_no_numbers_have_no_mean_error(measured):
    rows = np.zeros((10, 1))
    rows[3] = np.inf
    found = measured(rows, labels=np.zeros(10), task="regression", width=1)
    assert found.value is None
    assert found.problem == "1 answers are not numbers (NaN or infinite)."
