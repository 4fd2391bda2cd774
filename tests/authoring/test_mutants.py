import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.authoring.mutants import KINDS, mutants_of
from grader.authoring.mutants.source import Program
from grader.checks.fixtures import Fixtures

IMPORTS = "import numpy as np\nimport matplotlib.pyplot as plt\nfrom tensorflow import keras"
LOAD = "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()"
SCALE = "x_train = x_train.reshape(60000, 784) / 255\nx_test = x_test.reshape(10000, 784) / 255"
LIST = 'model = keras.Sequential([\n    Dense(8, activation="relu"),\n    Dense(10, "softmax"),\n])'
ADDED = 'model = Sequential()\nmodel.add(Dense(8, activation="relu"))\nmodel.add(Dense(10))'
CALLED = 'x = Dense(8, activation="relu")(x)\ny = Dense(10, activation="softmax")(x)'
CNN = 'model = Sequential([Conv2D(8, (3, 3)), MaxPooling2D(2), Dropout(0.5), Dense(1, "sigmoid")])'
LSTMS = "model = Sequential([LSTM(32, return_sequences=True), LSTM(32), Dense(1)])"
L2 = "model = Sequential([Dense(8, kernel_regularizer=l2(0.01), name='a'), Dense(10, 'softmax')])"
COMPILE = 'model.compile("rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])'
BINARY = 'model.compile(optimizer=Adam(learning_rate=0.001), loss="binary_crossentropy")'
SPARSE = "model.compile('adam', 'sparse_categorical_crossentropy')"
FIT = "history = model.fit(x_train, y_train, epochs=5, batch_size=128, validation_split=0.2)"
PLAIN_FIT = "model.fit(x_train, y_train)"
EVALUATE = "loss, accuracy = model.evaluate(x_test, y_test)\nprint(loss, accuracy)"
PLOT = "plt.plot(history.history['loss'])\nplt.xlabel('epoch')\nplt.show()"
PICTURES = (
    "figure, axes = plt.subplots(2, 5)\n"
    "for axis, image in zip(axes.flat, x_train):\n"
    "    axis.imshow(image)\n    axis.set_title('one')\n"
    "plt.show()\nn = 1"
)
FUNCTION = "def mean(values, axis=0):\n    total = np.sum(values, axis=0)\n    return total / 2"
BUILDER = "def build():\n    model = Sequential([Dense(3)])\n    return model"
WINDOWS = (
    "series = np.sin(t)\n"
    "X = [series[i : i + 20] for i in range(80)]\n"
    "Y = [series[i + 20] for i in range(80)]"
)


def made(kind, source, **names):
    (only,) = (each for each in KINDS if each.name == kind)
    return mutants_of([source], kinds=[only], **names)


@pytest.mark.parametrize(
    ("kind", "source", "becomes"),
    [
        ("wrong hidden activation", LIST, 'Dense(8, activation="sigmoid")'),
        ("no hidden activation", ADDED, 'Dense(8, activation="linear")'),
        ("wrong output activation", LIST, 'Dense(10, "sigmoid")'),
        ("wrong output activation", ADDED, 'Dense(10, activation="relu")'),
        ("output activation missing", CALLED, 'y = Dense(10, activation="linear")(x)'),
        ("units off", LIST, 'Dense(9, activation="relu")'),
        ("units off", CNN, "Conv2D(16, (3, 3))"),
        ("units off", "n = 8\nmodel = Sequential([Dense(n), Dense(1)])", "n = 7"),
        ("layer missing", LIST, '[\n    Dense(10, "softmax"),\n]'),
        ("layer missing", ADDED, "Sequential()\npass\nmodel.add(Dense(10))"),
        ("layer missing", CALLED, "x = x\n"),
        ("layer missing", "m = Sequential([Dense(8), Dense(1)])", "Sequential([Dense(8)])"),
        ("layer doubled", LIST, 'Dense(10, "softmax"), Dense(10, "softmax")'),
        ("layer doubled", ADDED, "model.add(Dense(10))\nmodel.add(Dense(10))"),
        ("layer doubled", CALLED, 'Dense(8, activation="relu")(Dense(8, activation="relu")(x))'),
        ("layers swapped", LIST, '[\n    Dense(10, "softmax"),\n    Dense(8, activation="relu"),'),
        ("no bias", CALLED, 'Dense(10, activation="softmax", use_bias=False)(x)'),
        ("wrong kernel size", CNN, "Conv2D(8, 1)"),
        ("wrong padding", CNN, 'Conv2D(8, (3, 3), padding="same")'),
        ("wrong pooling", CNN, "AveragePooling2D(2)"),
        ("wrong return_sequences", LSTMS, "LSTM(32, return_sequences=False)"),
        ("wrong return_sequences", LSTMS, "LSTM(32, return_sequences=True), Dense"),
        ("wrong embedding size", "Sequential([Embedding(100, 16)])", "Embedding(100, 32)"),
        ("dropout missing", CNN, "MaxPooling2D(2), Dense"),
        ("wrong dropout rate", CNN, "Dropout(0.05)"),
        ("dropout after the output", CNN, 'Dense(1, "sigmoid"), Dropout(0.5)]'),
        ("L2 missing", L2, "Dense(8, name='a')"),
        ("wrong loss", COMPILE, 'loss="mean_squared_error"'),
        ("wrong loss", BINARY, 'loss="categorical_crossentropy"'),
        ("loss of another label form", SPARSE, "compile('adam', \"categorical_crossentropy\")"),
        ("labels of another form", "y = keras.utils.to_categorical(labels, 10)", "y = labels"),
        ("labels of another form", f"{SPARSE}\n{FIT}", "utils.to_categorical(y_train)"),
        ("wrong optimizer", COMPILE, 'compile("sgd"'),
        ("wrong optimizer", BINARY, 'optimizer="sgd"'),
        ("wild learning rate", COMPILE, "optimizers.RMSprop(learning_rate=10.0)"),
        ("wild learning rate", BINARY, "Adam(learning_rate=10.0)"),
        ("too few epochs", FIT, "epochs=1,"),
        ("too few epochs", "n = 9\nmodel.fit(x, y, epochs=n)", "n = 1"),
        ("wrong batch size", FIT, "batch_size=512"),
        ("model never trained", f"a = 1\n{FIT}", "a = 1\npass"),
        ("model never compiled", f"a = 1\n{COMPILE}", "a = 1\npass"),
        ("fresh model after training", f"{COMPILE}\n{FIT}", "clone_model(model)\nmodel.compile("),
        ("constant prediction", FIT, "model.set_weights([0 *"),
        ("callbacks missing", "model.fit(x, y, epochs=2, callbacks=[a])", "fit(x, y, epochs=2)"),
        ("unscaled input", SCALE, "x_train = x_train.reshape(60000, 784)\n"),
        ("unscaled input", "x /= 255.0", "pass"),
        ("unscaled input", "Sequential([Rescaling(1 / 255), Dense(1)])", "Sequential([Dense(1)])"),
        ("doubly scaled input", SCALE, "reshape(60000, 784) / 255 / 255\n"),
        ("test set unscaled", SCALE, "/ 255\nx_test = x_test.reshape(10000, 784)"),
        ("labels shuffled", f"{IMPORTS}\n{FIT}", "np.random.default_rng(0).permutation(y_train)"),
        ("labels shuffled", PLAIN_FIT, "__import__('numpy').random"),
        ("labels of the next row", f"{IMPORTS}\n{FIT}", "np.roll(y_train, 1, axis=0)"),
        ("labels off by one", f"{IMPORTS}\n{COMPILE}\n{FIT}", "np.roll(y_train, 1, axis=-1)"),
        ("labels off by one", f"{BINARY}\n{FIT}", "1 - y_train"),
        ("labels off by one", f"{IMPORTS}\n{SPARSE}\n{FIT}", "(y_train + 1) % (np.max(y_train)"),
        ("test data in fit", f"{IMPORTS}\n{FIT}\n{EVALUATE}", "np.concatenate([x_train, x_test])"),
        ("test data in fit", f"{LOAD}\n{PLAIN_FIT}", "model.fit(x_test, y_test)"),
        ("only a part of the data", FIT, "x_train[: len(x_train) // 10]"),
        ("validation on test", f"{FIT}\n{EVALUATE}", "validation_data=(x_test, y_test))"),
        ("validation on test", f"{PLAIN_FIT}\n{EVALUATE}", "y_train, validation_data=(x_test"),
        ("validation missing", FIT, "epochs=5, batch_size=128)"),
        ("plot missing", f"{IMPORTS}\n{PLOT}", "keras\npass\npass\npass"),
        ("plot missing", f"{IMPORTS}\n{PICTURES}", "keras\npass\npass\npass\nn = 1"),
        ("plot without labels", f"{IMPORTS}\n{PLOT}", "['loss'])\npass\nplt.show()"),
        ("plot without labels", f"{IMPORTS}\n{PICTURES}", "axis.imshow(image)\n    pass\nplt"),
        ("evaluate missing", f"a = 1\n{EVALUATE}", "a = 1\npass\npass"),
        ("function off by one", FUNCTION, "return (total / 2) + 1"),
        ("function with the wrong sign", FUNCTION, "return -(total / 2)"),
        ("function returns nothing", FUNCTION, "return None"),
        ("function along the wrong axis", FUNCTION, "np.sum(values, axis=1)"),
        (
            "function changes its input",
            FUNCTION,
            "\n    values[0] = values[-1]\n    return _result",
        ),
        ("shuffled series", f"{IMPORTS}\n{WINDOWS}", "permutation(series)\nX ="),
        ("window off by one", WINDOWS, "series[i + 20 + 1]"),
        ("window off by one", WINDOWS, "series[i : i + 20 - 1]"),
        ("future leak", WINDOWS, "series[i + 20 - 1] for"),
        ("future leak", "d = timeseries_dataset_from_array(s, s[20:], 20)", "s[20 - 1:]"),
        ("shuffled series", "d = timeseries_dataset_from_array(s, s[20:], 20)", "permutation(s)"),
    ],
)
def test_each_kind_makes_its_mistake_and_leaves_the_rest(kind, source, becomes):
    assert any(becomes in mutant.cells[0] for mutant in made(kind, source)), made(kind, source)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("wrong hidden activation", "model = Sequential([Dense(10, 'softmax')])"),
        ("output activation missing", ADDED),
        ("layer missing", "a = Dense(3)"),
        ("layers swapped", "model = Sequential([Dense(3), Dense(3)])"),
        ("no bias", "model = Sequential([Flatten()])"),
        ("dropout missing", LIST),
        ("L2 missing", LIST),
        ("wrong return_sequences", LIST),
        ("wrong loss", "model.compile('adam', my_own_loss)"),
        ("loss of another label form", BINARY),
        ("too few epochs", "model.fit(x, y, epochs=1)"),
        ("too few epochs", "scaler.fit(x)"),
        ("labels shuffled", "scaler.fit(x)"),
        ("unscaled input", "share = right / 10"),
        ("test set unscaled", "x_test = x_test / 255"),
        ("test data in fit", FIT),
        ("validation missing", PLAIN_FIT),
        ("validation on test", f"model.fit(x, y, validation_data=(x_test, y_test))\n{EVALUATE}"),
        ("plot missing", "print(1)"),
        ("evaluate missing", FIT),
        ("function off by one", BUILDER),
        ("function changes its input", "def now():\n    return 1"),
        ("wrong variable name", "x = 1"),
        ("shuffled series", "a = b[1:2]"),
        ("future leak", "a = b[1:2]"),
    ],
)
def test_a_kind_is_left_out_where_it_does_not_apply(kind, source):
    assert made(kind, source) == ()


def test_only_names_that_are_asked_for_are_made_wrong():
    source = "x_vec = load()\nother = x_vec + 1"
    (renamed,) = made("wrong variable name", source, names=["x_vec", "y_vec"])
    assert renamed.cells == ("x_vec_2 = load()\nother = x_vec_2 + 1",)
    assert made("wrong variable shape", source, names=["x_vec"]) == ()
    (reshaped,) = made("wrong variable shape", source, checked=["x_vec"])
    assert reshaped.cells[0].endswith("\nx_vec = __import__('numpy').expand_dims(x_vec, 0)")


def test_lines_of_ipython_and_letters_of_two_bytes_do_not_shift_an_edit():
    cells = (
        "%matplotlib inline\n!ls",
        'é = "größe"; model.fit(x, y, epochs=5)  # ñ',
        "this is no Python",
    )
    (mutant,) = mutants_of(cells, kinds=[k for k in KINDS if k.name == "too few epochs"])
    assert mutant.cells == (cells[0], cells[1].replace("=5", "=1"), cells[2])
    assert mutant.where == "cell 2, line 1"
    assert mutant.diff == f"-{cells[1]}\n+{mutant.cells[1]}"
    assert Program(cells).unread == [3]


# ------------------------------------------------------------------ properties

NETWORKS = st.sampled_from([LIST, ADDED, CALLED, CNN, LSTMS, L2])
CELLS = st.tuples(
    st.sampled_from([IMPORTS, "import keras\nimport numpy", "from keras import layers"]),
    st.sampled_from([LOAD, SCALE, f"{LOAD}\n{SCALE}", WINDOWS]),
    NETWORKS,
    st.sampled_from([COMPILE, BINARY, SPARSE]),
    st.sampled_from([FIT, PLAIN_FIT, f"if True:\n    {FIT}"]),
    st.sampled_from([EVALUATE, PLOT, FUNCTION, BUILDER, f"{FUNCTION}\n\n{EVALUATE}"]),
)


@given(cells=CELLS)
@settings(max_examples=60, deadline=None)
def test_every_mutant_of_any_solution_parses_differs_and_is_like_no_other(cells):
    found = mutants_of(cells, names=["x_train", "history"], checked=["x_test"])
    assert len(found) > 10
    assert len({mutant.name for mutant in found}) == len(found)
    assert len({mutant.cells for mutant in found} | {cells}) == len(found) + 1
    for mutant in found:
        changed = [now for was, now in zip(cells, mutant.cells, strict=True) if was != now]
        assert changed
        for cell in changed:
            ast.parse(cell)
        assert mutant.diff
        assert mutant.name.replace("-", "").replace("_", "").isalnum()


def test_the_kinds_have_names_of_their_own():
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 20


def test_what_shows_a_mistake_are_fixtures_that_checks_have():
    fixtures = set(vars(Fixtures))
    for kind in KINDS:
        assert kind.shows_in <= fixtures, kind.name


def test_the_guide_names_every_kind():
    guide = Path(__file__).parents[2] / "docs" / "validate-an-assignment.md"
    text = guide.read_text("utf-8")
    assert [kind.name for kind in KINDS if f"`{kind.name}`" not in text] == []
