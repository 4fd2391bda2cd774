"""Checks of what a network is: its layers, shapes, activations and parameters."""

from grader.checks.constraints import Constraints
from grader.checks.edits import explain
from grader.checks.layers import WantedLayer, brief
from grader.checks.network import Comparison, found_layers
from grader.checks.parameters import Parameters
from grader.checks.shapes import Shapes
from grader.checks.verdict import Unmet
from grader.records import Shape

MOST_SHOWN = 30


class JudgedModel(Parameters, Shapes, Constraints):
    """The model that came out of a submission, as checks see it."""

    def expect_layers(self, *wanted: WantedLayer, input_shape: Shape | None = None) -> None:
        """Expect exactly these layers, in this order; what is not named may be anything.

        How they are written does not matter. Layers that only reshape, prepare the input,
        regularise or pool are compared once the assignment names one of their sort. Instead of its
        own activation the last layer may leave softmax or sigmoid to the loss
        (``from_logits=True``).

        Args:
            *wanted: The layers.
            input_shape: What the network takes, e.g. ``(None, 784)``; open when left out. A dense
                layer may get its samples flattened inside or outside of the model.

        Example:
            ``model.expect_layers(dense(512, "relu"), dropout(0.2), dense(10, "softmax"))``
        """
        compared = Comparison(wanted, found_layers(self.card, wanted), input_shape)
        if compared.met:
            return
        shown = [str(brief(said)) for said in compared.said]
        if len(shown) > MOST_SHOWN:
            shown[MOST_SHOWN:] = [f"{len(shown) - MOST_SHOWN:,} more"]
        raise Unmet(
            expected=" → ".join(map(str, wanted)),
            received=" → ".join(shown) or "a model without layers that learn",
            hint=explain(compared).words,
            alignment=compared.side_by_side(),
        )
