"""Evidence comes from the store where it is known, and from the sandboxes where it is not."""

import hashlib
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import fakes
import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.choose import choose
from grader.errors import ClusterError, RunLostError, SandboxError, StoreError, WorkerError
from grader.find_out import Findings, Order, find_out
from grader.gather import Gatherer
from grader.judging.judgement import Judgement
from grader.normal_form import RawModel
from grader.pipeline import grade
from grader.probes import Probe
from grader.records import GivenValue, Predictions, ProbeAnswer, ProbeStep
from grader.sandbox.interface import Isolation
from grader.settings import AccuracyWanted, Thresholds
from grader.store import Store
from grader.workbench import Desk, Shortcuts, Workbench

ARCHIVE = b"a saved model"
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], dtype="uint8")
CHECKS = """
import pytest

@pytest.mark.points(2)
def test_it(held_out):
    '''It is good.'''
    held_out.expect_accuracy(at_least=0.5)

@pytest.mark.points(1)
def test_run(execution):
    '''It runs.'''
    assert execution.ending == "finished"
"""


class Hands:
    """Whoever is asked: remembers what for, and gives a model that is right so often."""

    def __init__(self, make):
        self.make = make
        self.orders = []
        self.right = {}
        self.fault = None
        self.pause = 0.0
        self.got_ready = 0

    def get_ready(self):
        self.got_ready += 1

    def __call__(self, order: Order) -> Findings:
        self.orders.append(order)
        time.sleep(self.pause)
        if self.fault:
            raise self.fault
        seed = order.assignment.settings.seed
        rows = np.eye(3, dtype="<f4")[LABELS]
        wrong = 10 - self.right.get(seed, 10)
        rows[:wrong] = np.roll(rows[:wrong], 1, axis=1)
        answers = rows.tobytes()
        digest, model = (hashlib.sha256(data).hexdigest() for data in (answers, ARCHIVE))
        execution = self.make.execution()
        judgement = Judgement(
            raw=RawModel(
                input_shape=[None, 4],
                output_shape=[None, 3],
                trainable_params=15,
                non_trainable_params=0,
            ),
            predictions=(Predictions(form="as they are", shape=(10, 3), sha256=digest),),
        )
        found = replace(execution.models[0], artefact=model)
        return Findings(
            execution=order.execution or replace(execution, models=(found,)),
            judgement=judgement,
            blobs={digest: answers, model: ARCHIVE},
            seconds={"executing": 1.0, "examining": 0.5},
        )


@pytest.fixture
def hands(make):
    return Hands(make)


@pytest.fixture
def desk(tmp_path):
    dataset = fakes.dataset(tmp_path, np.zeros((10, 2, 2), dtype="uint8"), LABELS)
    sandbox = SimpleNamespace(isolation=Isolation(level="none", description="a test"))
    with Store(tmp_path / "store") as store:
        yield Desk(
            bench=Workbench(sandbox=sandbox, dataset=dataset),
            store=store,
            results=tmp_path / "results",
        )


@pytest.fixture
def assignment(assignment_folder, little_toml):
    toml = little_toml.replace("classes = 10", "classes = 3")
    return read_assignment(assignment_folder(toml=toml, checks=CHECKS))


@pytest.fixture
def gather(hands, desk, assignment, make):
    """Gather with some things changed: ``gather(settings=…, desk=…, **submission)``."""

    def go(*, settings=None, bench=None, since=None, by=None, **submission):
        wanted = replace(assignment, settings=replace(assignment.settings, **(settings or {})))
        where = replace(desk, bench=replace(desk.bench, **(bench or {})), since=since)
        return Gatherer(wanted, where, by or hands).gather(make.submission(**submission))

    return go


def test_the_same_work_runs_once(gather, hands):
    first, second = gather(), gather(student="ben", notebook={"cells": []})
    assert len(hands.orders) == 1
    assert (first.known, second.known) == (False, True)
    assert first.measurement == second.measurement
    assert first.card == second.card
    assert first.execution == second.execution
    assert second.submission.student == "ben"
    assert second.seconds.keys() == {"measuring"}


def test_evidence_outlives_the_program(gather, hands, desk, assignment, make):
    first = gather()
    with Store(desk.results.parent / "store") as again:
        second = Gatherer(assignment, replace(desk, store=again), hands).gather(make.submission())
    assert len(hands.orders) == 1
    assert replace(second, known=False, seconds={}) == replace(first, seconds={})


@pytest.mark.parametrize(
    "change",
    [
        {"cells": ("print(2)",)},
        {"kind": "script"},
        {"files": {"net.py": b"1"}},
        {"settings": {"seed": 8}},
        {"bench": {"shortcuts": Shortcuts(joined_steps=False)}},
        {
            "bench": {
                "sandbox": SimpleNamespace(isolation=Isolation(level="landlock", description=""))
            }
        },
    ],
    ids=["code", "kind", "files", "seed", "shortcuts", "isolation"],
)
def test_what_could_change_a_run_makes_it_run_again(gather, hands, change):
    gather()
    assert not gather(**change).known
    assert hands.orders[1].execution is None


def test_limits_and_training_budget_could_change_a_run(gather, assignment):
    gather()
    limits = replace(assignment.settings.limits, wall_s=1)
    training = replace(assignment.settings.training, epochs=1)
    assert not gather(settings={"limits": limits}).known
    assert not gather(settings={"training": training}).known


@pytest.mark.parametrize(
    "settings",
    [
        {"title": "Another"},
        {"version": "2"},
        {"thresholds": Thresholds(accuracy=AccuracyWanted(at_least=0.3))},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_only_judges_runs_nothing(gather, settings):
    gather()
    assert gather(settings=settings).known


def test_other_questions_to_the_model_ask_the_judge_alone(gather, hands, assignment):
    gather()
    model = replace(assignment.settings.model, inputs=("vector", "image"))
    again = gather(settings={"model": model})
    assert not again.known
    assert hands.orders[1].execution is not None
    assert hands.orders[1].archive == ARCHIVE
    assert gather(settings={"model": model}).known


def test_another_variable_chooses_among_the_stored_models(gather, assignment):
    gather()
    model = replace(assignment.settings.model, variable="net")
    again = gather(settings={"model": model})
    assert again.known
    assert any("not `net`" in note for note in again.execution.notes)


@pytest.fixture
def several(assignment, make, monkeypatch):
    """Settings that ask for three models, of which two are in the run."""
    usual, execution = Hands.__call__, make.execution()
    first = replace(execution.models[0], artefact=hashlib.sha256(ARCHIVE).hexdigest())
    models = (first, replace(first, number=1, variables=("small",)))

    def with_two(self, order):
        found = usual(self, order)
        if order.execution:
            return found
        ran = choose(replace(execution, models=models), order.assignment.judged_first)
        return replace(found, execution=ran, judgement=found.judgement if ran.found else None)

    monkeypatch.setattr(Hands, "__call__", with_two)
    one = assignment.settings.model
    others = {name: replace(one, variable=name) for name in ("small", "large")}
    return {"models": {"smaller": others["small"], "larger": others["large"]}}


def test_several_models_are_judged_each_by_its_name_after_one_run(gather, hands, several):
    found = gather(settings=several)
    ran, judged = hands.orders
    assert (ran.execution, judged.execution.chosen) == (None, 1)
    assert judged.archive == ARCHIVE
    assert found.execution.chosen == 0
    assert found.others["smaller"].number == 1
    assert found.others["smaller"].measurement.value == 1.0
    assert found.others["larger"].card is None
    assert found.others["larger"].problem == "No model called `large` came out of the run."
    again = gather(settings=several)
    assert again.known
    assert again.others == found.others


def test_a_missing_model_is_not_replaced_by_another_where_there_are_several(
    gather, several, assignment
):
    model = replace(assignment.settings.model, variable="medium")
    found = gather(settings=several | {"model": model})
    assert found.card is None
    assert "`medium`" in found.execution.problem
    relaxed = replace(model, only_by_name=False)
    assert gather(settings=several | {"model": relaxed}).card is not None


def test_fresh_ignores_what_was_known_before_and_nothing_else(gather, hands):
    before = gather()
    moment = datetime.now(UTC)
    assert not before.known
    assert not gather(since=moment).known
    assert gather(since=moment).known
    assert gather().known
    assert len(hands.orders) == 2


def test_a_sudden_death_is_run_again(gather, hands, make, monkeypatch):
    execution = make.execution(ending="killed", models=(), chosen=None, fits=())
    dead = Findings(execution=execution, judgement=None)
    monkeypatch.setattr(Hands, "__call__", lambda self, order: self.orders.append(order) or dead)
    assert gather().execution.ending == "killed"
    assert not gather().known
    assert len(hands.orders) == 2


def test_a_run_without_a_model_is_known_too(gather, make, monkeypatch):
    execution = make.execution(ending="raised", models=(), chosen=None, fits=())
    none = Findings(execution=execution, judgement=None)
    monkeypatch.setattr(Hands, "__call__", lambda self, order: self.orders.append(order) or none)
    assert not gather().known
    again = gather()
    assert again.known
    assert "No Keras model came out of the run" in again.execution.problem


def test_a_refused_model_is_known_with_its_reason(gather, monkeypatch):
    usual = Hands.__call__
    refusal = Judgement(refusal="The model is refused: it is too clever.", needs_a_person=True)
    monkeypatch.setattr(
        Hands, "__call__", lambda self, order: replace(usual(self, order), judgement=refusal)
    )
    first, again = gather(), gather()
    assert (first.known, again.known) == (False, True)
    assert first.broken == again.broken == refusal.refusal
    assert again.execution.problem == refusal.refusal


def test_doubles_in_flight_wait_for_the_first(hands, desk, assignment, make):
    hands.pause = 0.2
    gatherer = Gatherer(assignment, desk, hands)
    found = []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(gatherer.gather(make.submission(student=f"s{n}")))
        )
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hands.orders) == 1
    assert sorted(each.known for each in found) == [False, True, True]


# ------------------------------------------------------------------ probes


def asked(hands):
    """What each order was for: a run, the judge, probes."""
    return [(not order.execution, bool(order.archive), order.probes) for order in hands.orders]


@pytest.fixture
def answering(monkeypatch):
    """Have probes answered with the number of the order they were in."""
    usual = Hands.__call__

    def call(self, order):
        found = usual(self, order)
        number = GivenValue(kind="number", type="int", shape=(), numbers=(len(self.orders),))
        answer = ProbeAnswer(outcome="answered", steps=(ProbeStep(value=number),))
        answers = {**found.execution.probes, **dict.fromkeys(order.probes, answer)}
        execution = replace(found.execution, probes=answers)
        if order.execution and not order.archive:
            return replace(found, execution=execution, judgement=None, blobs={})
        return replace(found, execution=execution)

    monkeypatch.setattr(Hands, "__call__", call)


def numbers(found):
    return {name: each.steps[0].value.numbers[0] for name, each in found.execution.probes.items()}


A, B, OTHER_B = Probe(call="f"), Probe(call="g"), Probe(call="g", arguments=(1,))


@pytest.mark.usefixtures("answering")
def test_a_probe_added_or_changed_is_asked_alone_and_all_else_stays(gather, hands):
    first = gather(settings={"probes": {"a": A}})
    assert asked(hands) == [(True, False, ("a",))]
    assert gather(settings={"probes": {"a": A}}).known
    more = gather(settings={"probes": {"a": A, "b": B}})
    assert asked(hands)[1:] == [(False, False, ("b",))], "only b, and no judge"
    assert numbers(more) == {"a": 1, "b": 2}
    assert (more.card, more.measurement) == (first.card, first.measurement)
    assert replace(more.execution, probes={}) == replace(first.execution, probes={})
    changed = gather(settings={"probes": {"a": A, "b": OTHER_B}})
    assert numbers(changed) == {"a": 1, "b": 3}
    assert gather(settings={"probes": {"a": A, "b": B}}).known, "the old question has its answer"
    assert gather(settings={"probes": {"renamed": A}}).known
    assert gather().known, "a run does not depend on what is asked after it"
    assert len(hands.orders) == 3


@pytest.mark.usefixtures("answering")
def test_a_changed_check_asks_no_probe(gather, hands):
    gather(settings={"probes": {"a": A}})
    wanted = Thresholds(accuracy=AccuracyWanted(at_least=0.3))
    assert gather(settings={"probes": {"a": A}, "version": "2", "thresholds": wanted}).known
    assert gather(settings={"probes": {"a": A}}, cells=("other",)).execution.probes.keys() == {"a"}
    assert len(hands.orders) == 2


@pytest.mark.usefixtures("answering")
def test_other_seeds_are_asked_for_their_accuracy_alone(gather, hands):
    hands.right = {7: 7, 8: 9, 9: 8}
    gather(settings={**close(2), "probes": {"a": A}})
    assert [order.probes for order in hands.orders] == [("a",), (), ()]


def test_a_run_for_probes_gives_their_answers_and_nothing_else(make, assignment, desk, monkeypatch):
    settings = replace(assignment.settings, probes={"a": A, "b": B})
    answer, none = ProbeAnswer(outcome="answered"), ProbeAnswer(outcome="unanswered")
    ending = "finished"

    def execute(*args):
        assert args[3] == ("b",)
        return make.execution(ending=ending, seconds=99.0, probes={"b": answer}), {"ab": b"model"}

    monkeypatch.setattr("grader.find_out.execute", execute)
    known = make.execution(probes={"a": none})
    order = Order(
        submission=make.submission(),
        assignment=replace(assignment, settings=settings),
        execution=known,
        probes=("b",),
    )
    found = find_out(order, desk.bench)
    assert found.execution == replace(known, probes={"a": none, "b": answer})
    assert (found.judgement, found.blobs) == (None, {})
    ending = "killed"
    assert find_out(order, desk.bench).execution == known, "a sudden death answers nothing"


# ------------------------------------------------------------------ chance


def close(retries, rule="median"):
    wanted = AccuracyWanted(at_least=0.8, margin=0.15, retries=retries, rule=rule)
    return {"thresholds": Thresholds(accuracy=wanted)}


@pytest.mark.parametrize(
    ("rule", "right", "counted"),
    [
        ("median", {7: 7, 8: 9, 9: 8}, 0.8),
        ("median", {7: 7, 8: 7, 9: 10}, 0.7),
        ("best", {7: 7, 8: 9, 9: 8}, 0.9),
    ],
)
def test_an_accuracy_near_the_floor_is_run_with_other_seeds(gather, hands, rule, right, counted):
    hands.right = right
    found = gather(settings=close(2, rule))
    assert [order.assignment.settings.seed for order in hands.orders] == [7, 8, 9]
    assert found.measurement.value == pytest.approx(counted)
    assert found.measurement.rule == rule
    runs = [(run.seed, round(run.value, 6)) for run in found.measurement.runs]
    assert runs == [(seed, share / 10) for seed, share in right.items()]
    assert found.seconds["executing"] == 3.0
    again = gather(settings=close(2, rule))
    assert again.known
    assert again.measurement == found.measurement


@pytest.mark.parametrize("right", [10, 6])
def test_an_accuracy_far_from_the_floor_needs_one_run(gather, hands, right):
    hands.right = {7: right}
    found = gather(settings=close(2))
    assert len(hands.orders) == 1
    assert found.measurement.runs == ()


# ------------------------------------------------------------------ a second held-out set


@pytest.fixture
def extra(desk, tmp_path):
    """The bench of an assignment with an extra set, to which every answer is wrong."""
    more = tmp_path / "more"
    more.mkdir()
    np.save(more / "inputs.npy", np.ones((10, 2, 2), dtype="uint8"))
    first = vars(desk.bench.dataset)
    second = {**first, "held_out": more, "labels": lambda: (LABELS + 1) % 3}
    return {"dataset": SimpleNamespace(**{**first, "extra": SimpleNamespace(**second)})}


def test_the_extra_set_is_asked_of_the_same_run_and_known_from_then_on(gather, hands, extra):
    found = gather(bench=extra)
    assert (found.measurement.value, found.extra.value) == (1.0, 0.0)
    run, more = hands.orders
    assert (run.execution, run.extra) == (None, False)
    assert (more.execution.found.artefact, more.extra) == (
        hashlib.sha256(ARCHIVE).hexdigest(),
        True,
    )
    assert more.archive == ARCHIVE
    assert not found.known
    assert gather(bench=extra).known
    assert gather().known, "without it nothing is asked"
    assert gather().extra is None
    assert len(hands.orders) == 2


def test_of_several_runs_the_one_that_counts_is_asked(gather, hands, extra):
    hands.right = {7: 7, 8: 9, 9: 8}
    found = gather(bench=extra, settings=close(2))
    asked = [(order.assignment.settings.seed, order.extra) for order in hands.orders]
    assert asked == [(7, False), (8, False), (9, False), (9, True)]
    assert found.measurement.value == pytest.approx(0.8)
    assert found.extra.samples == 10


def test_an_extra_set_without_an_answer_calls_a_person_and_says_no_more(gather, hands, extra):
    gather()
    refuse = Judgement(refusal="The model is too slow to be judged.")
    asked = []

    def refusing(order):
        asked.append(order.extra)
        return replace(Hands.__call__(hands, order), judgement=refuse, blobs={})

    found = gather(bench=extra, by=refusing)
    assert asked == [True]
    assert found.measurement.value == 1.0
    assert found.extra is None
    assert found.broken == "The model did not answer all that it was asked."


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize("fault", [SandboxError("no memory"), RuntimeError("a mistake of ours")])
def test_our_own_fault_breaks_one_submission_and_not_the_batch(
    hands, desk, assignment, make, fault
):
    hands.fault = fault
    unreadable = make.submission(student="ben", problem="the file is empty")
    first, second = grade([make.submission(), unreadable], assignment, desk, hands, jobs=2)
    assert (first.needs_a_person, first.out_of) == (True, 0)
    assert [check.outcome for check in first.checks] == ["broken", "broken"]
    assert "The grader itself failed" in " ".join(first.notes)
    assert (second.needs_a_person, second.out_of, second.checks[0].outcome) == (False, 3, "failed")
    assert "empty" in second.checks[0].hint


def test_a_fault_is_not_remembered(gather, hands):
    hands.fault = WorkerError("the judge was ended")
    assert gather().broken
    hands.fault = None
    assert not gather().broken


def test_a_store_that_takes_no_more_ends_the_batch_and_keeps_the_reports(
    hands, desk, assignment, make, monkeypatch
):
    usual = Store.put
    calls = []

    def put(*args, **kwargs):
        calls.extend([1] * (kwargs["kind"] != "attempt"))
        if len(calls) > 4:
            raise StoreError("no space left")
        return usual(*args, **kwargs)

    monkeypatch.setattr(Store, "put", put)
    submissions = [make.submission(student=f"s{n}", cells=(f"{n}",)) for n in range(9)]
    with pytest.raises(StoreError, match="no space left"):
        grade(submissions, assignment, desk, hands, jobs=1)
    reports = list(desk.results.glob("submissions/*/report.json"))
    assert len(reports) == 2
    assert len(hands.orders) < 9


def test_a_lost_cluster_ends_the_batch(hands, desk, assignment, make):
    hands.fault = ClusterError("no worker is left")
    with pytest.raises(ClusterError, match="no worker is left"):
        grade([make.submission()], assignment, desk, hands)


def test_a_lost_run_is_begun_anew_but_not_for_ever(make, assignment, desk, monkeypatch):
    losses = []

    def execute(*_):
        losses.append(1)
        if len(losses) < wanted:
            raise RunLostError("The server died.")
        return make.execution(models=(), chosen=None), {}

    monkeypatch.setattr("grader.find_out.execute", execute)
    order = Order(submission=make.submission(), assignment=assignment)
    wanted = 3
    assert find_out(order, desk.bench).execution.ending == "finished"
    losses.clear()
    wanted = 4
    with pytest.raises(WorkerError, match=r"The server died\. \(3 times"):
        find_out(order, desk.bench)


# ------------------------------------------------------------------ the batch


def test_results_are_written_as_they_come_and_listed_in_order(hands, desk, assignment, make):
    seen = []

    def tell(step):
        if step.stage == "done":
            there = sorted(path.parent.name for path in desk.results.rglob("report.json"))
            seen.append((step.student, there))

    desk = replace(desk, bench=replace(desk.bench, on_progress=tell))
    submissions = [make.submission(student=f"s{n}", cells=(f"{n}",)) for n in range(3)]
    reports = grade(submissions, assignment, desk, hands, jobs=1)
    assert [there for _, there in seen] == [["s0"], ["s0", "s1"], ["s0", "s1", "s2"]]
    assert [report.submission["student"] for report in reports] == ["s0", "s1", "s2"]
    folder = desk.folder("s1")
    assert (folder / "model.keras").read_bytes() == ARCHIVE
    assert len((folder / "predictions.f32").read_bytes()) == 10 * 3 * 4


def test_hands_get_ready_when_there_is_work_and_only_then(hands, desk, assignment, make):
    unreadable = make.submission(student="ben", problem="the file is empty")
    grade([unreadable], assignment, desk, hands)
    assert hands.got_ready == 0
    grade([make.submission(), unreadable], assignment, desk, hands)
    assert hands.got_ready == 1
    grade([make.submission()], assignment, desk, hands)
    assert hands.got_ready == 1


def test_a_model_of_an_earlier_run_does_not_stay(hands, desk, assignment, make, monkeypatch):
    grade([make.submission()], assignment, desk, hands)
    assert (desk.folder("ada") / "model.keras").exists()
    none = Findings(execution=make.execution(models=(), chosen=None, fits=()), judgement=None)
    monkeypatch.setattr(Hands, "__call__", lambda *_: none)
    grade([make.submission(cells=("other",))], assignment, desk, hands)
    assert not (desk.folder("ada") / "model.keras").exists()
    assert not (desk.folder("ada") / "predictions.f32").exists()
