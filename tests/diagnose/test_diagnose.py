"""What an error of a student's code means is said where it can be known, and nothing elsewhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.diagnose import explain
from grader.diagnose.names import KNOWN
from grader.records import ErrorFacts

# What students write → what is in the sentence. Each is raised by the Keras that is installed.
OLD = {
    "keras.optimizers.RMSprop(lr=0.0001)": "`lr` is called `learning_rate` now.",
    "layers.Conv2D(3, (3, 3), border_mode='same', subsample=(2, 2))": (
        "`border_mode` is called `padding` now. `subsample` is called `strides` now."
    ),
    "layers.Conv2D(nb_filter=3, kernel_size=3)": "`nb_filter` is called `filters` now.",
    "layers.Dense(output_dim=3)": "`output_dim` is called `units` now.",
    "layers.LSTM(output_dim=3)": "`output_dim` is called `units` now.",
    "layers.Dropout(p=0.5)": "`p` is called `rate` now.",
    "layers.Dense(3, init='uniform')": "`init` is called `kernel_initializer` now.",
    "layers.Dense(3, W_regularizer='l2')": "`W_regularizer` is called `kernel_regularizer` now.",
    "model().fit(x, one_hot, nb_epoch=2)": "`nb_epoch` is called `epochs` now.",
    "keras.utils.to_categorical(y, nb_classes=10)": "`nb_classes` is called `num_classes` now.",
    "layers.LSTM(3, batch_input_shape=(1, 20, 1))": "`keras.Input(batch_shape=…)`",
    "model().predict_classes(x)": "`argmax`",
    "model().predict_proba(x)": "`predict_proba` is gone: `predict` gives these numbers.",
    "model().fit_generator(None)": "`fit` takes generators as well",
    "model().evaluate_generator(None)": "`evaluate` takes generators as well",
    "model().reset_states()": "not the model has states but its layers",
    "model().layers[0].output_shape": "`layer.output.shape`",
    "model().layers[0].input_shape": "`layer.input.shape`",
    "model().optimizer.lr": "the rate of an optimizer is `learning_rate`",
    "from keras.utils import np_utils": "e.g. `keras.utils.to_categorical`",
    "import keras.utils.np_utils": "e.g. `keras.utils.to_categorical`",
    "from tensorflow.keras.utils import np_utils": "e.g. `keras.utils.to_categorical`",
    "from keras.utils.vis_utils import plot_model": "e.g. `keras.utils.plot_model`",
    "from keras.layers.core import Dense": "all layers are in `keras.layers`",
    "from tensorflow.keras.layers.core import Dense": "all layers are in `keras.layers`",
    "from keras.layers.convolutional import Conv2D": "all layers are in `keras.layers`",
    "from keras.layers.normalization import BatchNormalization": "all layers are in `keras.layers`",
    "from keras.layers.advanced_activations import LeakyReLU": "all layers are in `keras.layers`",
    "from keras.layers import CuDNNLSTM": "`LSTM` uses cuDNN by itself",
    "from keras.layers import merge": "`Concatenate`, `Add`, `Multiply`",
    "from keras.optimizers import adam": "the class is called `Adam`",
    "keras.optimizers.sgd(0.1)": "the class is called `SGD`",
    "from keras.preprocessing.text import Tokenizer": "`tensorflow.keras.preprocessing.text`",
    "from keras.preprocessing.image import ImageDataGenerator": (
        "`tensorflow.keras.preprocessing.image`"
    ),
    "from keras.wrappers.scikit_learn import KerasClassifier": "`SKLearnClassifier`",
    "from keras.engine.topology import Layer": "its classes are in `keras`",
    "from keras import backend as K; K.mean(x)": "`keras.ops.mean`",
    "import tensorflow.contrib": "that was TensorFlow 1",
    "tf.Session()": "`tf.Session` was TensorFlow 1",
    "tf.placeholder('float')": "`tf.placeholder` was TensorFlow 1",
}
SHAPES = {
    "model().fit(x.reshape(64, 28, 28), one_hot, verbose=0)": (
        "takes 784 for each sample and was given 28 × 28: as many values, in another shape."
    ),
    "model().predict(x[:, :100], verbose=0)": "for 784 values in the last axis and was given 100.",
    "layers.Conv2D(3, 3)(keras.Input((28, 28)))": (
        "takes at least 3 axes for each sample and was given 28 × 28: height, width and channels"
    ),
    "keras.Sequential([keras.Input((20,)), layers.LSTM(3)])": "steps and features are wanted.",
    "keras.Sequential([keras.Input((20, 1)), layers.LSTM(3), layers.LSTM(3)])": (
        "takes 2 axes for each sample and was given 3: steps and features are wanted. "
        "A recurrent layer before it gives its last output only"
    ),
    "d = layers.Dense(3); d(x); d(x[:, :9])": "made for 784 values in the last axis",
    "model('sparse_categorical_crossentropy').fit(x, one_hot, verbose=0)": (
        "10 label values for each sample: this loss wants the number of the class alone."
    ),
    "model().fit(x, y, verbose=0)": "one label for each sample, and the network gives 10 values",
    "model('binary_crossentropy').fit(x, y, verbose=0)": "the network gives 10 values",
    "model().fit(x, one_hot[:50], verbose=0)": "There are 64 samples and 50 labels.",
    "keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(3, 5)])": (
        "A window of 5 × 5 does not fit into 4 × 4"
    ),
    "keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(3, 3), layers.MaxPooling2D(3)])": (
        "A window of 3 × 3 does not fit into 2 × 2"
    ),
    "x.reshape(60000, 784)": "are 47,040,000 values, and there are 50,176: 64 samples.",
    "keras.Sequential([keras.Input((20, 1)), layers.LSTM(3, stateful=True)])": (
        "a state for each sample of a batch"
    ),
}
NAMES = {
    "model('categorical_cross_entropy').fit(x, one_hot, verbose=0)": (
        "No loss is called `categorical_cross_entropy`; `categorical_crossentropy` is one."
    ),
    "model('binomial_crossentropy').fit(x, one_hot, verbose=0)": "`binary_crossentropy` is one.",
    "model().compile(loss='mse', optimizer='rmsprob')": "`rmsprop` is one.",
    "layers.Dense(10, activation='rellu')": "No activation function is called `rellu`; `relu` is",
}
KNOWN_TO_KERAS = tuple(
    f"keras.{module}.get({name!r})"
    for module, sort in (
        ("activations", "activation function"),
        ("losses", "loss"),
        ("optimizers", "optimizer"),
    )
    for name in KNOWN[sort]
)
OWN_WORDS = (
    "modle.fit(x)",
    "from keras.models import Sequental",
    "keras.utils.to_categorical(y + 9, 5)",
    "{}['acc']",
    "x['history']",
    "keras.Sequential([keras.Input((3,)), 'relu'])",
    "model().compile(loss='mse', optimizer='quick')",
    "open('nothing.npz')",
    "raise ValueError('lr')",
    "int('784')[0]",
)
"""Nothing is known of these that they do not say themselves."""


@pytest.fixture(scope="module")
def raised():
    """What real Keras raises for each snippet."""
    snippets = [*OLD, *SHAPES, *NAMES, *KNOWN_TO_KERAS, *OWN_WORDS]
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("raise_errors.py")],
        input=json.dumps(snippets),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answers = json.loads(ran.stdout)
    return {code: ErrorFacts(**facts) for code, facts in zip(snippets, answers, strict=True)}


@pytest.mark.keras
def test_what_keras_raises_is_said_in_the_terms_of_today(raised):
    wrong = {
        code: (explain(raised[code]), raised[code].kind, raised[code].message[:300])
        for code, words in (OLD | SHAPES | NAMES).items()
        if words not in explain(raised[code])
    }
    assert wrong == {}


@pytest.mark.keras
def test_where_nothing_more_is_known_nothing_is_said(raised):
    said = {code: explain(raised[code]) for code in OWN_WORDS}
    assert set(said.values()) == {""}, said
    assert all(raised[code].kind for code in OWN_WORDS)


@pytest.mark.parametrize(
    ("key", "history", "words"),
    [
        ("'acc'", ("accuracy", "loss"), "has `accuracy`, `loss`: a metric is called as `compile`"),
        ("'val_acc'", ("loss", "val_accuracy", "val_loss"), "`val_accuracy`"),
        ("'val_loss'", ("accuracy", "loss"), "no validation data: its history has `accuracy`"),
        ("'val_accuracy'", ("accuracy", "loss"), "no validation data"),
        ("'accuracy'", ("accuracy", "loss"), ""),
        ("'acc'", (), ""),
        ("'batch'", ("loss",), ""),
    ],
)
def test_a_key_that_the_history_has_not_is_told_from_those_it_has(make, key, history, words):
    error = ErrorFacts(kind="KeyError", message=key, line=1, traceback="plot(history.history[…])")
    fits = (make.fit(history=dict.fromkeys(history, (0.5,))),)

    said = explain(error, fits)

    assert words in said if words else said == ""
    assert explain(error) == ""


ANYTHING = st.text(max_size=80) | st.sampled_from([
    "Argument(s) not recognized: {'lr': ", "Expected shape (",
    "), but input has incompatible shape (",
    "target.shape=(", "output.shape=(None, 10)", "'x' sizes: ", "cannot reshape array of size 9",
    "Could not interpret loss identifier: ", "No module named 'keras.", "9" * 50, "None, ", "(,)",
])  # fmt: skip


@given(
    st.sampled_from(["ValueError", "TypeError", "AttributeError", "ImportError", "KeyError", "x"]),
    st.lists(ANYTHING, max_size=8).map("".join),
)
def test_whatever_an_error_says_it_is_read_without_one(kind, message):
    said = explain(ErrorFacts(kind=kind, message=message, line=1, traceback=message))
    assert isinstance(said, str)
    assert len(said) < 2000


@pytest.mark.keras
def test_only_names_that_keras_knows_are_proposed(raised):
    refused = {code: raised[code].message for code in KNOWN_TO_KERAS if raised[code].kind}
    assert refused == {}
    assert len(KNOWN_TO_KERAS) == sum(map(len, KNOWN.values()))
