"""Of the models that a run left, the one that is judged.

A matter of the assignment and not of the run: a stored record is asked again.
"""

import re
from dataclasses import replace

from grader.records import ExecutionRecord, FitRecord, FoundModel, RunEnding
from grader.settings import ModelWanted


def choose(record: ExecutionRecord, wanted: ModelWanted | None) -> ExecutionRecord:
    """Say which model is judged, and why.

    The trained model is the one that was fitted; the variable's name decides between several. It
    is a matter of the assignment and not of the run: a stored record is asked again. Where no model
    is wanted, none is chosen, and none is missing.
    """
    if record.ending == "unreadable":
        return record
    if wanted is None:
        return replace(record, chosen=None, notes=(), problem="")
    models = record.models
    if wanted.only_by_name:
        models = tuple(model for model in models if wanted.variable in model.variables)
        if record.models and not models:
            problem = f"No model called `{wanted.variable}` came out of the run."
            return replace(record, chosen=None, notes=(), problem=problem)
    chosen, notes = _choose(models, record.fits, wanted.variable)
    problem = _problem(chosen, record.models, record.ending)
    return replace(record, chosen=chosen, notes=notes, problem=problem)


def _choose(
    models: tuple[FoundModel, ...], fits: tuple[FitRecord, ...], variable: str
) -> tuple[int | None, tuple[str, ...]]:
    """The trained model is the one that was fitted; the variable's name decides between several."""
    trained = [model for model in models if model.fits or model.updates]
    candidates = trained or list(models)
    if not candidates:
        return None, ()
    named = [model for model in candidates if variable in model.variables]
    if named:
        chosen = named[-1]
    elif trained and fits:
        last = fits[-1].model
        chosen = next((model for model in trained if model.number == last), trained[-1])
    else:
        chosen = candidates[-1]
    notes = []
    names = ", ".join(f"`{name}`" for name in chosen.variables)
    if not named and chosen.variables:
        notes.append(f"The model is called {names}, not `{variable}`; it was judged all the same.")
    others = [model for model in candidates if model.number != chosen.number]
    if others:
        known = ", ".join(
            f"`{model.variables[0]}`" if model.variables else "one without a name"
            for model in others
        )
        reason = f"it is called `{variable}`" if named else "it was trained last"
        notes.append(
            f"{len(candidates)} models were {'trained' if trained else 'built'}; "
            f"{names or 'this one'} was judged because {reason}. Also found: {known}."
        )
    return chosen.number, tuple(notes)


def _problem(chosen: int | None, models: tuple[FoundModel, ...], ending: RunEnding) -> str:
    if chosen is None:
        before = {
            "finished": "",
            "raised": " A cell raised an error; see there first.",
            "exited": " The code ended its own process before the last cell.",
        }.get(ending, f" The run was ended before its end ({ending}).")
        return f"No Keras model came out of the run.{before}"
    model = models[chosen]
    if model.artefact:
        return ""
    # A traceback's path would only confuse: the file's name is ours.
    return f"The model could not be saved: {re.sub(r'/[^ ]*/', '', model.problem)}"
