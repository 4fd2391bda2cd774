"""When a run is handed the held-out inputs, what is believed of it then, and when it runs again."""

import io
import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import fakes
import numpy as np
import pytest
from fakes import CARD, outcome

from grader.assignment import read_assignment
from grader.errors import AssignmentError
from grader.find_out import Order, find_out
from grader.gather import Gatherer
from grader.judging import own_code
from grader.judging.own_code import _mixed
from grader.sandbox.interface import Artefact, Isolation
from grader.store import Store
from grader.workbench import Desk, Workbench

TOML = """
name = "little"
title = "A little one"
version = "1"

[data]
set = "mnist"

[model]
task = "multiclass"
classes = 3
inputs = ["vector"]
own_code = "points"
"""
CHECKS = "def test_it(held_out):\n    '''It is good.'''\n    held_out.expect_accuracy()\n"
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], dtype="uint8")
INPUTS = np.arange(40, dtype="uint8").reshape(10, 2, 2)
CELL = [
    {"event": "environment", "values": {"keras": "3"}},
    {"event": "cell_started", "number": 1},
    {"event": "cell", "number": 1, "outcome": "ok", "seconds": 0.1},
]
MODEL = {
    "number": 0,
    "variables": ["model"],
    "kind": "sequential",
    "compiled": None,
    "fits": 1,
    "artefact": "model-0.keras",
}
MODELS = [{"event": "models", "models": [MODEL]}]
DONE = [{"event": "done"}]
DESCRIBED = [{"event": "described", "models": [{"card": CARD, "keeps_state": False}]}]
READY = [{"event": "ready"}]
HONEST = (CELL, MODELS, DONE, DESCRIBED, READY)


def archive(*layers):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        config = {"module": "keras", "class_name": "Sequential", "config": {"layers": layers}}
        made.writestr("config.json", json.dumps(config))
        made.writestr("metadata.json", "{}")
        made.writestr("model.weights.h5", b"")
    return out.getvalue()


OWN = archive({"module": "__main__", "class_name": "Scale", "config": {}, "registered_name": "S"})
LAMBDA = archive({"module": "keras.layers", "class_name": "Lambda", "config": {}})
KERAS = archive()


def honest(question):
    """Answer as a perfect model would."""
    line, _, rest = question.partition(b"\n")
    asked = json.loads(line)
    files, start = {}, 0
    for name, size in asked["files"]:
        files[name], start = rest[start : start + size], start + size
    rows = np.load(io.BytesIO(files["inputs.npy"])).reshape(10, 4)
    labels = LABELS[rows[:, 0] // 4]
    form = {"name": asked["forms"][0]["name"], "rows": 10, "width": 3}
    return json.dumps({"forms": [form]}).encode() + b"\n" + np.eye(3, dtype="<f4")[labels].tobytes()


class Student:
    """A sandbox whose run says these things, and answers what it is handed."""

    isolation = Isolation(level="none", description="a fake")

    def __init__(self, *events, saved=OWN, answer=honest, **outcome):
        self.events = [event for group in events for event in group]
        self.saved, self.answer, self.outcome = saved, answer, outcome
        self.handed_in, self.jobs, self.limits = [], [], None

    def run(self, job, limits, on_message):
        self.jobs.append(job)
        self.limits = limits
        assert job.program == "kernel", "nobody asks a judge"
        artefacts = {
            name: Artefact(
                name=name, data=self.saved if name == "model-0.keras" else None, problem="missing"
            )
            for name in job.collect
        }
        for event in self.events:
            reply = on_message(json.dumps(event).encode() + b"\n")
            if reply is not None:
                self.handed_in.append(reply(artefacts))
                if self.handed_in[-1]:
                    on_message(self.answer(self.handed_in[-1]))
        return outcome(artefacts, **self.outcome)


@pytest.fixture
def dataset(tmp_path):
    return fakes.dataset(tmp_path, INPUTS, LABELS)


@pytest.fixture
def assignment(assignment_folder):
    return read_assignment(assignment_folder(toml=TOML, checks=CHECKS))


@pytest.fixture
def ask(assignment, dataset, make):
    """Find out about work that does these things: ``ask(student)`` → its findings."""

    def go(student, *, own_code=True, **order):
        bench = Workbench(sandbox=student, dataset=dataset)
        submission = make.submission()
        return find_out(
            Order(submission=submission, assignment=assignment, own_code=own_code, **order), bench
        )

    return go


@pytest.mark.parametrize("saved", [OWN, LAMBDA, None], ids=["layer", "lambda", "unsaved"])
def test_a_model_that_no_judge_can_open_is_asked_after_all_else(ask, saved):
    student = Student(*HONEST, saved=saved)
    found = ask(student)

    assert student.jobs[0].task["asks"]
    assert student.limits.answer > 0
    assert len(student.handed_in) == 1
    assert found.own.where == "student sandbox"
    assert found.own.refusal == ""
    (predictions, *_) = found.own.predictions
    rows = np.frombuffer(found.blobs[predictions.sha256], "<f4").reshape(10, 3)
    assert list(rows.argmax(axis=1)) == list(LABELS), "the answers are in the samples' own order"
    assert found.seconds["examining"] > 0


def test_nobody_is_asked_who_need_not_be(ask):
    student = Student(*HONEST)
    assert ask(student, own_code=False).own is None
    assert student.jobs[0].task["asks"] is False
    assert student.limits.answer == 0
    assert student.handed_in == []


def test_what_a_judge_can_open_is_handed_nothing(ask, monkeypatch):
    monkeypatch.setattr("grader.find_out.examine", lambda *_: (None, {}))
    student = Student(*HONEST, saved=KERAS)
    assert ask(student).own is None
    assert student.handed_in == [b""]


def test_inputs_come_only_when_all_has_been_told(ask):
    early = Student(CELL, READY, MODELS)
    assert "ended before it could be asked" in ask(early).own.refusal
    assert early.handed_in == []


def test_who_ends_instead_of_waiting_was_not_asked(ask):
    class Ends(Student):
        def run(self, job, limits, on_message):
            return super().run(job, limits, lambda chunk: on_message(chunk) and None)

    student = Ends(*HONEST)
    assert "ended before it could be asked" in ask(student).own.refusal
    assert student.handed_in == []


def test_a_run_that_was_cut_off_has_no_model_that_needs_its_code(ask):
    fit = {
        "model": 0, "cell": 1, "compiled": None, "x": None, "y": None, "epochs": 2,
        "batch_size": 32, "updates": 2, "validation": "none", "validation_split": 0.0,
        "validation_x": None, "history": {}, "completed": False, "seconds": 0.5,
    }  # fmt: skip
    student = Student(CELL, [{"event": "fit", "fit": fit}], saved=None, ending="timeout")
    found = ask(student)
    assert found.own is None
    assert "could not be saved" in found.execution.problem


def test_what_is_told_after_the_inputs_were_seen_is_part_of_no_evidence(ask):
    told = [{"event": "values", "values": {"stolen": 1}}, {"event": "models", "models": []}]
    found = ask(Student(*HONEST, told, DESCRIBED))

    assert found.execution.values == {}
    assert len(found.execution.models) == 1
    assert "did not answer" in found.own.refusal, "it stood among the answers"


@pytest.mark.parametrize("ending", ["timeout", "memory", "killed", "output", "disk"])
def test_no_end_that_comes_after_it_is_the_runs(ask, ending):
    found = ask(Student(*HONEST, answer=lambda _: b"", ending=ending, exit_code=-9))
    assert found.execution.ending == "finished"
    assert found.own.needs_a_person


ROWS = np.zeros((10, 3), "<f4").tobytes()


def said(body=ROWS, **form):
    head = {"name": "vectors of 4, raw values", "rows": 10, "width": 3, **form}
    return json.dumps({"forms": [head]}).encode() + b"\n" + body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no json\n",
        said(ROWS[:-1]),
        said(ROWS + b"x"),
        said(rows=9),
        said(width=10**9),
        said(name="another"),
        b'{"forms": []}\n',
        b"x" * (9 << 20),
    ],
)
def test_an_answer_that_does_not_fit_is_none_and_calls_a_person(ask, answer):
    own = ask(Student(*HONEST, answer=lambda _: answer)).own
    assert own.predictions == ()
    assert own.needs_a_person
    assert "did not answer the held-out inputs" in own.refusal


def test_a_model_that_keeps_a_state_is_not_asked_for_it_could_count(ask):
    keeps = [{"event": "described", "models": [{"card": CARD, "keeps_state": True}]}]
    student = Student(CELL, MODELS, DONE, keeps, READY)
    assert "carries a state" in ask(student).own.refusal
    assert student.handed_in == [b""]


def test_words_are_mixed_with_their_lengths(tmp_path):
    lengths = np.arange(1, 30, dtype="int32")
    np.save(tmp_path / "lengths.npy", lengths)
    np.save(tmp_path / "ranks.npy", np.repeat(lengths, lengths))
    files, order = _mixed(tmp_path)
    mixed = np.load(io.BytesIO(files["lengths.npy"]))

    assert list(mixed) == list(lengths[order])
    assert list(mixed) != list(lengths)
    assert list(np.load(io.BytesIO(files["ranks.npy"]))) == list(np.repeat(mixed, mixed))


# ------------------------------------------------------------------ what is kept


@pytest.fixture
def gather(assignment, dataset, make, tmp_path):
    """Gather evidence of work: ``gather(student, own_code=…)``."""
    with Store(tmp_path / "store") as store:

        def go(student, own_code="points"):
            model = replace(assignment.settings.model, own_code=own_code)
            wanted = replace(assignment, settings=replace(assignment.settings, model=model))
            bench = Workbench(sandbox=student, dataset=dataset)
            desk = Desk(bench=bench, store=store, results=tmp_path / "results")

            class Hands:
                get_ready = None

                def __call__(self, order):
                    return find_out(order, bench)

            return Gatherer(wanted, desk, Hands()).gather(make.submission())

        yield go


def test_what_it_answered_is_known_under_every_setting_that_wants_it(gather):
    student = Student(*HONEST)
    first = gather(student)
    assert (first.measurement.value, first.measurement.where) == (1.0, "student sandbox")
    assert first.card.where == "student sandbox"
    assert first.broken == ""
    again = gather(student, "report")
    assert again.known
    assert again.measurement == first.measurement
    assert "a person decides" in again.broken
    alone = gather(student, "person")
    assert alone.known
    assert alone.measurement is None
    assert "classes of its own (Scale)" in alone.broken
    assert len(student.jobs) == 1


def test_a_run_that_was_not_asked_runs_again_for_the_answer_alone(gather):
    before = Student(*HONEST)
    assert gather(before, "person").measurement is None
    student = Student(CELL, CELL, MODELS, DONE, DESCRIBED, READY)
    found = gather(student, "points")
    assert not found.known
    assert found.measurement.value == 1.0
    assert gather(student, "points").known
    assert len(student.jobs) == 1


def test_other_held_out_inputs_ask_again(gather, dataset):
    student = Student(*HONEST)
    gather(student)
    np.save(dataset.held_out / "inputs.npy", INPUTS[:, ::-1].copy())
    for cached in (own_code._mixed, own_code.held_out_files):
        cached.cache_clear()
    from grader import keys  # noqa: PLC0415 - what it remembers is of this process

    keys._inputs.cache_clear()
    assert not gather(student).known
    assert len(student.jobs) == 2


def test_an_extra_set_is_asked_of_it_as_well(gather, dataset, tmp_path):
    (tmp_path / "extra").mkdir()
    np.save(tmp_path / "extra" / "inputs.npy", INPUTS[::-1].copy())
    changes = {"held_out": tmp_path / "extra", "labels": lambda: LABELS[::-1]}
    dataset.extra = SimpleNamespace(**{**vars(dataset), **changes})
    student = Student(*HONEST)
    found = gather(student)

    assert (found.extra.value, found.extra.where) == (1.0, "student sandbox")
    assert len(student.jobs) == 2, "its code runs again for that answer alone"
    assert gather(student).known


def test_that_it_gave_no_answer_is_known_too(gather):
    student = Student(*HONEST, answer=lambda _: b"")
    for _ in range(2):
        found = gather(student)
        assert "did not answer" in found.broken
        assert found.measurement is None
    assert len(student.jobs) == 1


def test_layers_that_cannot_be_read_need_a_person_and_the_accuracy_counts(gather):
    bare = [{"event": "described", "models": [{"card": None, "keeps_state": False}]}]
    found = gather(Student(CELL, MODELS, DONE, bare, READY))
    assert found.card is None
    assert "layers cannot be read" in found.broken
    assert found.measurement.value == 1.0


def test_a_trained_model_that_keras_cannot_save_calls_a_person(gather):
    lost = {**MODEL, "kind": "subclassed", "artefact": "", "problem": "ValueError: no"}
    student = Student(CELL, [{"event": "models", "models": [lost]}], DONE, saved=None)
    assert "could not be saved" in gather(student, "person").broken


def test_a_model_that_was_never_trained_is_the_students_own_affair(gather):
    never = {**MODEL, "kind": "subclassed", "artefact": "", "problem": "no shape", "fits": 0}
    student = Student(CELL, [{"event": "models", "models": [never]}], DONE, saved=None)
    found = gather(student, "person")
    assert found.broken == ""
    assert "could not be saved" in found.execution.problem


def test_only_the_model_of_model_can_be_asked_so(assignment_folder):
    more = '[models.other]\nvariable = "o"\ntask = "multiclass"\ninputs = ["vector"]\n'
    folder = assignment_folder(toml=f'{TOML}\n{more}own_code = "report"\n', checks=CHECKS)
    with pytest.raises(AssignmentError, match=r"toml:\d+: models.other.own_code: only the model"):
        read_assignment(folder)
