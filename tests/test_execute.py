import json
from types import SimpleNamespace

import pytest
from fakes import outcome

from grader.assignment import read_assignment
from grader.errors import RunLostError, WorkerError
from grader.execute import execute
from grader.sandbox.interface import Artefact, Isolation
from grader.workbench import Shortcuts

RECORD = {
    "model": 0,
    "cell": 2,
    "compiled": None,
    "x": None,
    "y": None,
    "epochs": 2,
    "batch_size": 32,
    "updates": 2,
    "validation": "none",
    "validation_split": 0.0,
    "validation_x": None,
    "history": {"loss": [1.0, 0.5]},
    "completed": True,
    "seconds": 0.5,
}
FIT = {"event": "fit", "fit": RECORD}
OTHER_FIT = {"event": "fit", "fit": {**RECORD, "model": 1}}
START = [{"event": "environment", "values": {"keras": "3"}}]
END = [{"event": "variables", "variables": {}}, {"event": "done"}]


def cell(number, outcome="ok", **more):
    return [
        {"event": "cell_started", "number": number},
        *more.pop("during", []),
        {"event": "cell", "number": number, "outcome": outcome, "seconds": 0.1, **more},
    ]


def model(number, *names, fits=1, **changes):
    said = {
        "number": number,
        "variables": names,
        "kind": "sequential",
        "compiled": None,
        "fits": fits,
        "artefact": f"model-{number}.keras",
        "problem": "",
    }
    return {**said, **changes}


def models(*found):
    return [{"event": "models", "models": found}]


class Said:
    """A sandbox that only says what it was told to."""

    isolation = Isolation(level="none", description="a fake")

    def __init__(self, *events, saved=(), **outcome):
        self.events = [event for group in events for event in group]
        self.saved = saved
        self.outcome = outcome
        self.job = None

    def run(self, job, limits, on_message):
        self.job, self.limits = job, limits
        for event in self.events:
            on_message(json.dumps(event).encode() + b"\n")
        artefacts = {
            name: Artefact(
                name=name, data=b"keras" if name in self.saved else None, problem="missing"
            )
            for name in job.collect
        }
        return outcome(artefacts, **self.outcome)


@pytest.fixture
def run(assignment_folder, make, tmp_path):
    """Execute a submission of so many cells in a sandbox that says these things."""
    assignment = read_assignment(assignment_folder(checks="x = 1"))

    def go(*events, cells=2, steps=None, **outcome):
        sandbox = Said(START, *events, **outcome)
        bench = SimpleNamespace(
            sandbox=sandbox,
            dataset=SimpleNamespace(served=tmp_path, beside=(), served_sha256=("ab",)),
            shortcuts=Shortcuts(),
            on_progress=(steps if steps is not None else []).append,
        )
        submission = make.submission(cells=("1",) * cells)
        record, go.archives = execute(submission, assignment, bench)
        return record

    return go


def test_a_run_to_the_end_is_finished(run):
    record = run(cell(1), cell(2), models(model(0, "model")), END, saved=["model-0.keras"])
    assert record.ending == "finished"
    assert [c.outcome for c in record.cells] == ["ok", "ok"]
    assert run.archives == {record.found.artefact: b"keras"}
    assert record.found.variables == ("model",)
    assert record.environment == {"keras": "3"}


def test_what_ran_before_an_error_is_kept(run):
    error = {"kind": "KeyError", "message": "'acc'", "line": 2, "traceback": "..."}
    record = run(cell(1, "raised", error=error), cell(2), models(), END)
    assert record.ending == "raised"
    assert record.cells[0].error.kind == "KeyError"
    assert record.cells[1].outcome == "ok"
    assert "A cell raised an error" in record.problem


@pytest.mark.parametrize("ending", ["timeout", "memory", "output", "killed"])
def test_a_limit_keeps_what_was_learnt_before_it(run, ending):
    started = [{"event": "cell_started", "number": 2}]
    record = run(cell(1, during=[FIT]), started, cells=3, ending=ending, saved=["model-0.keras"])
    assert record.ending == ending
    assert [c.outcome for c in record.cells] == ["ok", "stopped", "not_run"]
    assert record.chosen == 0
    assert record.fits[0].history == {"loss": (1.0, 0.5)}


def test_a_process_that_ends_itself_is_not_finished(run):
    record = run(cell(1, during=[FIT]), [{"event": "cell_started", "number": 2}], saved=[])
    assert record.ending == "exited"
    assert record.cells[1].outcome == "exited"
    assert "could not be saved: missing" in record.problem


def test_a_kernel_that_never_started_is_our_fault(run, assignment_folder, make, tmp_path):
    with pytest.raises(WorkerError, match="could not be set up: no bwrap"):
        run(setup_error="no bwrap")
    with pytest.raises(RunLostError, match="killed before the first cell"):
        run(setup_error="it ended with status -9", ending="killed")
    silent = Said(stderr="Traceback: no keras", exit_code=1)
    bench = SimpleNamespace(
        sandbox=silent,
        dataset=SimpleNamespace(served=tmp_path, beside=(), served_sha256=()),
        shortcuts=Shortcuts(),
        on_progress=lambda _: None,
    )
    assignment = read_assignment(assignment_folder(checks="x = 1"))
    with pytest.raises(WorkerError, match="no keras"):
        execute(make.submission(), assignment, bench)


def test_an_unreadable_submission_is_not_run(assignment_folder, make):
    assignment = read_assignment(assignment_folder(checks="x = 1"))
    record, _ = execute(make.submission(problem="the file is empty"), assignment, None)
    assert (record.ending, record.problem) == ("unreadable", "The file is empty.")


@pytest.mark.parametrize(
    ("found", "fits", "chosen", "note"),
    [
        ([model(0, "net")], [FIT], 0, "called `net`, not `model`"),
        ([model(0, "model"), model(1, "big")], [FIT], 0, "2 models were trained"),
        ([model(0, "a"), model(1, "b")], [FIT, OTHER_FIT], 1, "trained last"),
        ([model(0, "model", fits=0), model(1, "b")], [OTHER_FIT], 1, "called `b`"),
        ([model(0, "a", fits=0), model(1, "b", fits=0)], [], 1, "2 models were built"),
        ([model(0)], [FIT], 0, None),
    ],
)
def test_the_judged_model_is_the_trained_one_and_its_name_decides(run, found, fits, chosen, note):
    saved = [f"model-{m['number']}.keras" for m in found]
    record = run(cell(1, during=fits), cell(2), models(*found), END, saved=saved)
    assert record.chosen == chosen
    assert note is None or any(note in text for text in record.notes)


def test_outputs_are_gathered_and_nonsense_is_left_out(run):
    def out(**output):
        return {"event": "output", "output": output}

    during = [
        out(output_type="stream", name="stdout", text="a"),
        out(output_type="stream", name="stdout", text="b"),
        out(output_type="stream", name="stderr", text="c"),
        out(output_type="nonsense"),
        out(output_type="stream", name="stdout", text=7),
    ]
    record = run(cell(1, during=during), cell(2, during=[*during, {"event": "clear_output"}]), END)
    assert [o["text"] for o in record.cells[0].outputs] == ["ab", "c"]
    assert record.cells[1].outputs == ()


def test_endless_output_of_a_cell_is_cut(run):
    piece = {"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}
    during = [{"event": "output", "output": piece}] * 9
    record = run(cell(1, during=during), END)
    assert len(record.cells[0].outputs[0]["text"]) < 5_000_000


def test_progress_tells_cell_epoch_and_accuracy(run):
    steps = []
    during = [
        {"event": "fit_started", "model": 0, "cell": 1, "epochs": 5},
        {"event": "epoch", "epoch": 2, "logs": {"accuracy": 0.91, "loss": 0.3}},
    ]
    run(cell(1, during=during), END, steps=steps)
    assert steps[-1].detail == "cell 1/2, epoch 2/5, accuracy 0.910"


def test_forged_messages_choose_no_model_that_is_not_there(run):
    record = run(cell(1), models(model(7, "model")), END, saved=["model-7.keras"])
    assert record.chosen is None
    record = run(cell(99), cell(0), END)
    assert [c.outcome for c in record.cells] == ["not_run", "not_run"]


ANSWER = {"outcome": "answered", "steps": [{"value": {"kind": "none", "type": "NoneType"}}]}


def told(name, **changes):
    return [{"event": "probe", "name": name, "answer": {**ANSWER, **changes}}]


@pytest.fixture
def probe(assignment_folder, little_toml, make, tmp_path):
    """Execute with two probes, ``a`` and ``b``, in a sandbox that says these things."""
    toml = little_toml + '[probes.a]\ncall = "f"\n[probes.b]\ncall = "g"\n'
    assignment = read_assignment(assignment_folder(toml, checks="x = 1"))

    def go(*events, **outcome):
        bench = SimpleNamespace(
            sandbox=Said(START, cell(1), *events, **outcome),
            dataset=SimpleNamespace(served=tmp_path, beside=(), served_sha256=()),
            shortcuts=Shortcuts(),
            on_progress=lambda _: None,
        )
        return execute(make.submission(), assignment, bench, ("a", "b"))[0]

    return go


def test_what_a_probe_answers_is_kept_and_what_nobody_asked_is_not(probe):
    found = probe(told("a", outcome="ended"), END, told("a"), told("b"), told("c"))
    assert {name: answer.outcome for name, answer in found.probes.items()} == {
        "a": "answered",  # what was said before the end was no answer to us
        "b": "answered",
    }


@pytest.mark.parametrize("ending", ["timeout", "cpu", "memory", "processes", "disk"])
def test_a_limit_that_only_a_probe_hits_is_no_ending_of_the_run(probe, ending):
    found = probe(END, told("a"), ending=ending)
    assert found.ending == "finished"
    assert [found.probes[name].outcome for name in "ab"] == ["answered", "unanswered"]
    before_its_end = probe(ending=ending)
    assert before_its_end.ending == ending
    assert before_its_end.probes["a"].outcome == "unanswered"


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "array", "type": "ndarray", "shape": [2], "numbers": [1, 2, 3]},
        {"kind": "array", "type": "ndarray", "shape": [200_000], "numbers": [0] * 200_000},
        {"kind": "text", "type": "str", "text": "x" * 3_000_000},
        {"kind": "dict", "type": "dict", "keys": ["a"], "items": []},
        {"kind": "soup", "type": "str"},
    ],
    ids=["wrong_shape", "numbers", "text", "keys", "kind"],
)
def test_an_answer_that_no_honest_worker_gives_is_none(probe, value):
    found = probe(END, told("a", steps=[{"value": value}]), told("b"))
    assert [found.probes[name].outcome for name in "ab"] == ["unanswered", "answered"]


def test_a_student_is_served_data_and_no_label_leaves_with_the_job(
    assignment_folder, make, tmp_path
):
    sandbox = Said(START, cell(1), END)
    bench = SimpleNamespace(
        sandbox=sandbox,
        dataset=SimpleNamespace(served=tmp_path / "served", beside=(), served_sha256=("ab",)),
        shortcuts=Shortcuts(),
        on_progress=lambda _: None,
    )
    assignment = read_assignment(assignment_folder(checks="x = 1"))
    execute(make.submission(files={"net.py": b"1"}), assignment, bench)
    assert sandbox.job.readable == {"data": tmp_path / "served"}
    assert sandbox.job.files == {"net.py": b"1"}
    assert set(sandbox.job.task) == {
        "cells",
        "kind",
        "filename",
        "seed",
        "budget",
        "beside",
        "speed",
        "probes",
        "asks",
    }
    assert sandbox.limits.memory == 4 << 30
    assert sandbox.limits.cpu_s is None


def test_the_limits_of_an_assignment_are_those_of_its_runs(
    assignment_folder, little_toml, make, tmp_path
):
    sandbox = Said(START, cell(1), END)
    bench = SimpleNamespace(
        sandbox=sandbox,
        dataset=SimpleNamespace(served=tmp_path, beside=(), served_sha256=("ab",)),
        shortcuts=Shortcuts(),
        on_progress=lambda _: None,
    )
    toml = f"{little_toml}\n[limits]\nwall_s = 70\ncpu_s = 90\nmemory_gib = 2\n"
    execute(make.submission(), read_assignment(assignment_folder(toml, checks="x = 1")), bench)
    limits = sandbox.limits
    assert (limits.wall_s, limits.cpu_s, limits.memory) == (70, 90, 2 << 30)


def test_evaluations_and_figures_are_kept_and_forged_floods_are_not(run):
    evaluation = {
        "model": 0,
        "cell": 1,
        "after_fits": 1,
        "x": None,
        "y": None,
        "samples": 40,
        "results": {"loss": 0.5},
        "completed": True,
    }
    figure = {"cell": 1, "title": "", "axes": []}
    during = [
        FIT,
        *[{"event": "evaluation", "evaluation": evaluation}] * 1001,
        *({"event": "figure", "number": n, "figure": figure} for n in range(101)),
        {"event": "figure", "number": 100, "figure": {**figure, "title": "changed"}},
        {"event": "values", "values": {"epoch": 4}},
    ]
    record = run(cell(1, during=during), END)
    assert len(record.evaluations) == 1000
    assert record.evaluations[0].results == {"loss": 0.5}
    assert len(record.figures) == 100
    assert record.figures[-1].title == "changed"
    assert record.values == {"epoch": 4}
