"""What is graded: three kinds of homework, the smallest honest one of each network."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.shared.notebooks import write_notebook

LOAD = "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()"
LABELS = """\
y_train = keras.utils.to_categorical(y_train, 10)
y_test = keras.utils.to_categorical(y_test, 10)"""
VECTORS = f"""\
{LOAD}
x_train = x_train.reshape(60000, 784).astype("float32") / 255
x_test = x_test.reshape(10000, 784).astype("float32") / 255"""
IMAGES = f"""\
{LOAD}
x_train = x_train.reshape(60000, 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(10000, 28, 28, 1).astype("float32") / 255"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of homework."""

    name: str
    """What ``--work`` calls it."""
    title: str
    """Of its notebooks."""
    assignment: str
    """What this grader judges it by."""
    variable: str
    """What its notebooks call the model."""
    data: str
    """The code that loads and scales."""
    layers: tuple[str, ...]
    """The arguments of ``Sequential``."""
    parameters: int
    """How many the network has."""
    epochs: int
    """How long it is trained."""
    minimum_accuracy: float
    """What the peers' tests ask for."""

    def cells(self, seed: int) -> list[str]:
        """The code cells of one notebook.

        Args:
            seed: Stands in the first one.
        """
        name = self.variable
        layers = "".join(f"    {layer},\n" for layer in self.layers)
        return [
            f"import keras\nfrom keras import layers\n\nkeras.utils.set_random_seed({seed})",
            self.data,
            LABELS,
            (
                f"{name} = keras.Sequential([\n{layers}])\n"
                f"{name}.compile(\n"
                '    loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"]\n'
                ")"
            ),
            f"history = {name}.fit(x_train, y_train, batch_size=128, epochs={self.epochs})",
            (
                f"test_loss, test_accuracy = {name}.evaluate(x_test, y_test)\n"
                'print(f"test accuracy: {test_accuracy:.4f}")'
            ),
        ]

    @property
    def tests(self) -> dict[str, str]:
        """The peers' tests by name, one point each."""
        return {
            "parameter_count": f"assert {self.variable}.count_params() == {self.parameters}\n",
            "softmax": (
                f"probabilities = {self.variable}.predict(x_test[:100], verbose=0)\n"
                "assert probabilities.shape == (100, 10)\n"
                "assert (abs(probabilities.sum(axis=1) - 1) < 1e-4).all()\n"
                "assert (probabilities >= 0).all()\n"
            ),
            "test_accuracy": (
                f"measured = {self.variable}.evaluate(x_test, y_test, verbose=0)[1]\n"
                f"assert measured >= {self.minimum_accuracy}, measured\n"
            ),
        }


SOFTMAX = Work(
    name="softmax",
    title="A softmax classifier for MNIST",
    assignment="mnist_softmax",
    variable="model",
    data=VECTORS,
    layers=("keras.Input((784,))", 'layers.Dense(10, activation="softmax")'),
    parameters=7_850,
    epochs=1,
    minimum_accuracy=0.85,
)
DENSE = Work(
    name="dense",
    title="A dense network for MNIST",
    assignment="mnist_dense",
    variable="network",
    data=VECTORS,
    layers=(
        "keras.Input((784,))",
        'layers.Dense(512, activation="relu")',
        'layers.Dense(10, activation="softmax")',
    ),
    parameters=407_050,
    epochs=2,
    minimum_accuracy=0.93,
)
CNN = Work(
    name="cnn",
    title="A small convolutional network for MNIST",
    assignment="mnist_small_cnn",
    variable="model",
    data=IMAGES,
    layers=(
        "keras.Input((28, 28, 1))",
        'layers.Conv2D(8, 3, activation="relu")',
        "layers.MaxPooling2D()",
        'layers.Conv2D(16, 3, activation="relu")',
        "layers.MaxPooling2D()",
        "layers.Flatten()",
        'layers.Dense(10, activation="softmax")',
    ),
    parameters=5_258,
    epochs=1,
    minimum_accuracy=0.85,
)
WORKS = {work.name: work for work in (SOFTMAX, DENSE, CNN)}


def write_class(folder: Path, work: Work, *, first_seed: int, students: int) -> list[Path]:
    """Write the notebooks of a class; the seeds make each unlike every other.

    Args:
        folder: Where to; made here.
        work: What they do.
        first_seed: The seed of the first; the others count on.
        students: How many.
    """
    folder.mkdir(parents=True)
    paths = []
    for number in range(students):
        path = folder / f"student_{number + 1:02}.ipynb"
        seed = first_seed + number
        title = f"# {work.title}\n\nHanded in by {path.stem}, {seed}."
        write_notebook(path, title, work.cells(seed))
        paths.append(path)
    return paths
