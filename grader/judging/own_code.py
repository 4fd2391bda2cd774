"""Models that only code of the student's own can open: asked in the student's sandbox.

No judge can open them, since it runs no student's code. So where the assignment allows it, their
own process is handed the held-out inputs, mixed and without labels, once all that comes out of its
run has been taken. It is the weaker kind of measurement: code that has the inputs may look answers
up, and what it says of its network is no more than what it says.
"""

import functools
import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.assignment import Assignment
from grader.errors import WorkerError
from grader.judging.archive import RefusedError, inspect_archive
from grader.judging.forms import Form
from grader.judging.judgement import Judgement, longest, read_head, read_rows
from grader.judging.questions import forms_for, held_out_files
from grader.messages import DescribedModel
from grader.records import ExecutionRecord, FoundModel
from grader.sandbox.interface import MIB
from grader.workbench import Workbench

Order = NDArray[np.int64]
_MOST_FORMS = 32
"""Of one layout; there are fewer."""
_LONGEST = 128 * MIB
"""Bytes of an answer: no course's model gives more, and all of it is kept in memory here."""

WEAKER = (
    "The model can only be opened with code of its own, which the judge does not run: what is said "
    "of its network and of the held-out inputs was found out by that code, in the student's "
    "sandbox, and is the weaker kind of evidence."
)
UNCOUNTED = f"{WEAKER} In this assignment a person decides what it is worth."
NO_LAYERS = (
    "The model can only be opened with code of its own, and its layers cannot be read off it: "
    "a person must look at its network."
)
TOO_EARLY = (
    "The model can only be opened with code of its own, and its process ended before it could be "
    "asked."
)
NO_ANSWER = (
    "The model can only be opened with code of its own, which did not answer the held-out inputs."
)
KEEPS_STATE = (
    "The model can only be opened with code of its own, and carries a state from one sample to the "
    "next: it cannot be asked in mixed order."
)


def allows(assignment: Assignment) -> bool:
    """Whether a model's own code may be asked at all."""
    model = assignment.settings.model
    return model is not None and model.own_code != "person"


def is_needed(execution: ExecutionRecord, archive: bytes, assignment: Assignment) -> bool:
    """Whether no judge can open the chosen model.

    Args:
        execution: Names the model.
        archive: Its bytes; none when it could not be saved.
        assignment: Has layers that the judge knows.
    """
    found = execution.found
    if found is None:
        return False
    if not archive:  # nor was one left by a run that was cut off, or by work that trained nothing
        return found.kind != "unknown" and bool(found.fits or found.updates)
    try:
        inspect_archive(archive, assignment.own_layers.names if assignment.own_layers else ())
    except RefusedError:
        return True
    return False


def could_not_be_saved(found: FoundModel | None) -> bool:
    """Whether a trained model was lost because it is written in code that Keras cannot save."""
    return (
        found is not None
        and found.kind == "subclassed"
        and not found.artefact
        and bool(found.fits or found.updates)
    )


class Asking:
    """The asking of one run's model.

    Args:
        assignment: Names the input forms, and what the judge knows.
        bench: Has the held-out inputs.
    """

    def __init__(self, assignment: Assignment, bench: Workbench) -> None:
        self.described: Sequence[DescribedModel] = ()
        """What the models are, told before any of them was asked."""
        self.is_open = False
        """Whether all that comes out of the run has been taken, and what follows is an answer."""
        self._assignment = assignment
        self._bench = bench
        self._forms: list[Form] = []
        self._refusal = TOO_EARLY
        self._is_asked = False
        self._began = 0.0
        self._said = bytearray()

    @property
    def longest(self) -> int:
        """The most bytes that an answer may have."""
        settings = self._assignment.settings
        forms = len(settings.model.inputs) * _MOST_FORMS if settings.model else 0
        return min(longest(forms, self._bench.dataset.samples), _LONGEST)

    def question(self, execution: ExecutionRecord, archive: bytes) -> bytes:
        """Say what is handed in to the run: nothing where the judge can open the model.

        Args:
            execution: What is known of the run; names the model.
            archive: Its bytes.
        """
        self._began = time.perf_counter()
        self._refusal = ""
        if execution.found is None or not is_needed(execution, archive, self._assignment):
            return b""
        if not self._bench.dataset.samples:
            return b""
        number = execution.found.number
        if number >= len(self.described):
            self._refusal = NO_ANSWER
        elif self.described[number].keeps_state:
            self._refusal = KEEPS_STATE
        if self._refusal:
            return b""
        self._is_asked = True
        self._forms = forms_for(execution, self._assignment, self._bench)
        files, _ = _mixed(self._bench.dataset.held_out)
        line = {
            "model": number,
            "forms": [form.task() for form in self._forms],
            "files": [(name, len(data)) for name, data in files.items()],
        }
        return b"".join([json.dumps(line, allow_nan=False).encode(), b"\n", *files.values()])

    def hear(self, chunk: bytes) -> None:
        """Take a part of the answer."""
        self._said += chunk

    @property
    def seconds(self) -> float:
        """How long the answer has taken until now."""
        return time.perf_counter() - self._began if self._began else 0.0

    def judgement(self, execution: ExecutionRecord) -> tuple[Judgement, dict[str, bytes]]:
        """Say what came of it, for a model that needs its own code.

        Args:
            execution: Names the model.

        Returns:
            What was said of the model, and its answers by their SHA-256.
        """
        number = -1 if execution.found is None else execution.found.number
        raw = self.described[number].card if 0 <= number < len(self.described) else None
        if self._refusal:
            return _refused(self._refusal), {}
        if not self._is_asked or not self._forms:  # there is nothing to be asked
            return Judgement(raw=raw, where="student sandbox"), {}
        _, order = _mixed(self._bench.dataset.held_out)
        try:
            head, body = read_head(bytes(self._said), self._forms)
            predictions, rows = read_rows(head, body, self._bench.dataset.samples, order)
        except WorkerError:  # the student's process said it: it is no fault of ours
            return _refused(NO_ANSWER), {}
        if not predictions:
            return _refused(NO_ANSWER), {}
        return Judgement(raw=raw, predictions=predictions, where="student sandbox"), rows


def _refused(why: str) -> Judgement:
    return Judgement(refusal=why, needs_a_person=True, where="student sandbox")


@functools.lru_cache(maxsize=4)
def _mixed(folder: Path) -> tuple[Mapping[str, bytes], Order]:
    """Mix the held-out samples: where they lie sorted by class, a model could count them.

    The same samples are always mixed in the same way, which only those know who have them in order.

    Returns:
        The files, and which sample each row is.
    """
    files = dict(held_out_files(folder))
    arrays = {name: _read(data) for name, data in files.items()}
    seed = hashlib.sha256(b"".join(files.values())).digest()
    rng = np.random.default_rng(list(seed))
    if "ranks.npy" in arrays:
        lengths = arrays["lengths.npy"]
        order = rng.permutation(len(lengths))
        parts = np.split(arrays["ranks.npy"], np.cumsum(lengths)[:-1])
        arrays["ranks.npy"] = np.concatenate([parts[place] for place in order])
        arrays["lengths.npy"] = lengths[order]
    else:
        order = rng.permutation(len(arrays["inputs.npy"]))
        arrays["inputs.npy"] = arrays["inputs.npy"][order]
    return {name: _written(array) for name, array in arrays.items()}, order


def _read(data: bytes) -> NDArray[np.generic]:
    array: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _written(array: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
