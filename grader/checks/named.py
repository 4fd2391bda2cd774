"""Several models of one submission, each judged by itself."""

from grader.checks.architecture import JudgedModel
from grader.checks.evaluations import Evaluations
from grader.checks.performance import HeldOut
from grader.checks.training import Training
from grader.checks.verdict import BrokenFactError, MissingFactError, Told
from grader.records import Evidence, Judged
from grader.settings import Bounds, Thresholds


class NamedModel:
    """One of several models that an assignment asks for, as checks see it."""

    def __init__(
        self,
        judged: Judged,
        evidence: Evidence,
        bounds: Bounds | None = None,
        told: Told | None = None,
    ) -> None:
        self._judged = judged
        self._execution = evidence.execution
        self._bounds = bounds
        self._told = told

    @property
    def model(self) -> JudgedModel:
        """What it is.

        Raises:
            Unmet: There is no such model.
        """
        if self._judged.card is None:
            raise self._nothing("a model")
        return JudgedModel(self._judged.card)

    @property
    def fits(self) -> Training:
        """Its recorded trainings.

        Raises:
            Unmet: There is no such model.
        """
        number = self._judged.number
        if number is None:
            raise self._nothing("a trained model")
        own = tuple(fit for fit in self._execution.fits if fit.model == number)
        return Training(own, self._judged.card, self._execution.models[number])

    @property
    def evaluations(self) -> Evaluations:
        """Its recorded evaluations.

        Raises:
            Unmet: There is no such model.
        """
        fits, number = self.fits, self._judged.number
        own = tuple(one for one in self._execution.evaluations if one.model == number)
        return Evaluations(own, fits)

    @property
    def held_out(self) -> HeldOut:
        """How good it is on held-out data.

        Raises:
            Unmet: There is no such model, or it answers nothing.
        """
        if self._judged.measurement is None:
            raise self._nothing("a model that answers the held-out samples")
        return HeldOut(self._judged.measurement, self._bounds, self._told)

    def _nothing(self, what: str) -> Exception:
        if self._judged.broken:
            return BrokenFactError(self._judged.broken)
        hint = self._judged.problem or self._execution.problem
        return MissingFactError(expected=what, received="none", hint=hint)


class NamedModels:
    """The models that ``[models]`` in ``assignment.toml`` names.

    Example:
        ``named["smaller"].model.expect_trainable_params(40_029)``
    """

    def __init__(
        self,
        evidence: Evidence,
        broken: str = "",
        thresholds: Thresholds | None = None,
        told: Told | None = None,
    ) -> None:
        self._evidence = evidence
        self._broken = broken
        self._thresholds = thresholds or Thresholds()
        self._told = told

    def __getitem__(self, name: str) -> NamedModel:
        """Give one of them by the assignment's name for it."""
        evidence = self._evidence
        if self._broken:
            raise BrokenFactError(self._broken)
        nothing = Judged(
            number=None, card=None, measurement=None, problem=evidence.execution.problem
        )
        judged = evidence.others.get(name, nothing)
        return NamedModel(judged, evidence, self._thresholds.of_model(name), self._told)
