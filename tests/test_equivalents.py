"""However a right network is spelled, every check of what it is passes.

Each spelling trains for a moment on a few samples; what only long training or a plot can show is
another test's.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from grader.assignment import find_assignment, read_assignment
from grader.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]


@dataclass(frozen=True)
class Layer:
    kind: str
    arguments: str = ""
    activation: str = ""


@dataclass(frozen=True)
class Network:
    data: str
    shape: tuple
    layers: tuple
    loss: str
    checks: tuple
    variable: str = "model"
    flat: str = ""
    """Code that flattens ``x``, where the model may do it instead."""


@dataclass(frozen=True)
class Spelling:
    build: str = "list"
    activations: str = "string"
    imports: str = "import keras\nfrom keras import layers"
    compiled: str = "strings"
    sparse: bool = False
    flatten_inside: bool = False
    variable: str = ""
    old_names: bool = False


DENSE, DROPOUT = "Dense", Layer("Dropout", "0.2")
HIDDEN, MLP = Layer(DENSE, "512", "relu"), Layer(DENSE, "500", "relu")
TEN = Layer(DENSE, "10", "softmax")
PIXELS = 'x = x.astype("float32") / 255'
MNIST = f"(x, y), _ = keras.datasets.mnist.load_data()\nx, y = x[:512], y[:512]\n{PIXELS}"
FLAT = "x = x.reshape(-1, 784)"
CIFAR = f"(x, y), _ = keras.datasets.cifar10.load_data()\nx, y = x[:128], y[:128]\n{PIXELS}"
IMDB = """
(words, y), _ = keras.datasets.imdb.load_data(num_words=10000)
words, y = words[:512], y[:512].astype("float32")
x = np.zeros((512, 10000), dtype="float32")
for row, review in enumerate(words):
    x[row, review] = 1.0
"""
WHAT = ("test_layers", "test_parameters", "test_output_loss_and_labels", "test_scaled_pixels")
NETWORKS = {
    "mnist_softmax": Network(MNIST, (784,), (TEN,), "categorical", WHAT, flat=FLAT),
    "mnist_dense": Network(
        MNIST, (784,), (HIDDEN, TEN), "categorical", WHAT, variable="network", flat=FLAT
    ),
    "mnist_mlp": Network(MNIST, (784,), (MLP, MLP, TEN), "categorical", WHAT, flat=FLAT),
    "mnist_dropout": Network(
        MNIST, (784,), 3 * (HIDDEN, DROPOUT) + (TEN,), "categorical", WHAT, flat=FLAT
    ),
    "cifar10_cnn": Network(
        CIFAR,
        (32, 32, 3),
        (
            Layer("Conv2D", '32, 3, padding="same"', "relu"),
            Layer("Conv2D", "32, (3, 3)", "relu"),
            Layer("MaxPooling2D", "2"),
            Layer("Dropout", "0.25"),
            Layer("Conv2D", '64, 3, padding="same"', "relu"),
            Layer("Conv2D", "64, 3", "relu"),
            Layer("MaxPooling2D", "(2, 2)"),
            Layer("Dropout", "0.25"),
            Layer("Flatten"),
            HIDDEN,
            Layer("Dropout", "0.5"),
            TEN,
        ),
        "categorical",
        WHAT,
    ),
    "imdb_dense": Network(
        IMDB,
        (10000,),
        (Layer(DENSE, "16", "relu"), Layer(DENSE, "16", "relu"), Layer(DENSE, "1", "sigmoid")),
        "binary",
        ("test_layers", "test_parameters", "test_output_and_loss", "test_multi_hot"),
    ),
}
TF_KERAS = "from tensorflow import keras\nfrom tensorflow.keras import layers"
SPELLINGS = {
    "list": Spelling(),
    "add": Spelling(build="add", imports=TF_KERAS, sparse=True),
    "input_shape of the first layer": Spelling(build="input_shape", compiled="classes"),
    "functional": Spelling(build="functional", activations="function", compiled="functions"),
    "nested": Spelling(build="nested", sparse=True, compiled="classes"),
    "activation layers": Spelling(activations="layer", imports=TF_KERAS),
    "named activation layers": Spelling(activations="named", build="functional", sparse=True),
    "TensorFlow's activations": Spelling(activations="tensorflow", compiled="functions"),
    "logits": Spelling(compiled="logits", build="add"),
    "a function that builds": Spelling(build="function", variable="my_own_net", sparse=True),
    "subclass": Spelling(build="subclass", compiled="classes"),
    "flatten inside": Spelling(flatten_inside=True, build="add", sparse=True),
    "old names": Spelling(old_names=True, imports=TF_KERAS, compiled="functions"),
}
OLD = {"Conv2D": "Convolution2D", "MaxPooling2D": "MaxPool2D"}
NAMED = {"relu": "ReLU()", "softmax": "Softmax()", "sigmoid": 'Activation("sigmoid")'}


def calls(layer, how):
    """The calls that make one layer, an activation layer after it where it is one of its own."""
    kind = OLD.get(layer.kind, layer.kind) if how.old_names else layer.kind
    given = [layer.arguments] if layer.arguments else []
    behind = []
    if name := layer.activation:
        ways = {
            "string": f'activation="{name}"',
            "function": f"activation=keras.activations.{name}",
            "tensorflow": f"activation=tf.nn.{name}",
        }
        if how.compiled == "logits" and name in {"softmax", "sigmoid"}:
            pass
        elif how.activations in ways:
            given.append(ways[how.activations])
        else:
            one = f'Activation("{name}")' if how.activations == "layer" else NAMED[name]
            behind.append(f"layers.{one}")
    return [f"layers.{kind}({', '.join(given)})", *behind]


def program(network, how):
    """One student's script."""
    name = how.variable or network.variable
    inside = how.flatten_inside and network.flat
    shape = (28, 28) if inside else network.shape
    made = [call for layer in network.layers for call in calls(layer, how)]
    if inside:
        made.insert(0, "layers.Flatten()")
    lines = [how.imports, "import numpy as np", "import tensorflow as tf", network.data.strip()]
    lines += [network.flat] if network.flat and not inside else []
    if network.loss == "categorical" and not how.sparse:
        lines.append("y = keras.utils.to_categorical(y, 10)")
    lines += build(how.build, name, made, shape)
    lines += [
        (
            f"{name}.compile(optimizer={optimizer(how)}, loss={loss(network, how)}, "
            'metrics=["accuracy"])'
        ),
        f"{name}.fit(x, y, batch_size=128, epochs=1, verbose=0)",
    ]
    return "\n".join(lines) + "\n"


def build(way, name, made, shape):  # noqa: PLR0911 - one for each way
    """The lines that put layers together."""
    whole = ", ".join(made)
    chain = "\n".join(f"h = {call}(h)" for call in made)
    match way:
        case "list":
            return [f"{name} = keras.Sequential([keras.Input({shape}), {whole}])"]
        case "input_shape":
            first = made[0].replace("(", f"(input_shape={shape}, ", 1)
            if not made[0].endswith("()"):
                first = made[0][:-1] + f", input_shape={shape})"
            return [f"{name} = keras.Sequential([{', '.join([first, *made[1:]])}])"]
        case "add":
            added = [f"{name}.add({call})" for call in made]
            return [
                f"{name} = keras.models.Sequential()",
                f"{name}.add(layers.Input({shape}))",
                *added,
            ]
        case "functional":
            return [f"h = i = keras.Input(shape={shape})", chain, f"{name} = keras.Model(i, h)"]
        case "nested":
            inner, last = ", ".join(made[:-1]), made[-1]
            block = [f"block = keras.Sequential([{inner}])", "h = block(h)"] if inner else []
            return [
                f"h = i = keras.Input({shape})", *block, f"h = {last}(h)",
                f"{name} = keras.models.Model(inputs=i, outputs=h)",
            ]  # fmt: skip
        case "function":
            return [
                "def build_it(shape):",
                f"    net = keras.Sequential([keras.Input(shape), {whole}])",
                "    return net",
                f"{name} = build_it({shape})",
            ]
        case _:
            parts = "\n".join(f"        self.part{n} = {call}" for n, call in enumerate(made))
            through = "\n".join(f"        h = self.part{n}(h)" for n in range(len(made)))
            return [
                "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()",
                parts,
                f"    def call(self, h):\n{through}\n        return h",
                f"{name} = Net()",
            ]


def optimizer(how):
    return {"strings": '"rmsprop"', "functions": '"RMSprop"'}.get(
        how.compiled, "keras.optimizers.RMSprop()"
    )


def loss(network, how):
    name = "binary_crossentropy"
    if network.loss == "categorical":
        name = f"{'sparse_' if how.sparse else ''}categorical_crossentropy"
    as_class = "".join(part.title() for part in name.split("_"))
    return {
        "strings": f'"{name}"',
        "functions": f"keras.losses.{name}",
        "classes": f"keras.losses.{as_class}()",
        "logits": f"keras.losses.{as_class}(from_logits=True)",
    }[how.compiled]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade every spelling of a network as one class: network → spelling → outcomes."""
    known = {}

    def of(name):
        if name not in known:
            known[name] = _grade(name, tmp_path_factory.mktemp(name))
        return known[name]

    return of


def _grade(name, folder):
    submissions = []
    for number, (title, how) in enumerate(SPELLINGS.items()):
        path = folder / f"student{number}.py"
        path.write_text(program(NETWORKS[name], how), "utf-8")
        (submission,) = collect([Path(path)])
        submissions.append(replace(submission, student=f"s{number}", origin=title))
    assignment = read_assignment(find_assignment(name))
    with open_office(assignment, folder / "results", Wishes(store=folder / "store")) as office:
        reports = grade(submissions, assignment, office.desk, office.hands, jobs=office.jobs)
    return dict(zip(SPELLINGS, reports, strict=True))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_right_network_is_right_however_it_is_spelled(graded, name, spelling):
    report = graded(name)[spelling]
    assert report.ending == "finished", report.cells
    found = {check.name: check for check in report.checks}
    wrong = [found[check] for check in NETWORKS[name].checks if found[check].outcome != "passed"]
    assert wrong == []
