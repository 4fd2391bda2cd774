"""What a field may say, where it is one word of several."""

from typing import Literal

Shape = tuple[int | None, ...]
"""Axis lengths, batch first."""


RunEnding = Literal[
    "finished",
    "raised",
    "exited",
    "timeout",
    "cpu",
    "memory",
    "output",
    "processes",
    "disk",
    "killed",
    "unreadable",
]
"""How the execution of a submission ended.

``finished``: every cell ran; ``raised``: at least one cell raised, the others ran;
``exited``: the code ended its own process before the last cell; ``timeout``, ``cpu``, ``memory``,
``output``, ``processes``, ``disk``: the limit of that name was hit; ``killed``: a signal that was
not ours; ``unreadable``: nothing could be run.
"""


CellOutcome = Literal["ok", "raised", "syntax", "exited", "stopped", "not_run"]
"""What became of one cell; ``stopped`` is the one that was running when the run was ended."""


CheckOutcome = Literal["passed", "failed", "skipped", "broken"]
"""``skipped``: not judged, worth 0, with a reason; ``broken``: our fault, outside both sums."""


GivenKind = Literal[
    "array",
    "tensor",
    "number",
    "boolean",
    "text",
    "none",
    "list",
    "tuple",
    "dict",
    "model",
    "name",
    "other",
]
"""What a value of the student's is; ``name``: a function, a class, or an object of Keras'."""


ProbeOutcome = Literal[
    "answered", "raised", "missing", "no_function", "timeout", "ended", "unanswered"
]
"""``missing``: no such name; ``ended``: the process died of it; ``unanswered``: it was not asked,
because the run had ended before."""


Task = Literal["multiclass", "binary", "multilabel", "regression"]
"""What a model's output means."""


Transform = Literal["noise", "shift"]
"""How the inputs of an extra set are changed: noise on each value, or words left out; images moved
by a pixel."""


Metric = Literal["accuracy", "mean_squared_error"]
"""What a model is measured by: of classes, the share answered right."""


CheckWord = Literal["expected", "received", "hint"]
"""What a check says beyond its verdict."""


Feedback = Literal["exact", "banded", "verdict"]
"""How much of what was measured on held-out data a student's copy of a report tells: all, in which
band it lies, or only what the verdicts of the checks give away."""


Where = Literal["judge", "student sandbox"]
"""Who answered: the judge, which runs no student's code; or, the weaker kind, the model's own code
in the sandbox that it was trained in."""


Role = Literal["layer", "plumbing", "preprocessing", "regularisation", "operation"]
"""What a layer is there for: learning, reshaping, preparing input, regularising, arithmetic."""
