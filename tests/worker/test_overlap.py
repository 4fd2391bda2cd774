"""Whose rows enter ``fit`` and ``evaluate``, and whether labels are theirs."""

import numpy as np
import pytest

pytestmark = pytest.mark.keras

DIGITS, SHOWN = 1200, 200
REVIEWS = 300


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Data as a student gets it: what is called the test set is drawn from the training set."""
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (DIGITS, 28, 28), dtype=np.uint8)
    y = rng.integers(0, 10, DIGITS, dtype=np.uint8)
    shown = rng.permutation(DIGITS)[:SHOWN]
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=x[shown], y_test=y[shown])
    texts = np.empty(REVIEWS, object)
    texts[:] = [rng.integers(1, 3000, length).tolist() for length in rng.integers(90, 200, REVIEWS)]
    praise = rng.integers(0, 2, REVIEWS)
    shown = rng.permutation(REVIEWS)
    np.savez(
        folder / "imdb.npz",
        x_train=texts,
        y_train=praise,
        x_test=texts[shown],
        y_test=praise[shown],
    )
    return folder


@pytest.fixture(scope="module")
def prepared(fresh, served, tmp_path_factory):
    with fresh(tmp_path_factory.mktemp("prepared")) as process:
        answer = process.prepare(places={"data": str(served)}, decoded_data=True)
        assert answer["threads"] == 1
        assert not answer["tensorflow_started"]
        yield process


IMAGES = """
import keras
import numpy as np
import tensorflow as tf
rng = np.random.default_rng(3)
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x = x_train.reshape(-1, 784).astype("float32") / 255
x_late = x_test.reshape(-1, 784).astype("float32") / 255
y, y_late = y_train, y_test
mixed = rng.permutation(len(x))

def one_hot(labels):
    return keras.utils.to_categorical(labels, 10)

def fit(inputs, labels, **more):
    options = {"epochs": 1, "batch_size": 4096, "verbose": 0} | more
    shape = inputs.shape[1:]
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(),
                              keras.layers.Dense(10, activation="softmax")])
    loss = "sparse_categorical_crossentropy" if labels.ndim == 1 or labels.shape[1] == 1 else (
        "categorical_crossentropy")
    model.compile("sgd", loss)
    model.fit(inputs, labels, **options)
    return model
"""


def each(kernel, served, cases, common=IMAGES):
    """Run a table of cases, each a cell with one training: case → its training."""
    ran = kernel.run(common, *cases.values(), data=served, speed={"decoded_data": True})
    assert set(ran.outcomes) == {"ok"}, ran.errors
    return dict(zip(cases, ran.fits, strict=True))


def fitted(kernel, served, code, common=IMAGES):
    ran = kernel.run(common, code, data=served, speed={"decoded_data": True})
    assert ran.outcomes == ["ok", "ok"], ran.errors
    return ran.fits[-1]


@pytest.fixture(params=["prepared", "read when needed"])
def either(request, prepared, kernel):
    return prepared if request.param == "prepared" else kernel


def test_the_training_set_is_recognised_and_its_labels_are_its_own(either, served):
    rows = fitted(either, served, "fit(x, one_hot(y))").rows
    assert (rows.total, rows.looked_at, rows.known) == (DIGITS, DIGITS, DIGITS)
    assert (rows.from_test, rows.repeated) == (0, 0)
    assert (rows.labelled, rows.labels_right) == (DIGITS, DIGITS)


FORMS = {
    "bytes": "x_train",
    "between 0 and 1": "x",
    "between -1 and 1": "x * 2 - 1",
    "standardised as a whole": "(x - x.mean()) / x.std()",
    "in double precision": "x_train / 255",
    "in half precision": "x.astype('float16')",
    "divided twice": "x / 255",
    "black on white": "1 - x",
    "with a channel": "x.reshape(-1, 28, 28, 1)",
    "a tensor": "tf.constant(x)",
    "in another order in memory": "np.asfortranarray(x)",
    "shuffled": "x[mixed]",
    "every other": "x[::2]",
    "much too large": "x * 1e12",
}


@pytest.fixture(scope="module")
def in_forms(prepared, served):
    labels = {"shuffled": "y[mixed]", "every other": "y[::2]"}
    cases = {case: f"fit({x}, {labels.get(case, 'y')})" for case, x in FORMS.items()}
    return each(prepared, served, cases)


@pytest.mark.parametrize("case", FORMS)
def test_rows_are_recognised_in_every_form(in_forms, case):
    rows = in_forms[case].rows
    assert rows.known == rows.looked_at == rows.labels_right > 0
    assert rows.from_test == 0


STRANGE = {
    "others": "rng.random((300, 784))",
    "pixel by pixel standardised": "(x[:300] - x.mean(0)) / x.std(0)",
    "turned": "x.reshape(784, -1).T[:300]",
    "of another width": "x[:300, :20]",
    "nothing": "np.zeros((300, 784))",
    "all the same number": "np.full((300, 784), 7.3)",
    "no numbers": "np.full((300, 784), np.nan)",
    "flags": "rng.random((300, 784)) > 0.5",
    "single columns": "rng.random((300, 1))",
}


@pytest.fixture(scope="module")
def strange(prepared, served):
    held = "validation_data=(a[:50], y[:50])"
    cases = {case: f"a = {x}\nfit(a, y[:300], {held})" for case, x in STRANGE.items()}
    return each(prepared, served, cases)


@pytest.mark.parametrize("case", STRANGE)
def test_other_rows_are_not_taken_for_known_ones(strange, case):
    fit = strange[case]
    assert (fit.rows.known, fit.rows.from_test, fit.rows.labelled) == (0, None, 0)
    tells = case not in {"nothing", "all the same number", "no numbers", "single columns"}
    assert fit.validation_shared == (50 if tells else 0)
    assert fit.rows.repeated == 0


LABELS = {
    "one-hot": ("one_hot(y)", 1.0),
    "a column": ("y[:, None]", 1.0),
    "floats": ("y.astype('float32')", 1.0),
    "smoothed": ("one_hot(y) * 0.9 + 0.01", 1.0),
    "a tensor": ("tf.constant(y)", 1.0),
    "shuffled apart": ("y[mixed]", 0.1),
    "shifted": ("np.roll(one_hot(y), 1, axis=0)", 0.1),
    "half of them": ("np.concatenate([y[:600], y[mixed][600:]])", 0.55),
}


@pytest.fixture(scope="module")
def labelled(prepared, served):
    cases = {case: f"fit(x, {labels})" for case, (labels, _) in LABELS.items()}
    return each(prepared, served, cases)


@pytest.mark.parametrize("case", LABELS)
def test_labels_are_compared_with_those_of_their_rows(labelled, case):
    rows, right = labelled[case].rows, LABELS[case][1]
    assert rows.labelled == DIGITS
    assert rows.labels_right / rows.labelled == pytest.approx(right, abs=0.04)


SPLITS = {  # rows trained on, from test; validation rows, from test; shared
    "the last sixth": ("fit(x, y, validation_split=1/6)", (1000, 0), (200, 0), 0),
    "a permutation": (
        "fit(x[mixed[200:]], y[mixed[200:]], validation_data=(x[mixed[:200]], y[mixed[:200]]))",
        (1000, 0),
        (200, 0),
        0,
    ),
    "validation rows left in": (
        "fit(x, y, validation_data=(x[:200], y[:200]))",
        (1200, 0),
        (200, 0),
        200,
    ),
    "some of them left in": (
        "fit(x[100:], y[100:], validation_data=[x[:200], y[:200]])",
        (1100, 0),
        (200, 0),
        100,
    ),
    "the test set": ("fit(x, y, validation_data=(x_late, y_late))", (1200, 0), (200, 200), 0),
    "the test set as a tensor": (
        "fit(x, y, validation_data=(tf.constant(x_late), tf.constant(y_late)))",
        (1200, 0),
        (200, 200),
        0,
    ),
    "the test set, shuffled": (
        "late = rng.permutation(200)\nfit(x, y, validation_data=(x_late[late], y_late[late]))",
        (1200, 0),
        (200, 200),
        0,
    ),
    "test rows for training": (
        "fit(np.concatenate([x, x_late]), np.concatenate([y, y_late]))",
        (1400, 200),
        None,
        None,
    ),
    "only test rows for training": ("fit(x_late, y_late)", (200, 200), None, None),
    "test rows for training, others for validation": (
        (
            "fit(np.concatenate([x[200:], x_late]), np.append(y[200:], y_late),\n"
            "    validation_data=(x[:200], y[:200]))"
        ),
        (1200, 200),
        (200, 0),
        0,
    ),
    "a few rows": ("fit(x[:60], y[:60])", (60, 0), None, None),
}


@pytest.fixture(scope="module")
def split(prepared, served):
    return each(prepared, served, {case: code for case, (code, *_) in SPLITS.items()})


@pytest.mark.parametrize("case", SPLITS)
def test_it_is_told_where_rows_were_taken_from(split, case):
    _, training, validation, shared = SPLITS[case]
    fit = split[case]
    total, from_test = training
    assert fit.rows.total == total
    assert fit.rows.from_test == pytest.approx(from_test, abs=5)
    held = fit.validation_rows
    assert (held and (held.total, held.from_test)) == validation
    assert fit.validation_shared == shared


def test_rows_that_occur_twice_are_counted(prepared, served):
    fit = fitted(prepared, served, "fit(np.concatenate([x, x[:30]]), np.append(y, y[:30]))")
    assert fit.rows.repeated == 30
    own = "a = rng.random((90, 5))\nfit(np.concatenate([a, a[:30]]), y[:120])"
    assert fitted(prepared, served, own).rows.repeated == 30


def test_what_brings_its_own_batches_is_not_known(prepared, served):
    code = (
        "model = fit(x, y)\n"
        "model.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(64), verbose=0,\n"
        "          validation_data=tf.data.Dataset.from_tensor_slices((x, y)).batch(64))"
    )
    fit = fitted(prepared, served, code)
    assert (fit.rows, fit.validation_rows, fit.validation_shared) == (None, None, None)


def test_a_very_large_array_is_looked_at_in_part(prepared, served):
    code = "import grader.worker.fingerprints as f\nf.MOST_ROWS, f.SAMPLED_ROWS = 1000, 300\n"
    rows = fitted(prepared, served, code + "fit(x, y)").rows
    assert (rows.total, rows.looked_at, rows.known, rows.labels_right) == (1200, 300, 300, 300)
    assert (rows.repeated, rows.from_test) == (None, 0)
    late = "fit(np.concatenate([x, x]), np.append(y, y), validation_data=(x_late, y_late))"
    assert fitted(prepared, served, code + late).validation_rows.from_test == 200


def test_an_evaluation_tells_whose_rows_they_were(prepared, served):
    ran = prepared.run(
        IMAGES,
        "model = fit(x, y)\nmodel.evaluate(x_late, y_late, verbose=0)\n"
        "model.evaluate(x[:200], y[:200], verbose=0)",
        data=served,
        speed={"decoded_data": True},
    )
    assert ran.outcomes == ["ok", "ok"], ran.errors
    assert [(one.rows.known, one.rows.from_test) for one in ran.evaluations] == [
        (200, 200),
        (200, 0),
    ]


# ------------------------------------------------------------------ texts

TEXTS = """
import keras
import numpy as np
rng = np.random.default_rng(3)
(texts, y), (late, y_late) = keras.datasets.imdb.load_data(num_words=10000)

def multi_hot(sequences, dimension=10000):
    results = np.zeros((len(sequences), dimension), "float32")
    for i, sequence in enumerate(sequences):
        results[i, [word for word in sequence if word < dimension]] = 1.0
    return results

x, x_late = multi_hot(texts), multi_hot(late)

def fit(inputs, labels, **more):
    model = keras.Sequential([keras.Input(inputs.shape[1:]), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    model.fit(inputs, labels.astype("float32"), verbose=0, **more)
"""
REVIEWED = {  # known, from test; validation from test, shared
    "a hold-out": ("fit(x[100:], y[100:], validation_data=(x[:100], y[:100]))", 200, 0, (0, 0)),
    "left in": ("fit(x, y, validation_data=(x[:100], y[:100]))", 300, 0, (0, 100)),
    "the test set": ("fit(x, y, validation_data=(x_late, y_late))", 300, 0, (300, 0)),
    "shuffled": (
        (
            "p = rng.permutation(300)\n"
            "fit(x[p[100:]], y[p[100:]], validation_data=(x[p[:100]], y[p[:100]]))"
        ),
        200,
        None,
        (None, 0),
    ),
    "more words": (
        "w = multi_hot(texts, 12000)\nfit(w[100:], y[100:], validation_data=(w[:100], y[:100]))",
        200,
        0,
        (0, 0),
    ),
    "padded": (
        (
            "w = keras.utils.pad_sequences(texts, 300)\n"
            "fit(w[50:], y[50:], validation_data=(w[:100], y[:100]))"
        ),
        0,
        None,
        (None, 50),
    ),
}


@pytest.fixture(scope="module")
def reviewed(prepared, served):
    cases = {case: code for case, (code, *_) in REVIEWED.items()}
    return each(prepared, served, cases, common=TEXTS)


@pytest.mark.parametrize("case", REVIEWED)
def test_reviews_are_recognised_by_their_words(reviewed, case):
    _, known, from_test, (held, shared) = REVIEWED[case]
    fit = reviewed[case]
    assert (fit.rows.known, fit.rows.labels_right) == (known, known)
    assert fit.rows.from_test == from_test
    assert (fit.validation_rows.from_test, fit.validation_shared) == (held, shared)


# ------------------------------------------------------------------ weights


CONTINUED = {
    "new": ("a = made()\nfit(a)\nb = made()\nfit(b)", [None, None]),
    "the same one again": ("a = made()\nfit(a)\nfit(a)", [None, 0]),
    "compiled again": ("a = made()\nfit(a)\na.compile('sgd', 'mse')\nfit(a)", [None, 0]),
    "first weights put back": (
        "a = made()\nfirst = a.get_weights()\nfit(a)\na.set_weights(first)\nfit(a)",
        [None, None],
    ),
    "weights of another": (
        "a = made()\nfit(a)\nb = made()\nb.set_weights(a.get_weights())\nfit(b)",
        [None, 0],
    ),
    "the same beginning": (
        "a, b = made(), made()\nb.set_weights(a.get_weights())\nfit(a)\nfit(b)",
        [None, None],
    ),
    "built by fit": (
        "a = keras.Sequential([keras.layers.Dense(1)])\na.compile('sgd', 'mse')\nfit(a)\nfit(a)",
        [None, 0],
    ),
}


@pytest.mark.parametrize("case", CONTINUED)
def test_it_is_told_whether_a_training_goes_on_from_another(kernel, case):
    code, continues = CONTINUED[case]
    ran = kernel.run(
        "import keras\nimport numpy as np\nx = np.random.rand(40, 3)\n"
        "def made():\n    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
        "    model.compile('sgd', 'mse')\n    return model\n"
        "def fit(model):\n    model.fit(x, x.sum(1), verbose=0)",
        code,
    )
    assert ran.outcomes == ["ok", "ok"], ran.errors
    assert [fit.continues for fit in ran.fits] == continues
