"""A class's reports → flags for models that give the same answers, bit for bit.

Seed, threads and order of work are the same for everybody, so that two who write the same network
and train it alike get the same weights: that proves nothing, and is not noted. What is noted are
the same answers where the code is another and the recorded training is another too, or is none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.measure import has_learnt
from grader.records import Evidence, Flag

DIGITS = 5
"""Of a loss, by which two trainings are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What of a submission is compared with its class."""

    student: str
    """Whose it is."""
    work: str
    """The hash of what ran: the same for the same code and files."""
    answers: str
    """The hash of the judged model's answers."""
    losses: tuple[float, ...]
    """The loss of each recorded epoch of the judged model."""


def likeness(evidence: Evidence, work: str) -> Likeness | None:
    """Take what is compared; ``None`` where the model has learnt nothing, or gives no answers.

    Before its training, a network has the same weights for everybody.
    """
    found, chosen = evidence.measurement, evidence.execution.chosen
    if found is None or found.value is None or found.constant or not found.predictions_sha256:
        return None
    if not (has_learnt(found) if found.metric == "accuracy" else _was_trained(evidence)):
        return None
    losses = (
        value
        for fit in evidence.execution.fits
        if fit.model == chosen
        for value in fit.history.get("loss", ())
    )
    return Likeness(
        student=evidence.submission.student,
        work=work,
        answers=found.predictions_sha256,
        losses=tuple(round(value, DIGITS) for value in losses),
    )


def _was_trained(evidence: Evidence) -> bool:
    found = evidence.execution.found
    return bool(found and (found.updates or found.fits))


def alike(members: Iterable[Likeness]) -> Mapping[str, Flag]:
    """Compare a class; give a flag by student.

    Args:
        members: One for each submission whose model answered.
    """
    groups: defaultdict[str, list[Likeness]] = defaultdict(list)
    for member in members:
        groups[member.answers].append(member)
    found = {}
    for group in groups.values():
        for one in group:
            others = [other.student for other in group if _is_unexplained(one, other)]
            if others:
                found[one.student] = _flag(others, one)
    return found


def _is_unexplained(one: Likeness, other: Likeness) -> bool:
    """Whether two models answer alike though neither code nor training does."""
    return one.work != other.work and not (one.losses and one.losses == other.losses)


def _flag(others: list[str], one: Likeness) -> Flag:
    names = ", ".join(others)
    return Flag(
        kind="same_answers",
        sentence=f"The judged model gives the same answers, bit for bit, as that of {names}; the "
        "code is another, and so is the recorded training.",
        evidence={"students": others, "predictions_sha256": one.answers},
    )
