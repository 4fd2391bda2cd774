"""Several models of one submission are judged each by itself."""

from dataclasses import replace

import pytest

from grader.checks import Unmet, dense
from grader.checks.named import NamedModels
from grader.checks.verdict import BrokenFactError
from grader.records import EvaluationRecord, Judged
from grader.settings import AccuracyWanted, Bounds, Thresholds


@pytest.fixture
def named(make):
    """The checks' view of a run with two models: ``named(thresholds, broken=…)``."""
    execution = make.execution()
    first = execution.models[0]
    small = replace(first, number=1, variables=("small",))
    evaluation = EvaluationRecord(
        model=1, cell=3, after_fits=1, x=None, y=None, samples=9, results={}, completed=True
    )
    execution = replace(
        execution,
        models=(first, small),
        fits=(*execution.fits, replace(execution.fits[0], model=1, epochs=7)),
        evaluations=(replace(evaluation, model=0, samples=4), evaluation),
    )
    card = make.card(make.dense(units=4, activation="relu"), make.dense(units=10))
    found = Judged(number=1, card=card, measurement=make.measurement(value=0.8))
    missing = Judged(number=None, card=None, measurement=None, problem="No model called `big`.")
    evidence = make.evidence(execution=execution, others={"smaller": found, "larger": missing})

    def view(thresholds=None, broken=""):
        return NamedModels(evidence, broken, thresholds)

    return view


def test_each_has_its_own_layers_trainings_evaluations_and_accuracy(named):
    smaller = named()["smaller"]
    smaller.model.expect_layers(dense(4, "relu"), dense(10, "softmax"))
    assert [fit.epochs for fit in smaller.fits.fits] == [7]
    assert [one.samples for one in smaller.evaluations.evaluations] == [9]
    smaller.held_out.expect_accuracy(at_least=0.75)
    with pytest.raises(Unmet, match=r"80\.0 %"):
        smaller.held_out.expect_accuracy(at_least=0.85)


def test_the_assignments_floor_holds_for_each(named):
    floor = Thresholds(accuracy=AccuracyWanted(at_least=0.85))
    with pytest.raises(Unmet, match=r"85\.0 %"):
        named(floor)["smaller"].held_out.expect_accuracy()


def test_a_model_may_have_a_floor_of_its_own(named):
    own = {"smaller": Bounds(accuracy=AccuracyWanted(at_least=0.75))}
    floors = Thresholds(accuracy=AccuracyWanted(at_least=0.85), models=own)
    named(floors)["smaller"].held_out.expect_accuracy()
    with pytest.raises(BrokenFactError, match=r"\[thresholds\.models\.NAME\.accuracy\]"):
        named(Thresholds())["smaller"].held_out.expect_accuracy()


@pytest.mark.parametrize("fact", ["model", "fits", "evaluations", "held_out"])
def test_one_that_is_not_there_fails_with_its_reason(named, fact):
    with pytest.raises(Unmet, match="No model called `big`"):
        getattr(named()["larger"], fact)


def test_a_fault_of_ours_is_no_verdict(named):
    with pytest.raises(BrokenFactError, match="the sandbox"):
        named(broken="the sandbox died")["smaller"]
