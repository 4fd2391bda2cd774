"""Evidence → flags: what an instructor may want to look at in one submission.

Nothing runs for it, and no flag costs a point. A flag states a fact that work done as it was meant
to be seldom shows; what it proves and what it does not says ``docs/flags.md``.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.checks.performance import measured_words
from grader.checks.protocol import A_FEW
from grader.measure import has_learnt, wilson
from grader.records import (
    EvaluationRecord,
    Evidence,
    FitRecord,
    Flag,
    FlagKind,
    FoundModel,
    Measurement,
    RowFacts,
)

MARGIN = 0.05
"""How far above what was measured an accuracy may be, beyond both intervals, where it was recorded
on rows that the model had not learnt from."""
LARGEST_GAP = 0.5
"""The same where the rows may have been learnt from: so much no over-fitting explains."""
LESS_ERROR = 0.5
"""Rows that were learnt from may be answered better than in training, where dropout is on, but
with no less than this share of its errors."""
SUFFIXES = (".h5", ".hdf5", ".keras", ".npy", ".npz", ".pkl", ".joblib", ".pt", ".pth", ".onnx")
"""Of files in which weights travel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One judged model, and all that was recorded of it."""

    name: str
    """By which the assignment asks for it; empty for the only one."""
    found: FoundModel
    fits: tuple[FitRecord, ...]
    evaluations: tuple[EvaluationRecord, ...]
    measurement: Measurement | None

    @property
    def called(self) -> str:
        return f"The judged model `{self.name}`" if self.name else "The judged model"


def flags(evidence: Evidence, assignment: Assignment) -> tuple[Flag, ...]:
    """Note what an instructor may want to look at; never an accusation, never shown to students.

    Args:
        evidence: What is known of one submission.
        assignment: Says how much less the extra set may give.
    """
    found: list[Flag] = []
    for judged in _every(evidence):
        each = [
            *_origin(judged, evidence),
            *_answers(judged),
            *_history(judged),
            *_evaluation(judged),
            *_rows(judged),
        ]
        about = {"model": judged.name} if judged.name else {}
        found += [
            Flag(kind=flag.kind, sentence=flag.sentence, evidence={**about, **flag.evidence})
            for flag in each
        ]
    return (
        *found,
        *_own_code(evidence),
        *_patched(evidence),
        *_extra(evidence, assignment),
    )


def _every(evidence: Evidence) -> Iterator[_Judged]:
    execution = evidence.execution
    chosen = {execution.chosen: ("", evidence.measurement)}
    chosen |= {
        other.number: (name, other.measurement)
        for name, other in evidence.others.items()
        if other.number != execution.chosen
    }
    for number, (name, measurement) in chosen.items():
        if number is None:
            continue
        yield _Judged(
            name=name,
            found=execution.models[number],
            fits=tuple(fit for fit in execution.fits if fit.model == number),
            evaluations=tuple(one for one in execution.evaluations if one.model == number),
            measurement=measurement,
        )


# ------------------------------------------------------------------ where the weights are from


def _origin(judged: _Judged, evidence: Evidence) -> Iterator[Flag]:
    found, fits = judged.found, judged.fits
    by_fits = sum(fit.updates for fit in fits)
    facts: dict[str, object] = {"updates": found.updates, "updates_in_fit": by_fits}
    if files := [name for name in evidence.submission.files if name.lower().endswith(SUFFIXES)]:
        facts["files_handed_in"] = files
    along = f" Handed in along with the work: {', '.join(files)}." if files else ""
    if not any(fit.completed or fit.updates for fit in fits):
        if found.updates or has_learnt(judged.measurement):
            yield Flag(
                kind="no_recorded_fit",
                sentence=f"{judged.called} was not trained by a recorded call of `fit`: in a loop "
                f"of the student's own, or its weights were loaded or written down.{along}",
                evidence=facts,
            )
        return
    if found.by_fit is False or found.updates > by_fits:
        yield Flag(
            kind="changed_after_fit",
            sentence=f"{judged.called} does not have the weights that a recorded call of `fit` of "
            "this run left: they were changed outside of it, by a loop of the student's own, or "
            f"loaded, or written down.{along}"
            if found.by_fit is False
            else f"{judged.called} has seen {found.updates - by_fits:,} weight updates outside the "
            f"recorded calls of `fit`: in a loop of the student's own, or before it was loaded."
            f"{along}",
            evidence=facts,
        )
    completed = [fit for fit in fits if fit.completed]
    if completed and all(fit.changed is False for fit in completed):
        yield Flag(
            kind="fit_changed_nothing",
            sentence=f"`fit` was called, and {_small(judged.called)} had the same weights "
            f"afterwards.{along}",
            evidence={**facts, "fits": len(completed)},
        )


def _own_code(evidence: Evidence) -> Iterator[Flag]:
    if evidence.is_weaker:
        measured = evidence.measurement
        yield Flag(
            kind="own_code",
            sentence="Only code of the student's own can open the judged model, and that code had "
            "the held-out inputs when it answered them: it may have looked the answers up.",
            evidence={
                "network": evidence.card is not None,
                "measured": None if measured is None else measured.value,
            },
        )


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


# ------------------------------------------------------------------ what it answers


def _answers(judged: _Judged) -> Iterator[Flag]:
    found = judged.measurement
    if found is None or found.value is None or found.non_finite == found.samples:
        return  # nothing, or nothing but NaN: the checks say so
    facts: dict[str, object] = {"samples": found.samples}
    if found.answered is not None:
        facts |= {"classes": len(found.per_class), "classes_answered": found.answered}
    if found.constant:
        what = "class" if found.metric == "accuracy" else "number"
        yield Flag(
            kind="constant",
            sentence=f"{judged.called} gives all {found.samples:,} held-out samples the same "
            f"{what}: {measured_words(found)}.",
            evidence=facts,
        )
    elif found.answered and found.answered < len(found.per_class) and has_learnt(found):
        yield Flag(
            kind="missing_classes",
            sentence=f"{judged.called} answers {found.answered} of {len(found.per_class)} classes "
            "only; the others it never gives.",
            evidence=facts,
        )


# ------------------------------------------------------------------ what was claimed


def _history(judged: _Judged) -> Iterator[Flag]:
    """Compare the last epoch of the recorded history with what was measured."""
    fit = next((fit for fit in reversed(judged.fits) if fit.history), None)
    if fit is None:
        return
    last = {name: values[-1] for name, values in fit.history.items() if values}
    name, claim = _accuracy(last, "val_")
    unseen = bool(name) and _were_not_learnt_from(fit)
    samples = _validated_on(fit)
    if not name:
        name, claim = _accuracy(last, "")
        samples = (fit.x.shape[0] or 0) if fit.x and fit.x.shape else 0
    gap = _gap(claim, samples, judged.measurement)
    if not name or gap is None or gap <= (MARGIN if unseen else LARGEST_GAP):
        return
    yield Flag(
        kind="history_above_measured",
        sentence=f"The recorded history of {_small(judged.called)} ends with {name} at "
        f"{_share(claim, samples)}; measured on held-out data: {_measured(judged)}.",
        evidence={"metric": name, "recorded": claim, "recorded_samples": samples}
        | _numbers(judged.measurement),
    )


def _validated_on(fit: FitRecord) -> int:
    if fit.validation_rows is not None:
        return fit.validation_rows.total
    if fit.validation == "split" and fit.x and fit.x.shape:
        return round((fit.x.shape[0] or 0) * fit.validation_split)
    held = fit.validation_x
    return (held.shape[0] or 0) if held and held.shape else 0


def _were_not_learnt_from(fit: FitRecord) -> bool:
    """Whether the validation rows are known to be none of the training's.

    What is served as the test set is drawn from the training rows: who validates on it is told
    what the model has learnt by heart, and has claimed nothing.
    """
    if fit.validation == "split":
        return not fit.validation_shared
    rows = fit.validation_rows
    return fit.validation_shared == 0 and rows is not None and rows.from_test == 0


def _evaluation(judged: _Judged) -> Iterator[Flag]:
    """Compare what ``evaluate`` gave on the served test set with what was measured.

    The served test rows are training rows, so over-fitting raises what ``evaluate`` gives: only
    what the recorded training does not explain is noted.
    """
    after = [
        one
        for one in judged.evaluations
        if one.completed and one.after_fits >= len(judged.fits) and _may_be_test(one.rows)
    ]
    if not after:
        return
    one = after[-1]
    name, claim = _accuracy(one.results, "")
    samples = one.samples or 0
    gap = _gap(claim, samples, judged.measurement)
    if not name or gap is None:
        return
    trained = max(
        (
            min(value, 1.0)
            for fit in judged.fits
            for key, values in fit.history.items()
            if _is_accuracy(key, "")
            for value in values
            if math.isfinite(value)
        ),
        default=None,
    )
    explained = trained is None or 1 - claim >= LESS_ERROR * (1 - trained)
    if gap <= (LARGEST_GAP if explained else MARGIN):
        return
    yield Flag(
        kind="evaluation_above_measured",
        sentence=f"`evaluate` in cell {one.cell} gave {name} as {_share(claim, samples)}"
        f"{'' if trained is None else f', after {100 * trained:.1f} % in training'}; measured on "
        f"held-out data: {_measured(judged)}.",
        evidence={"metric": name, "recorded": claim, "recorded_samples": samples}
        | ({} if trained is None else {"recorded_in_training": trained})
        | _numbers(judged.measurement),
    )


def _accuracy(values: Mapping[str, float], prefix: str) -> tuple[str, float]:
    """Name a recorded accuracy, and its value; an empty name where there is none."""
    named = ((name, value) for name, value in values.items() if _is_accuracy(name, prefix))
    return next(((name, value) for name, value in named if math.isfinite(value)), ("", 0.0))


def _is_accuracy(name: str, prefix: str) -> bool:
    if not name.startswith(prefix) or (not prefix and name.startswith("val_")):
        return False
    return "acc" in name and "top" not in name


def _gap(claim: float, samples: int, measurement: Measurement | None) -> float | None:
    """How much lies between the interval of a claim and that of the measurement below it."""
    if measurement is None or measurement.metric != "accuracy" or measurement.high is None:
        return None
    low = wilson(claim, samples)[0] if samples and 0 <= claim <= 1 else claim
    return low - measurement.high


def _may_be_test(rows: RowFacts | None) -> bool:
    return rows is None or rows.from_test is None or rows.from_test > 0


def _share(value: float, samples: int) -> str:
    return f"{100 * value:.1f} %" + (f" of {samples:,}" if samples else "")


def _measured(judged: _Judged) -> str:
    return measured_words(judged.measurement) if judged.measurement else "nothing"


def _numbers(measurement: Measurement | None, prefix: str = "measured") -> dict[str, object]:
    if measurement is None:
        return {}
    return {
        prefix: measurement.value,
        f"{prefix}_low": measurement.low,
        f"{prefix}_high": measurement.high,
        f"{prefix}_samples": measurement.samples,
    }


# ------------------------------------------------------------------ whose rows


def _rows(judged: _Judged) -> Iterator[Flag]:
    of: tuple[tuple[FlagKind, str, list[RowFacts | None]], ...] = (
        ("trained_on_test", "trained", [fit.rows for fit in judged.fits]),
        ("validated_on_test", "validated", [fit.validation_rows for fit in judged.fits]),
    )
    for kind, verb, rows in of:
        most = max(
            (each for each in rows if each and (each.from_test or 0) > A_FEW * each.total),
            key=lambda each: each.from_test or 0,
            default=None,
        )
        if most is None:
            continue
        cell = next(fit.cell for fit, each in zip(judged.fits, rows, strict=True) if each is most)
        yield Flag(
            kind=kind,
            sentence=f"{judged.called} was {verb} on {most.from_test:,} rows of the served test "
            f"set, of {most.total:,} (cell {cell}).",
            evidence={"rows": most.total, "from_test": most.from_test, "cell": cell},
        )


# ------------------------------------------------------------------ the run, and the extra set


def _patched(evidence: Evidence) -> Iterator[Flag]:
    if names := evidence.execution.patched:
        shown = ", ".join(f"`{name}`" for name in names)
        yield Flag(
            kind="patched",
            sentence=f"When the run ended, {shown} of `keras.Model` had been replaced: what was "
            "recorded through them may be made up.",
            evidence={"methods": list(names)},
        )


def _extra(evidence: Evidence, assignment: Assignment) -> Iterator[Flag]:
    main, extra, wanted = evidence.measurement, evidence.extra, assignment.settings.extra
    if wanted is None or main is None or main.low is None or extra is None or extra.high is None:
        return
    if main.low - extra.high <= wanted.margin:
        return
    yield Flag(
        kind="extra_below",
        sentence=f"The judged model is right for {measured_words(main)} held-out samples, and for "
        f"{measured_words(extra)} of the extra set.",
        evidence={
            **_numbers(main),
            **_numbers(extra, "extra"),
            "margin": wanted.margin,
        },
    )
