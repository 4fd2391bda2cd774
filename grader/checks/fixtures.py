"""The fixtures of checks: facts about the submission that is being judged, and nothing alive."""

import pytest

from grader.checks.architecture import JudgedModel
from grader.checks.data import Values, Variables
from grader.checks.evaluations import Evaluations
from grader.checks.named import NamedModels
from grader.checks.performance import HeldOut
from grader.checks.plots import Figures
from grader.checks.probes import Probes
from grader.checks.training import Training, Trainings
from grader.checks.verdict import BrokenFactError, MissingFactError, Told
from grader.records import (
    Evidence,
    ExecutionRecord,
    FoundModel,
    ModelCard,
    Submission,
    Where,
)
from grader.settings import Settings


class Fixtures:
    """What a check may ask for by the name of its argument.

    A fact that is missing because of the student makes the check fail with that reason; one that
    is missing through our own fault makes it *broken*.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._now: Evidence | None = None
        """Of the submission that is being judged."""
        self._told = Told()
        """Of the check that is running."""

    @property
    def _facts(self) -> Evidence:
        if self._now is None:  # pragma: no cover - fixtures are only asked for within the loop
            raise BrokenFactError("no submission is being judged")
        return self._now

    @property
    def _execution(self) -> ExecutionRecord:
        """What the submission did; where our own fault kept it from running, that is not known."""
        if self._broken:
            raise BrokenFactError(self._broken)
        return self._facts.execution

    def _counts(self, where: Where) -> bool:
        """Whether the assignment lets points depend on what was said there."""
        model = self._settings.model
        return where == "judge" or (model is not None and model.own_code == "points")

    @property
    def _card(self) -> ModelCard | None:
        card = self._facts.card
        return card if card is not None and self._counts(card.where) else None

    def _nothing(self, what: str) -> Exception:
        """Why a fact is missing: the student's fault fails a check, ours breaks it."""
        evidence = self._facts
        if evidence.broken:
            return BrokenFactError(evidence.broken)
        return MissingFactError(expected=what, received="none", hint=evidence.execution.problem)

    @pytest.fixture
    def submission(self) -> Submission:
        """What was handed in."""
        return self._facts.submission

    @pytest.fixture
    def execution(self) -> ExecutionRecord:
        """What it did when it ran."""
        return self._execution

    @pytest.fixture
    def model(self) -> JudgedModel:
        """The model that is judged."""
        card = self._card
        if card is None:
            raise self._nothing("a model")
        return JudgedModel(card)

    @pytest.fixture
    def models(self) -> tuple[FoundModel, ...]:
        """Every model that was found."""
        return self._execution.models

    @pytest.fixture
    def fits(self) -> Training:
        """The recorded trainings of the judged model."""
        execution = self._execution
        if execution.chosen is None:
            raise self._nothing("a trained model")
        return self._training(execution, execution.chosen)

    def _training(self, execution: ExecutionRecord, number: int) -> Training:
        own = tuple(fit for fit in execution.fits if fit.model == number)
        card = self._card if number == execution.chosen else None
        return Training(own, card, execution.models[number])

    @pytest.fixture
    def trainings(self) -> Trainings:
        """The recorded trainings of every model, by the names that the student gave it."""
        execution = self._execution
        return Trainings(
            {
                name: self._training(execution, model.number)
                for model in execution.models
                for name in model.variables
            }
        )

    @pytest.fixture
    def evaluations(self, fits: Training) -> Evaluations:
        """The recorded evaluations of the judged model."""
        execution = self._execution
        own = tuple(one for one in execution.evaluations if one.model == execution.chosen)
        return Evaluations(own, fits)

    @pytest.fixture
    def figures(self) -> Figures:
        """What was plotted, beside the histories that may be in it."""
        execution = self._execution
        first = [] if execution.chosen is None else [execution.chosen]
        others = [model.number for model in execution.models if model.number != execution.chosen]
        trainings = [self._training(execution, number) for number in (*first, *others)]
        return Figures(execution.figures, trainings)

    @pytest.fixture
    def values(self) -> Values:
        """Numbers, texts and small collections that had a name when the run ended."""
        return Values(self._execution.values)

    @pytest.fixture
    def history(self, fits: Training) -> dict[str, tuple[float, ...]]:
        """The last training's history: metric → one value an epoch."""
        return dict(fits.last.history)

    @pytest.fixture
    def variables(self) -> Variables:
        """Facts of the arrays that had a name when the run ended."""
        return Variables(self._execution.variables)

    @pytest.fixture
    def named(self) -> NamedModels:
        """Each of several models that the assignment asks for, by the name it gives."""
        return NamedModels(self._facts, self._broken, self._settings.thresholds, self._told)

    @property
    def _broken(self) -> str:
        evidence = self._facts
        return evidence.broken if evidence.execution.ending == "unreadable" else ""

    @pytest.fixture
    def probes(self) -> Probes:
        """What the student's functions answered."""
        return Probes(self._settings.probes, self._execution)

    @pytest.fixture
    def answers(self) -> Probes:
        """What the student's values are: the answers to probes that read one."""
        read = {name: probe for name, probe in self._settings.probes.items() if probe.value}
        return Probes(read, self._execution)

    @pytest.fixture
    def held_out(self) -> HeldOut:
        """The accuracy on held-out data."""
        measurement = self._facts.measurement
        if measurement is None or not self._counts(measurement.where):
            raise self._nothing("a model that answers the held-out samples")
        if not measurement.samples:
            pytest.skip(measurement.problem)
        return HeldOut(measurement, self._settings.thresholds, self._told)
