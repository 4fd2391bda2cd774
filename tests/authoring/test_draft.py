"""What is proposed for a new assignment holds for the reference it was read off."""

from dataclasses import replace

import pytest

from grader.assignment import read_assignment
from grader.authoring.draft import folder_of, inputs_for, read_solution, settings_text
from grader.authoring.propose import (
    floor_of,
    hidden_check,
    margin_of,
    task_of,
    visible_checks,
)
from grader.checks.session import run_checks
from grader.errors import AssignmentError, UsageError
from grader.records import ArrayFacts
from grader.settings import ModelWanted

SOLUTION = """\
# %% [markdown]
# # Little things
#
# Make `x_vec`.

# %%
from tensorflow import keras
(x, y), _ = keras.datasets.mnist.load_data()

# %%
### BEGIN SOLUTION
x_vec = x
### END SOLUTION
"""


@pytest.fixture
def read(tmp_path):
    def draft(text=SOLUTION, name="little"):
        path = tmp_path / "solution.py"
        path.write_text(text, "utf-8")
        return read_solution(path, name)

    return draft


def conv(make, **changes):
    layer = make.dense(
        32, "relu", kind="Conv2D", settings={"kernel_size": [5, 5], "strides": [1, 1]}
    )
    return replace(layer, **changes)


def around(make, kind, inner, units, activation, **settings):
    """A layer around another one, as the judge describes it."""
    described = {"class": inner, "units": units, "activation": activation, **settings}
    layer = make.dense(units, "linear", kind=kind, settings={"layer": described})
    return replace(layer, units=None)


CASES = {
    "two dense": lambda make: make.card(make.dense(512, "relu"), make.dense(10, inputs=512)),
    "logits": lambda make: make.card(
        make.dense(10, "linear"), compiled=make.compiled(from_logits=True)
    ),
    "convolution": lambda make: make.card(
        conv(make), replace(make.dense(8, "linear", kind="MaxPooling2D"), units=None), make.dense()
    ),
    "a deep one": lambda make: make.card(
        *(make.dense(100 + n, "relu") for n in range(12)), make.dense()
    ),
    "recurrent": lambda make: make.card(
        make.dense(16, "tanh", kind="LSTM", settings={"return_sequences": True}), make.dense()
    ),
    "both ways": lambda make: make.card(
        around(make, "Bidirectional", "LSTM", 16, "tanh", return_sequences=True),
        around(make, "TimeDistributed", "Dense", 3, "relu"),
        make.dense(),
    ),
}


def test_what_is_inside_another_layer_is_proposed_as_well(make):
    reference = make.evidence(card=CASES["both ways"](make))
    words = "\n".join(line for check in visible_checks(reference, None, "") for line in check.body)
    assert 'layer("Bidirectional", layer=layer("LSTM", 16, return_sequences=True))' in words
    assert 'layer("TimeDistributed", layer=dense(3, "relu"))' in words


@pytest.mark.parametrize("case", CASES)
def test_every_proposed_check_passes_on_the_reference_and_none_without_a_model(
    make, read, tmp_path, case
):
    variables = {"x_vec": ArrayFacts(shape=(60000, 784), dtype="float32")}
    card = CASES[case](make)
    ran = make.execution(variables=variables, fits=(make.fit(compiled=card.compiled),))
    reference = make.evidence(card=card, execution=ran)
    untouched = make.evidence(
        card=None, measurement=None, execution=make.execution(ending="raised", chosen=None)
    )
    draft = read()
    folder = tmp_path / "made"
    folder.mkdir()
    model = ModelWanted(task="multiclass", classes=10, inputs=("vector",))
    files = folder_of(
        draft,
        settings_text(draft, model, reference, 4),
        list(visible_checks(reference, untouched, draft.handout)),
        [hidden_check(reference)],
    )
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    assert all(len(line) <= 100 for line in files["test_little.py"].splitlines())
    assignment = read_assignment(folder)
    assert assignment.settings.thresholds.accuracy.at_least == 0.91
    outcomes = {}
    run_checks(
        (each for each in (reference, untouched)),
        assignment,
        lambda who, results, _: outcomes.update(
            {id(who): {result.name: result.outcome for result in results}}
        ),
    )
    assert {"test_shapes", "test_layers", "test_held_out_accuracy"} < set(outcomes[id(reference)])
    assert set(outcomes[id(reference)].values()) == {"passed"}, files["test_little.py"]
    assert "passed" not in outcomes[id(untouched)].values()


@pytest.mark.parametrize(
    ("loss", "units", "task"),
    [
        ("sparse_categorical_crossentropy", 7, ("multiclass", 7)),
        ("categorical_crossentropy", 2, ("multiclass", 2)),
        ("binary_crossentropy", 1, ("binary", 1)),
        ("binary_crossentropy", 5, ("multilabel", 5)),
        ("mean_squared_error", 3, ("regression", 3)),
    ],
)
def test_the_task_follows_from_loss_and_output(make, loss, units, task):
    card = make.card(make.dense(units), compiled=make.compiled(loss=loss))
    assert task_of(card) == task


@pytest.mark.parametrize(
    ("takes", "sample", "inputs"),
    [
        ((784,), (28, 28), ("vector", "image")),
        ((28, 28), (28, 28), ("image", "vector")),
        ((28, 28, 1), (28, 28), ("image", "vector")),
        ((32, 32, 3), (32, 32, 3), ("image", "vector")),
        ((None, None, 3), (32, 32, 3), ("image", "vector")),
        ((13,), (13,), ("vector",)),
        ((20, 1), (20, 1), ("as_is",)),
        ((20, 1), (20,), ("as_is",)),
        ((None, 3), (20, 3), ("as_is",)),
        ((60,), (20, 3), ("vector",)),
        ((9, 9, 9, 1), (9, 9, 9), ("as_is",)),
    ],
)
def test_the_input_forms_follow_from_the_models_input_and_the_datas_rows(
    make, takes, sample, inputs
):
    card = make.card(input_shape=(None, *takes))
    assert inputs_for(card, sample, is_words=False) == inputs


def test_inputs_that_the_grader_cannot_make_are_told(make):
    with pytest.raises(AssignmentError, match=r"shape \(None, 7, 7\).*shape \(28, 28\)"):
        inputs_for(make.card(input_shape=(None, 7, 7)), (28, 28), is_words=False)


def test_a_floor_leaves_room_for_chance(make):
    few = make.measurement(value=0.9, low=0.85, samples=200)
    many = make.measurement(value=0.9214, low=0.916, samples=10_000)
    assert (floor_of(few), floor_of(many)) == (0.85, 0.91)
    assert margin_of(few) < 0.9 - floor_of(few)
    assert floor_of(None) is floor_of(make.measurement(value=None)) is None


def test_numbers_that_are_predicted_are_neither_right_nor_wrong(make, read):
    card = make.card(
        make.dense(1, "linear"), compiled=make.compiled(loss="mean_squared_error", from_logits=None)
    )
    found = make.evidence(card=card, measurement=make.measurement(value=0.4, low=0.39))
    names = [check.name for check in visible_checks(found, make.evidence(card=None), "")]
    assert "test_held_out_accuracy" not in names
    assert "test_output_loss_and_labels" in names
    model = ModelWanted(task="regression", inputs=("vector",))
    assert "thresholds" not in settings_text(read(), model, found, 4)
    assert hidden_check(found).fixture == "execution"


def test_where_a_class_is_never_found_the_hidden_check_asks_for_something_else(make):
    poor = make.evidence(measurement=make.measurement(per_class=(0.9, 0.02)))
    assert hidden_check(poor).fixture == "execution"


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("### BEGIN SOLUTION\n", "", "without '### BEGIN"),
        ("### BEGIN SOLUTION\nx_vec = x\n### END SOLUTION\n", "x\n", "nothing is marked"),
        ("keras.datasets.mnist", "keras.datasets.boston", "this is seen: no data at all"),
        ("import keras\n", "import keras\nz = np.load('a.npz')\n", "this is seen: a.npz, mnist"),
    ],
)
def test_a_solution_that_will_not_do_is_told_before_it_runs(read, was, now, says):
    with pytest.raises((AssignmentError, UsageError)) as caught:
        read(SOLUTION.replace(was, now))
    assert says in str(caught.value)


def test_a_name_that_will_not_do_is_told(read):
    with pytest.raises(UsageError, match="is no name for an assignment"):
        read(name="Mein Netz")


@pytest.mark.parametrize(
    ("load", "found"),
    [
        ("keras.datasets.mnist.load_data()", ("mnist", "")),
        ("imdb.load_data()\nfrom keras.datasets import imdb", ("imdb", "")),
        ("np.load('my-own.npz')", ("", "my-own.npz")),
        ('np.load( "a.npz", allow_pickle=False)', ("", "a.npz")),
    ],
)
def test_the_data_is_what_the_solution_loads(read, load, found):
    draft = read(SOLUTION.replace("keras.datasets.mnist.load_data()", load))
    assert (draft.set, draft.file) == found
    assert draft.title == "Little things"
