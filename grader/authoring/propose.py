"""Evidence of the reference solution → checks that it passes, for the author to loosen.

A proposal says exactly what the reference is; what of that an assignment means is known to its
author alone. So each comes with a comment on how to ask for less.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.checks.compatibility import BINARY, CATEGORICAL, SPARSE
from grader.checks.verdict import count
from grader.records import ArrayFacts, Evidence, LayerCard, Measurement, ModelCard, Task

SETTINGS = ("kernel_size", "pool_size", "strides", "return_sequences", "rate")
"""Arguments that tell one layer from another of its class, where they are not the usual ones."""
USUAL = ([1], [1, 1], [1, 1, 1], False)
CLASSES = ("multiclass", "binary")
"""Tasks whose answers are right or wrong."""
MOST_VARIABLES = 4
LONGEST_LINE = 100
ROOM = 0.01
"""Below the interval of the reference's own accuracy, for another seed and another machine."""
ROOM_IN_A_CLASS = 0.05
LOWEST_SHARE = 0.05
"""A floor for each class below which it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedCheck:
    """One check, as it will be written."""

    name: str
    """The test function."""
    title: str
    """What students read."""
    points: int
    """What it is worth."""
    fixture: str
    """The fact it asks for."""
    body: tuple[str, ...]
    """Its lines."""
    looser: str
    """For the author: how to ask for less."""
    helpers: tuple[str, ...] = ()
    """What it needs of ``grader.checks``."""


def task_of(card: ModelCard) -> tuple[Task, int]:
    """Tell from loss and output what a model is for, and how many classes or numbers it gives."""
    width = (card.output_shape[-1] if card.output_shape else None) or 1
    loss = card.compiled.loss if card.compiled else ""
    if loss in (CATEGORICAL, SPARSE):
        return "multiclass", width
    if loss == BINARY:
        return ("binary", 1) if width == 1 else ("multilabel", width)
    return "regression", width


def floor_of(measurement: Measurement | None) -> float | None:
    """Give an accuracy that the reference reaches with another seed, too; of numbers, none."""
    if measurement is None or measurement.value is None or measurement.low is None:
        return None
    return _down(min(measurement.low, measurement.value - ROOM))


def margin_of(measurement: Measurement | None) -> float:
    """Give the distance from the floor within which chance decides."""
    if measurement is None or measurement.value is None or measurement.low is None:
        return ROOM
    return max(0.005, round((measurement.value - measurement.low) / 2, 3))


def visible_checks(
    reference: Evidence, untouched: Evidence, handout: str
) -> Iterator[ProposedCheck]:
    """Propose checks that students see.

    Args:
        reference: What the reference solution did.
        untouched: What the untouched handout did: what it has already earns no points.
        handout: Its text: only names that students read there may be asked for.
    """
    card = reference.card
    if card is None:
        return
    task, _ = task_of(card)
    yield ProposedCheck(
        name="test_trained",
        title="The model is trained, and its loss stays a number.",
        points=1,
        fixture="fits",
        body=("fits.expect_trained(epochs=1)",),
        looser="Stricter: more epochs.",
    )
    yield from _variables(reference, untouched, handout)
    yield from _architecture(card)
    yield from _compiled(card)
    yield ProposedCheck(
        name="test_output_loss_and_labels",
        title="Last activation, loss and labels belong together.",
        points=2,
        fixture="fits",
        body=(f'fits.expect_output_loss_and_labels_match("{task}")',),
        looser="Nothing to loosen: every right combination passes.",
    )
    yield from _inputs(reference)
    floor = floor_of(reference.measurement)
    if floor is not None and reference.measurement is not None and task in CLASSES:
        yield ProposedCheck(
            name="test_held_out_accuracy",
            title=f"It is right on at least {100 * floor:g} % of samples it has never seen.",
            points=3,
            fixture="held_out",
            body=(f"held_out.expect_accuracy(at_least={floor:.2f})",),
            looser=f"The reference reached {_share(reference.measurement)}. Looser: a lower floor, "
            "here and in\nassignment.toml; high enough still to tell the usual mistakes.",
        )


def hidden_check(reference: Evidence) -> ProposedCheck:
    """Propose one check that students do not see."""
    measurement = reference.measurement
    card = reference.card
    classes = card is not None and task_of(card)[0] in CLASSES
    shares = measurement.per_class if measurement and classes and floor_of(measurement) else ()
    floor = _down(min(shares) - ROOM_IN_A_CLASS) if shares else 0.0
    if floor > LOWEST_SHARE:
        return ProposedCheck(
            name="test_each_class",
            title="No class is given up for the sake of the others.",
            points=1,
            fixture="held_out",
            body=(f"held_out.expect_each_class(at_least={floor:.2f})",),
            looser=f"The reference's worst class: {100 * min(shares):.1f} %.",
        )
    return ProposedCheck(
        name="test_runs_to_its_end",
        title="It runs from the first cell to the last without an error.",
        points=1,
        fixture="execution",
        body=('assert execution.ending == "finished"',),
        looser="Leave it out where an error in a last plot may be forgiven.",
    )


# ------------------------------------------------------------------ what is proposed of what


def _architecture(card: ModelCard) -> Iterator[ProposedCheck]:
    layers = card.learning_layers
    if layers:
        calls = [_layer(card, layer, last=layer is layers[-1]) for layer in layers]
        yield ProposedCheck(
            name="test_layers",
            title=_title_of(layers, calls[-1]),
            points=2,
            fixture="model",
            body=_call("model.expect_layers", calls),
            looser='Looser: layer("Dense") takes any width and activation. How the network is '
            "written does not matter,\nnor do layers that reshape, prepare or regularise.",
            helpers=tuple(dict.fromkeys(call.partition("(")[0] for call in calls)),
        )
    yield ProposedCheck(
        name="test_parameters",
        title=f"It has {card.trainable_params:,} trainable parameters.",
        points=1,
        fixture="model",
        body=(f"model.expect_trainable_params({card.trainable_params:_})",),
        looser=f"Looser: assert model.trainable_params <= {_rounded_up(card.trainable_params):_}",
    )


def _compiled(card: ModelCard) -> Iterator[ProposedCheck]:
    if card.compiled is not None:
        optimizer = card.compiled.optimizer
        other = "SGD" if optimizer == "Adam" else "Adam"
        yield ProposedCheck(
            name="test_optimizer",
            title=f"It is compiled with the optimizer {optimizer}.",
            points=1,
            fixture="model",
            body=(
                "assert model.compiled is not None",
                f'assert model.compiled.optimizer == "{optimizer}"',
            ),
            looser=f'Looser: in ("{optimizer}", "{other}"). Leave it out where any will do.',
        )


def _inputs(reference: Evidence) -> Iterator[ProposedCheck]:
    own = [fit for fit in reference.execution.fits if fit.model == reference.execution.chosen]
    facts = own[-1].x if own else None
    if facts is None or facts.maximum is None:
        return
    form = reference.measurement.form if reference.measurement else ""
    if form.startswith("multi-hot"):
        words = facts.shape[-1]
        yield ProposedCheck(
            name="test_multi_hot",
            title="Each text is a vector of zeros and ones.",
            points=1,
            fixture="fits",
            body=(f"fits.expect_multi_hot_inputs({words:_})",),
            looser="Leave it out where another encoding is as good.",
        )
    elif not form.startswith("padded"):
        yield ProposedCheck(
            name="test_scaled_inputs",
            title="The model sees inputs of moderate size.",
            points=1,
            fixture="fits",
            body=("fits.expect_scaled_inputs()",),
            looser="Nothing to loosen: any usual scale passes, before fit or in the model.",
        )


def _variables(reference: Evidence, untouched: Evidence, handout: str) -> Iterator[ProposedCheck]:
    def is_asked_for(name: str, facts: ArrayFacts) -> bool:
        known = untouched.execution.variables.get(name)
        named = re.search(rf"\b{re.escape(name)}\b", handout)
        return bool(named and facts.shape) and (not known or known.shape != facts.shape)

    made: Mapping[str, ArrayFacts] = {
        name: facts
        for name, facts in reference.execution.variables.items()
        if is_asked_for(name, facts)
    }
    if made:
        chosen = list(made.items())[:MOST_VARIABLES]
        yield ProposedCheck(
            name="test_shapes",
            title=f"{_listed([name for name, _ in chosen])} "
            f"{'has its' if len(chosen) == 1 else 'have their'} shape.",
            points=1,
            fixture="variables",
            body=tuple(
                f'variables.expect_shape("{name}", {tuple(facts.shape)})' for name, facts in chosen
            ),
            looser="Ask only for names that the handout gives; students may call the rest as they "
            "like.",
        )


# ------------------------------------------------------------------ words


def _layer(card: ModelCard, layer: LayerCard, *, last: bool) -> str:
    """A layer as ``expect_layers`` takes it."""
    activation = layer.activation
    compiled = card.compiled
    if last and activation == "linear" and compiled and compiled.from_logits:
        activation = "sigmoid" if compiled.loss.startswith("binary") else "softmax"
    return _source(layer.kind, layer.units, activation, layer.settings)


def _source(kind: str, units: Any, activation: str, settings: Mapping[str, Any]) -> str:
    if kind == "Dense":
        said = "" if activation == "linear" else f', "{activation}"'
        return f"dense({units}{said})"
    parts = [f'"{kind}"']
    if units is not None:
        parts.append(str(units))
    if kind.startswith(("Conv", "Depthwise", "Separable")):
        parts.append(f'activation="{activation}"')
    parts += [
        f"{key}={settings[key]!r}"
        for key in SETTINGS
        if key in settings and settings[key] not in USUAL
    ]
    if isinstance(inner := settings.get("layer"), Mapping):
        words = _source(inner["class"], inner["units"], inner["activation"], inner)
        parts.append(f"layer={words}")
    return f"layer({', '.join(parts)})"


def _title_of(layers: Sequence[LayerCard], last: str) -> str:
    said = f"It has {count(len(layers), 'layer')} that learn{'s' if len(layers) == 1 else ''}"
    known = re.search(r'(\d+)(?:, (?:activation=)?"(\w+)")?', last)
    if not known:
        return f"{said}."
    kind = f" {known[2]}" if known[2] else ""
    return f"{said}, the last with {known[1]}{kind} {'unit' if known[1] == '1' else 'units'}."


def _call(function: str, arguments: list[str]) -> tuple[str, ...]:
    line = f"{function}({', '.join(arguments)})"
    if len(line) + 4 <= LONGEST_LINE:
        return (line,)
    return (f"{function}(", *(f"    {argument}," for argument in arguments), ")")


def _down(share: float) -> float:
    """Round a share down to whole percents, never below nothing."""
    return max(0.0, math.floor(round(share, 6) * 100) / 100)


def _rounded_up(number: int) -> int:
    """One and a half times a number, to two digits."""
    digits = max(0, len(str(number)) - 2)
    step = int(10**digits)
    return math.ceil(1.5 * number / step) * step


def _share(measurement: Measurement) -> str:
    return f"{100 * (measurement.value or 0):.1f} % of {measurement.samples:,}"


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
