"""Whatever the judge says, it is a measurement or a fault: a hostile model may own the judge."""

import json
from types import SimpleNamespace

import fakes
import numpy as np
import pytest
from fakes import outcome
from hypothesis import example, given
from hypothesis import strategies as st

from grader.assignment import read_assignment
from grader.errors import GraderError
from grader.judging.examine import examine
from grader.judging.judgement import card_of
from grader.judging.questions import forms_for
from grader.measure import measure
from grader.records import ArrayFacts
from grader.safe.plain import plain_json
from grader.sandbox.interface import Isolation

LABELS = np.array([0, 1, 2, 0, 1], dtype="uint8")
LAYER = fakes.LAYER | {
    "settings": {"use_bias": True, "kernel_initializer": {"class": "GlorotUniform", "seed": 1}},
    "inbound": ["input"],
    "uses": 1,
}
NAMES = ("vectors of 4, raw values", "vectors of 4, scaled to 0…1")
HEAD = {
    "card": {
        **fakes.CARD,
        "layers": [LAYER, {**LAYER, "kind": "Activation", "name": "b"}],
    },
    "forms": [{"name": name, "rows": 5, "width": 3} for name in NAMES],
}
ROWS = np.eye(3, dtype="<f4")[LABELS].tobytes() * 2
TOML = """
name = "little"
title = "A little assignment"
version = "1"
[data]
set = "mnist"
[model]
task = "{task}"
classes = {classes}
inputs = ["vector"]
"""


class Judge:
    """A sandbox whose judge says these bytes."""

    isolation = Isolation(level="none", description="a fake")

    def __init__(self, said):
        self.said = said

    def run(self, _job, _limits, on_message):
        on_message(self.said)
        return outcome({})


@pytest.fixture(scope="session")
def ask(tmp_path_factory, promptly, model_archive):
    """Examine and measure what a judge says: ``ask(said, task)`` → a measurement or a fault."""
    folder = tmp_path_factory.mktemp("judged")
    inputs = np.zeros((5, 2, 2), dtype="uint8")
    dataset = fakes.dataset(folder, inputs, LABELS, sample_shape=(2, 2))
    assignments = {}
    for task in ("multiclass", "regression", "binary"):
        (folder / task).mkdir()
        toml = TOML.format(task=task, classes=3 if task == "multiclass" else 1)
        (folder / task / "assignment.toml").write_text(toml, "utf-8")
        (folder / task / "test_little.py").write_text("", "utf-8")
        assignments[task] = read_assignment(folder / task)

    def go(said, task="multiclass", trained_on=None):
        bench = SimpleNamespace(sandbox=Judge(said), dataset=dataset)
        fits = (SimpleNamespace(model=0, x=trained_on),)
        execution = SimpleNamespace(fits=fits, chosen=0)
        forms = forms_for(execution, assignments[task], bench)
        json.dumps([form.task() for form in forms], allow_nan=False)  # the judge gets strict JSON
        with promptly():
            try:
                judgement, rows = examine(execution, model_archive, assignments[task], bench)
                card = card_of(judgement, None)
                found = card and measure(card, assignments[task], dataset, rows.__getitem__)
                json.loads(plain_json([judgement, card, found]))
            except GraderError as error:
                found = error
        assert not isinstance(found, GraderError) or len(found.message) < 5000
        return found

    return go


@pytest.fixture(scope="session")
def model_archive():
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(
            "config.json", '{"module": "keras", "class_name": "Sequential", "config": {}}'
        )
        made.writestr("metadata.json", "{}")
        made.writestr("model.weights.h5", b"")
    return out.getvalue()


def _said(head, body=ROWS):
    return json.dumps(head).encode() + b"\n" + body


def test_an_honest_answer_is_measured(ask):
    assert ask(_said(HEAD)).value == 1.0


@given(data=st.data(), task=st.sampled_from(["multiclass", "regression", "binary"]))
def test_any_head_is_measured_or_a_fault(ask, warped, as_text, data, task):
    text = data.draw(as_text(data.draw(warped(HEAD))))
    ask(text.encode("utf-8", "surrogatepass") + b"\n" + ROWS, task)


@given(said=st.binary(max_size=200))
@example(said=b"[" * 100_000 + b"\n")
@example(said=b'{"forms": [], "card": {"input_shape": ' + b"[" * 5000 + b"\n")
@example(said=b'{"forms": [{"name": "", "rows": 1' + b"0" * 5000 + b"}]}\n")
@example(said=_said({**HEAD, "forms": [{**HEAD["forms"][0], "name": "<b>seen</b>"}]}, ROWS[:60]))
def test_any_bytes_are_a_fault(ask, said):
    assert isinstance(ask(said), GraderError)


@given(data=st.data())
def test_any_numbers_are_measured(ask, damaged, data):
    rows = data.draw(damaged(ROWS, 12))[: len(ROWS)].ljust(len(ROWS), b"\xff")
    assert 0 <= ask(_said(HEAD, rows)).value <= 1


@given(widths=st.lists(st.integers(0, 4), min_size=1, max_size=2), data=st.data())
@example(widths=[3, 0], data=None)
@example(widths=[1, 3], data=None)
def test_any_number_of_answers_is_measured_or_said_to_be_wrong(ask, widths, data):
    forms = [
        {"name": NAMES[place], "rows": 5, "width": width} for place, width in enumerate(widths)
    ]
    spare = 0 if data is None else data.draw(st.sampled_from([0, 0, 0, 1, -4]))
    task = (
        "multiclass" if data is None else data.draw(st.sampled_from(["multiclass", "regression"]))
    )
    found = ask(_said({**HEAD, "forms": forms}, bytes(max(0, 20 * sum(widths) + spare))), task)
    assert isinstance(found, GraderError) or found.value is not None or found.problem


ANY = st.none() | st.floats() | st.sampled_from([0.0, 1.0, 255.0, 1e308, -1e308])


@given(low=ANY, high=ANY, mean=ANY)
@example(low=0.0, high=float("inf"), mean=float("nan"))
@example(low=-1e308, high=1e308, mean=0.0)
def test_whatever_the_model_was_trained_on_the_judge_can_be_asked(ask, low, high, mean):
    facts = ArrayFacts(shape=(5, 4), dtype="float32", minimum=low, maximum=high, mean=mean)
    ask(_said({**HEAD, "forms": []}, b""), trained_on=facts)
