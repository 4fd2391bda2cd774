"""Which models a run left behind, and in which of its files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from grader.messages import ModelsFound
from grader.records import FitRecord, FoundModel
from grader.sandbox.interface import Artefact

MOST_MODELS = 12


def found_models(
    said: ModelsFound | None, fits: Sequence[FitRecord], artefacts: Mapping[str, Artefact]
) -> tuple[FoundModel, ...]:
    """List the models of a run.

    Args:
        said: What the worker said of them; ``None`` after a sudden end, when each ``fit`` tells.
        fits: The trainings.
        artefacts: What came out of the run.
    """
    if said is not None:
        told = {model.number: model for model in said.models}
        numbers = range(len(told)) if set(told) == set(range(len(told))) else range(0)
        return tuple(
            replace(
                told[number],
                artefact=_kept(artefacts, number),
                problem=told[number].problem or _why_not_kept(artefacts, number),
            )
            for number in numbers
        )
    last = max((fit.model for fit in fits if fit.model < MOST_MODELS), default=-1)
    found = []
    for number in range(last + 1):
        own = [fit for fit in fits if fit.model == number]
        found.append(
            FoundModel(
                number=number,
                variables=(),
                kind="unknown",
                compiled=own[-1].compiled if own else None,
                fits=len(own),
                artefact=_kept(artefacts, number),
                problem=_why_not_kept(artefacts, number),
            )
        )
    return tuple(found)


def file_of(number: int) -> str:
    """Give the name under which the kernel saves a model."""
    return f"model-{number}.keras"


def _kept(artefacts: Mapping[str, Artefact], number: int) -> str:
    artefact = artefacts.get(file_of(number))
    return sha256(artefact.data).hexdigest() if artefact and artefact.data is not None else ""


def _why_not_kept(artefacts: Mapping[str, Artefact], number: int) -> str:
    artefact = artefacts.get(file_of(number))
    if artefact is None:
        return f"only the first {MOST_MODELS} models are kept"
    return artefact.problem
