import io
import json
import zipfile
from types import SimpleNamespace

import fakes
import numpy as np
import pytest
from fakes import CARD, outcome

from grader.assignment import read_assignment
from grader.errors import RunLostError, WorkerError
from grader.judging.examine import examine
from grader.judging.judgement import card_of
from grader.sandbox.interface import Artefact, Isolation

ROWS = np.eye(3, dtype="<f4")[[0, 1, 2, 0, 1]].tobytes()
FORM = {"name": "vectors of 4, scaled to 0…1", "rows": 5, "width": 3}


def said(body=ROWS, forms=(FORM,), **head):
    return json.dumps({"card": CARD, "forms": forms, **head}).encode() + b"\n" + body


def archive(**config):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        given = {"module": "keras", "class_name": "Sequential", "config": {}, **config}
        made.writestr("config.json", json.dumps(given))
        made.writestr("metadata.json", "{}")
        made.writestr("model.weights.h5", b"")
    return out.getvalue()


class Judge:
    """A sandbox whose judge says these bytes."""

    isolation = Isolation(level="none", description="a fake")

    def __init__(self, answer=b"", **outcome):
        self.answer, self.outcome, self.job = answer, outcome, None

    def run(self, job, _limits, on_message):
        self.job = job
        if isinstance(self.answer, Exception):
            raise self.answer
        on_message(self.answer)
        artefacts = {n: Artefact(name=n, data=None, problem="missing") for n in job.collect}
        return outcome(artefacts, **self.outcome)


@pytest.fixture
def dataset(tmp_path):
    return fakes.dataset(tmp_path, np.zeros((5, 2, 2), dtype="uint8"), range(5))


@pytest.fixture
def examined(make, dataset, assignment_folder):
    """Examine a model with a judge: ``examined(judge, archive)``."""
    assignment = read_assignment(assignment_folder(checks="x = 1"))

    def go(judge, data=None, **changes):
        bench = SimpleNamespace(sandbox=judge, dataset=dataset)
        return examine(
            make.execution(**changes), archive() if data is None else data, assignment, bench
        )

    return go


def test_the_judges_answer_becomes_a_card_and_predictions(examined, make):
    judgement, rows = examined(Judge(said()))
    found = card_of(judgement, make.compiled())
    assert found.trainable_params == 15
    assert found.layers[0].activation == "softmax"
    (predictions,) = found.predictions
    assert predictions.shape == (5, 3)
    assert rows == {predictions.sha256: ROWS}


def test_the_judge_gets_inputs_and_a_model_and_nothing_else(examined, dataset):
    judge = Judge(said())
    examined(judge)
    assert set(judge.job.task) == {"forms", "layers", "seed"}
    assert judge.job.task["layers"] == "", "there are none of the assignment's own"
    assert judge.job.readable == {}
    assert set(judge.job.files) == {"model.keras", "inputs/inputs.npy"}
    assert judge.job.files["inputs/inputs.npy"] == (dataset.held_out / "inputs.npy").read_bytes()
    assert judge.job.collect == ()


def test_a_hostile_archive_never_reaches_the_judge(examined):
    judge = Judge(said())
    judgement, _ = examined(judge, b"junk")
    assert judgement.refusal.startswith("The model is refused")
    assert not judgement.needs_a_person
    assert judge.job is None


def test_a_students_own_layer_asks_for_a_person(examined):
    own = {"module": None, "class_name": "Scale", "config": {}, "registered_name": "Own>Scale"}
    judgement, _ = examined(Judge(), archive(config={"layers": [own]}))
    assert judgement.needs_a_person
    assert "Scale" in judgement.refusal


@pytest.mark.parametrize(("ending", "says"), [("timeout", "too slow"), ("memory", "too large")])
def test_a_model_beyond_the_judges_limits_is_named(examined, ending, says):
    judgement, _ = examined(Judge(ending=ending))
    assert says in judgement.refusal


def test_a_model_that_keras_cannot_open_again_asks_for_a_person(examined):
    answer = json.dumps({"problem": "the model cannot be opened", "forms": []}).encode() + b"\n"
    judgement, _ = examined(Judge(answer))
    assert judgement.needs_a_person
    assert "cannot be opened" in judgement.refusal


def test_a_model_that_takes_other_inputs_is_told_which_were_offered(examined):
    judgement, rows = examined(Judge(said(b"", forms=())))
    assert (judgement.predictions, rows) == ((), {})
    assert "takes inputs of shape (None, 4); offered were" in judgement.judge_problem


def test_a_judge_that_was_killed_may_be_asked_again(examined):
    with pytest.raises(RunLostError, match="killed"):
        examined(Judge(said(), ending="killed", setup_error="it ended with status -9"))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said(ROWS[:-1]), {}),
        (said(ROWS + b"x"), {}),
        (said(ROWS, forms=({**FORM, "rows": 4},)), {}),
        (said(ROWS, forms=({**FORM, "width": 10**9},)), {}),
        (said(card={**CARD, "trainable_params": -1}), {}),
        (said(card={**CARD, "layers": "none"}), {}),
        (b"no json\n", {}),
        (b"", {}),
        (b"x" * (9 << 20), {}),
        (said(), {"ending": "output"}),
        (said(), {"setup_error": "no mount"}),
    ],
)
def test_an_answer_that_does_not_fit_is_our_trouble_and_no_grade(examined, answer, outcome):
    with pytest.raises(WorkerError):
        examined(Judge(answer, **outcome))
