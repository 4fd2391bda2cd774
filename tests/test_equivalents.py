"""However a right network is spelled, every check of what it is passes.

Each spelling trains for a moment on a few samples and is asked about a part of what is held out;
what only long training or a plot can show is another test's.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from grader.assignment import find_assignment, read_assignment
from grader.authoring.brief import open_part
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.workbench import silent

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]


@dataclass(frozen=True)
class Layer:
    kind: str
    arguments: str = ""
    activation: str = ""


@dataclass(frozen=True)
class Network:
    shape: tuple
    layers: tuple
    loss: str
    variable: str = "model"
    data: tuple = ("x", "y")
    flat: str = ""
    """Code that reshapes ``x``, where the model may do it instead."""
    inside: str = "Flatten()"
    """The layer that does."""
    trained: str = "batch_size=128, epochs=1"
    optimizer: tuple = ("RMSprop", "")
    batch: int | None = None
    """The size of a batch, where the network knows it."""


@dataclass(frozen=True)
class Task:
    data: str
    networks: tuple
    checks: tuple


@dataclass(frozen=True)
class Spelling:
    build: str = "list"
    activations: str = "string"
    imports: str = "import keras\nfrom keras import layers"
    compiled: str = "strings"
    sparse: bool = False
    flatten_inside: bool = False
    variable: str = ""
    """A name of the student's own, where there is but one network."""
    old_names: bool = False


DENSE, DROPOUT = "Dense", Layer("Dropout", "0.2")
HIDDEN, MLP = Layer(DENSE, "512", "relu"), Layer(DENSE, "500", "relu")
TEN, ONE = Layer(DENSE, "10", "softmax"), Layer(DENSE, "1", "sigmoid")
LSTM, NEXT = Layer("LSTM", "32"), Layer(DENSE, "1")
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
COSINE = """
series = np.cos(np.arange(1000) * 20 * np.pi / 1000).astype("float32")[:670]
x, x40 = (np.array([series[i : i + n] for i in range(670 - n)])[..., None] for n in (20, 40))
y, y40 = series[20:], series[40:]
"""
XOR = """
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
y = np.array([[0], [1], [1], [0]], dtype="float32")
"""
WHAT = ("test_layers", "test_parameters", "test_output_loss_and_labels", "test_scaled_pixels")


def digits(*layers, variable="model"):
    """A network for vectors of pixels."""
    return Task(MNIST, (Network((784,), layers, "categorical", variable, flat=FLAT),), WHAT)


def reviews(variable, *layers):
    """A network for multi-hot vectors of words."""
    return Network((10000,), layers, "binary", variable)


def forecast(variable, *layers, **changes):
    """A network for windows of a series."""
    usual = {"optimizer": ("Adam", ""), "trained": "batch_size=16, epochs=2"}
    return Network(**({"shape": (20, 1), "layers": layers, "loss": "mse"} | usual
                      | {"variable": variable} | changes))  # fmt: skip


def dense(units, activation, more=""):
    """A dense layer, with settings of its own."""
    return Layer(DENSE, f"{units}{more}", activation)


def each(check, names):
    """One check of several networks, by the names that the assignment has for them."""
    return tuple(f"{check}[{name}]" for name in names)


FORECASTS = ("vanilla", "stateful", "wider", "stacked", "feed_forward")
TASKS = {
    "mnist_softmax": digits(TEN),
    "mnist_dense": digits(HIDDEN, TEN, variable="network"),
    "mnist_mlp": digits(MLP, MLP, TEN),
    "mnist_dropout": digits(*3 * (HIDDEN, DROPOUT), TEN),
    "mnist_cnn": Task(
        MNIST,
        (
            Network(
                (28, 28, 1),
                (
                    Layer("Conv2D", "32, 3", "relu"),
                    Layer("MaxPooling2D", "2"),
                    Layer("Conv2D", "32, (3, 3)", "relu"),
                    Layer("MaxPooling2D"),
                    Layer("Flatten"),
                    dense(64, "relu"),
                    TEN,
                ),
                "categorical",
                flat="x = x[..., np.newaxis]",
                inside="Reshape((28, 28, 1))",
            ),
        ),
        ("test_convolutions", "test_pooling", "test_samples_and_labels", *WHAT[1:]),
    ),
    "cifar10_cnn": Task(
        CIFAR,
        (
            Network(
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
            ),
        ),
        WHAT,
    ),
    "imdb_dense": Task(
        IMDB,
        (reviews("model", dense(16, "relu"), dense(16, "relu"), ONE),),
        ("test_layers", "test_parameters", "test_output_and_loss", "test_multi_hot"),
    ),
    "imdb_regularization": Task(
        IMDB,
        (
            reviews("original", dense(16, "relu"), dense(16, "relu"), ONE),
            reviews("smaller", dense(4, "relu"), dense(4, "relu"), ONE),
            reviews("larger", dense(512, "relu"), dense(512, "relu"), ONE),
            reviews(
                "with_l2",
                dense(16, "relu", ", kernel_regularizer=keras.regularizers.l2(0.001)"),
                dense(16, "relu", ", kernel_regularizer=keras.regularizers.L2(l2=0.001)"),
                ONE,
            ),
            reviews("with_dropout", *2 * (dense(16, "relu"), Layer("Dropout", "0.5")), ONE),
        ),
        (
            *("test_original", "test_smaller", "test_larger", "test_l2", "test_dropout"),
            *each("test_output_and_loss", ("smaller", "larger", "l2", "dropout")),
        ),
    ),
    "cosine_lstm": Task(
        COSINE,
        (
            forecast("vanilla", LSTM, NEXT),
            forecast(
                "stateful", Layer("LSTM", "32, stateful=True"), NEXT,
                batch=1, trained="batch_size=1, epochs=2, shuffle=False",
            ),
            forecast("wider", LSTM, NEXT, shape=(40, 1), data=("x40", "y40")),
            forecast("stacked", Layer("LSTM", "32, return_sequences=True"), LSTM, NEXT),
            forecast("feed_forward", Layer("Flatten"), *3 * (dense(32, "relu"),), NEXT),
        ),
        (
            *each("test_layers", FORECASTS),
            *each("test_parameters", FORECASTS),
            *each("test_training", FORECASTS),
            "test_batches_of_one",
        ),
    ),
    "xor": Task(
        XOR,
        (
            Network(
                (2,), (dense(2, "tanh"), dense(1, "tanh")), "mse",
                trained="batch_size=1, epochs=200", optimizer=("SGD", "learning_rate=0.1"),
            ),
        ),
        (
            *("test_shapes", "test_layers", "test_parameters", "test_loss", "test_optimizer"),
            *("test_one_sample_at_a_time", "test_updates", "test_error_fits_the_loss"),
        ),
    ),
}  # fmt: skip
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
NAMED = {"relu": "ReLU()", "softmax": "Softmax()"}


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
            one = f'Activation("{name}")'
            one = NAMED.get(name, one) if how.activations == "named" else one
            behind.append(f"layers.{one}")
    return [f"layers.{kind}({', '.join(given)})", *behind]


def program(task, how):
    """One student's script."""
    lines = [how.imports, "import numpy as np", "import tensorflow as tf", task.data.strip()]
    for network in task.networks:
        own = how.variable if len(task.networks) == 1 and network.loss != "mse" else ""
        lines += made_and_trained(network, own or network.variable, how)
    return "\n".join(lines) + "\n"


def made_and_trained(network, name, how):
    """The lines of one network."""
    inside = how.flatten_inside and network.flat
    made = [call for layer in network.layers for call in calls(layer, how)]
    if inside:
        made.insert(0, f"layers.{network.inside}")
    lines = [network.flat] if network.flat and not inside else []
    x, y = network.data
    if network.loss == "categorical" and not how.sparse:
        lines.append(f"{y} = keras.utils.to_categorical({y}, 10)")
    lines += build(how.build, name, made, (28, 28) if inside else network.shape, network.batch)
    lines += [
        (
            f"{name}.compile(optimizer={optimizer(network, how)}, loss={loss(network, how)}, "
            'metrics=["accuracy"])'
        ),
        f"{name}.fit({x}, {y}, {network.trained}, verbose=0)",
    ]
    return lines


def build(way, name, made, shape, batch=None):  # noqa: PLR0911 - one for each way
    """The lines that put layers together."""
    whole = ", ".join(made)
    chain = "\n".join(f"h = {call}(h)" for call in made)
    given = f"batch_shape={(batch, *shape)}" if batch else f"shape={shape}"
    match way:
        case "list":
            return [f"{name} = keras.Sequential([keras.Input({given}), {whole}])"]
        case "input_shape" if not batch:
            first = made[0].replace("(", f"(input_shape={shape}, ", 1)
            if not made[0].endswith("()"):
                first = made[0][:-1] + f", input_shape={shape})"
            return [f"{name} = keras.Sequential([{', '.join([first, *made[1:]])}])"]
        case "add":
            added = [f"{name}.add({call})" for call in made]
            return [
                f"{name} = keras.models.Sequential()",
                f"{name}.add(layers.Input({given}))",
                *added,
            ]
        case "functional":
            return [f"h = i = keras.Input({given})", chain, f"{name} = keras.Model(i, h)"]
        case "nested":
            inner, last = ", ".join(made[:-1]), made[-1]
            block = [f"block = keras.Sequential([{inner}])", "h = block(h)"] if inner else []
            return [
                f"h = i = keras.Input({given})", *block, f"h = {last}(h)",
                f"{name} = keras.models.Model(inputs=i, outputs=h)",
            ]  # fmt: skip
        case "function":
            return [
                "def build_it(**shape):",
                f"    net = keras.Sequential([keras.Input(**shape), {whole}])",
                "    return net",
                f"{name} = build_it({given})",
            ]
        case "input_shape":  # there is no argument for the size of a batch
            return build("list", name, made, shape, batch)
        case _:
            parts = "\n".join(f"        self.part{n} = {call}" for n, call in enumerate(made))
            through = "\n".join(f"        h = self.part{n}(h)" for n in range(len(made)))
            return [
                "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()",
                parts,
                f"    def call(self, h):\n{through}\n        return h",
                f"{name} = Net()",
            ]


def optimizer(network, how):
    kind, settings = network.optimizer
    if settings:
        return f"keras.optimizers.{kind}({settings})"
    return {"strings": f'"{kind.lower()}"', "functions": f'"{kind}"'}.get(
        how.compiled, f"keras.optimizers.{kind}()"
    )


def loss(network, how):
    if network.loss == "mse":
        # Each of Keras' two import paths has it under a name that the other has not.
        function = "MSE" if how.imports == TF_KERAS else "mean_squared_error"
        return {
            "functions": f"keras.losses.{function}",
            "classes": "keras.losses.MeanSquaredError()",
            "logits": '"mean_squared_error"',
        }.get(how.compiled, '"mse"')
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
        path.write_text(program(TASKS[name], how), "utf-8")
        (submission,) = collect([Path(path)])
        submissions.append(replace(submission, student=f"s{number}", origin=title))
    assignment = read_assignment(find_assignment(name))
    wishes = Wishes(store=folder / "store")
    with (
        open_office(assignment, folder / "results", wishes) as whole,
        open_part(assignment, whole, wishes, silent) as office,
    ):
        reports = grade(submissions, assignment, office.desk, office.hands, jobs=office.jobs)
    return dict(zip(SPELLINGS, reports, strict=True))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", TASKS)
def test_a_right_network_is_right_however_it_is_spelled(graded, name, spelling):
    report = graded(name)[spelling]
    assert report.ending == "finished", report.cells
    found = {check.name: check for check in report.checks}
    wrong = [found[check] for check in TASKS[name].checks if found[check].outcome != "passed"]
    assert wrong == []
