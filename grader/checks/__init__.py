"""What checks are written with, and what runs them.

A check is a pytest test whose fixtures are facts::

    import pytest
    from grader.checks import dense

    @pytest.mark.points(3)
    def test_layers(model):
        \"\"\"The classifier is one dense layer with ten softmax units.\"\"\"
        model.expect_layers(dense(10, "softmax"))

``model``, ``fits``, ``evaluations``, ``figures``, ``variables``, ``values``, ``probes``,
``answers`` and ``held_out`` have ``expect_…`` methods that give verdict and explanation; a plain
``assert`` works just as well.
"""

from grader.checks.layers import (
    WantedLayer,
    average_pooling,
    batch_normalization,
    bidirectional,
    conv2d,
    dense,
    dropout,
    embedding,
    flatten,
    global_average_pooling,
    layer,
    lstm,
    max_pooling,
    time_distributed,
)
from grader.checks.output_rows import output_hints, output_mistakes, output_rows
from grader.checks.verdict import Unmet

__all__ = [
    "Unmet",
    "WantedLayer",
    "average_pooling",
    "batch_normalization",
    "bidirectional",
    "conv2d",
    "dense",
    "dropout",
    "embedding",
    "flatten",
    "global_average_pooling",
    "layer",
    "lstm",
    "max_pooling",
    "output_hints",
    "output_mistakes",
    "output_rows",
    "time_distributed",
]
