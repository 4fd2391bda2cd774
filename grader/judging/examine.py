"""ExecutionRecord → ModelCard, predictions: a second sandbox opens the saved model.

It has the held-out inputs and no labels, no student code and no network; what it answers is
bounded, validated, and compared with the labels on the host.
"""

from typing import Any

from grader.assignment import Assignment
from grader.errors import RunLostError, WorkerError
from grader.judging.archive import RefusedError, custom_classes, inspect_archive
from grader.judging.forms import Form
from grader.judging.judgement import Head, Judgement, longest, read_head, read_rows
from grader.judging.questions import forms_for, held_out_files
from grader.normal_form import shape_of
from grader.records import ExecutionRecord
from grader.sandbox.interface import GIB, Job, Limits
from grader.workbench import Workbench

JUDGE_SECONDS = 120.0
JUDGE_MEMORY = 4 * GIB


def examine(
    execution: ExecutionRecord, archive: bytes, assignment: Assignment, bench: Workbench
) -> tuple[Judgement, dict[str, bytes]]:
    """Have the judge describe the model and answer the held-out inputs.

    Args:
        execution: Tells what the model was trained on.
        archive: The model, as the student's process saved it.
        assignment: Names the input forms and the seed.
        bench: Sandbox and data.

    Returns:
        What the judge said, and its answers by their SHA-256.

    Raises:
        WorkerError: Our own program failed.
        RunLostError: The judge died with what it stood on.
    """
    known = assignment.own_layers.names if assignment.own_layers else ()
    try:
        inspect_archive(archive, known)
    except RefusedError as error:
        if own := custom_classes(archive, known):
            names = ", ".join(own)
            return Judgement(
                refusal=f"The model uses classes of its own ({names}), "
                "which only its code can open.",
                needs_a_person=True,
            ), {}
        return Judgement(refusal=f"The model is refused: {error}."), {}
    forms = forms_for(execution, assignment, bench)
    samples = bench.dataset.samples
    answer = _ask(archive, forms, samples, assignment, bench)
    if isinstance(answer, Judgement):
        return answer, {}
    head, body = answer
    if head.card is None:
        return Judgement(
            refusal="The saved model cannot be opened by Keras again.", needs_a_person=True
        ), {}
    predictions, rows = read_rows(head, body, samples)
    return Judgement(
        raw=head.card,
        predictions=predictions,
        judge_problem="" if head.forms or not forms else _no_form(head, forms),
    ), rows


def _ask(
    archive: bytes,
    forms: list[Form],
    samples: int,
    assignment: Assignment,
    bench: Workbench,
) -> tuple[Head, bytes] | Judgement:
    """Run the judge; give back its first line, validated, and the bytes behind it."""
    said = bytearray()
    outcome = bench.sandbox.run(
        Job(
            program="judge",
            task={
                "forms": [form.task() for form in forms],
                "layers": assignment.own_layers.source if assignment.own_layers else "",
                "seed": assignment.settings.seed,
            },
            files={
                "model.keras": archive,
                **{
                    f"inputs/{name}": data
                    for name, data in held_out_files(bench.dataset.held_out).items()
                },
            },
        ),
        Limits(wall_s=JUDGE_SECONDS, memory=JUDGE_MEMORY, messages=longest(len(forms), samples)),
        said.extend,
    )
    if outcome.ending == "killed":  # by whom, nobody knows: perhaps it works another time
        raise RunLostError("The judge was killed.")
    if outcome.setup_error:
        raise WorkerError(f"The judge's sandbox could not be set up: {outcome.setup_error}")
    if outcome.ending != "finished":
        words = {"timeout": "too slow", "memory": "too large"}.get(outcome.ending)
        if words:
            return Judgement(refusal=f"The model is {words} to be judged.")
        raise WorkerError(f"The judge was ended: {outcome.ending}.")
    try:
        return read_head(bytes(said), forms)
    except WorkerError as error:
        raise WorkerError(f"{error.message}\n{outcome.stderr[-1000:]}") from None


def _no_form(head: Head, forms: list[Form]) -> str:
    takes: Any = head.card.input_shape if head.card else None
    offered = ", ".join(sorted({str((None, *form.shape)) for form in forms}))
    return f"The model takes inputs of shape {shape_of(takes)}; offered were {offered}."
