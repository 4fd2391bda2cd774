"""What several tests put in the place of a judge's answer, a data set, a run's outcome."""

from types import SimpleNamespace

import numpy as np

from grader.sandbox.interface import Outcome

LAYER = {
    "name": "dense",
    "kind": "Dense",
    "is_layer": True,
    "units": 3,
    "activation": "softmax",
    "input_shape": [None, 4],
    "output_shape": [None, 3],
    "trainable_params": 15,
    "non_trainable_params": 0,
    "settings": {},
}
CARD = {
    "input_shape": [None, 4],
    "output_shape": [None, 3],
    "trainable_params": 15,
    "non_trainable_params": 0,
    "layers": [LAYER],
}
"""As the judge describes a model of one layer, from four numbers to three classes."""


def dataset(folder, inputs, labels, **changes):
    """A data set of which nothing is served, with these held-out inputs and labels."""
    held_out = folder / "inputs"
    held_out.mkdir()
    np.save(held_out / "inputs.npy", inputs)
    facts = {
        "beside": (),
        "name": "mnist",
        "source": "stand-in",
        "description": "a fake",
        "digest": "0" * 64,
        "served": folder / "served",
        "served_sha256": ("ab",),
        "held_out": held_out,
        "samples": len(labels),
        "sample_shape": inputs.shape[1:],
        "train_facts": {"min": 0.0, "max": 255.0, "mean": 33.0, "std": 78.0},
        "labels": lambda: labels,
        "extra": None,
    }
    return SimpleNamespace(**(facts | changes))


def outcome(artefacts, **changes):
    """A run that came to its end without a word."""
    facts = {
        "ending": "finished",
        "exit_code": 0,
        "stdout": "",
        "stderr": "",
        "artefacts": artefacts,
        "wall_s": 1.0,
        "cpu_s": 1.0,
        "peak_memory": 1,
    }
    return Outcome(**(facts | changes))
