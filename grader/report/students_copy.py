"""Report → the copy of it that a student may have: the one place where things are kept back.

Every view for students begins here. What was measured is put together anew from what may be told,
so that whatever is added to it later stays untold until it is named here. Form, hash and oddities
of the answers are not: where the best of several counts, they say which it was.
"""

from dataclasses import replace

from grader.records import CheckResult, Feedback, Measurement, Report
from grader.report.bands import band_of

OF_THE_RUN = ("run", "run_cpu")
"""Stages that are over before anything is judged."""
JUDGES = ("examining", "measuring")
"""Stages that know the held-out data."""
FALLS_SHORT = "a model that falls short of it"
"""Instead of what was measured, beside what was asked for."""
NOT_TOLD = "Why is not told: it could give away how good the model is on held-out data."
"""Instead of words of a check's own."""
NOTES = {
    "banded": "How good the model is on held-out data is told in wide steps only.",
    "verdict": "How good the model is on held-out data is told by its checks alone.",
}


def students_copy(report: Report) -> Report:
    """Give a report without what students must not see.

    That is: hidden checks, of which only number and worth remain; flags, attempts, how good the
    model is on the extra set; how long the judge took, which a model could make depend on the
    held-out inputs; and of what was measured, all that ``feedback`` keeps back.
    """
    shown = tuple(check for check in report.checks if not check.hidden)
    hidden = [check for check in report.checks if check.hidden]
    counted = [check for check in shown if check.outcome != "broken"]
    own = replace(
        report,
        checks=shown,
        points=sum(check.points for check in counted),
        out_of=sum(check.out_of for check in counted),
        not_run={
            "checks": report.not_run["checks"] + len(hidden),
            "points": report.not_run["points"] + sum(check.out_of for check in hidden),
        },
        seconds={stage: spent for stage, spent in report.seconds.items() if stage not in JUDGES},
        extra=None,
        flags=(),
        attempts=0,
        withheld_notes=(),
    )
    return own if report.feedback == "exact" else _coarse(own, report.withheld_notes)


def _coarse(report: Report, withheld: tuple[str, ...]) -> Report:
    measured = [report.measurement, *report.measurements.values()]
    notes = [note for note in report.notes if note not in withheld]
    if any(one is not None and one.value is not None for one in measured):
        notes.append(NOTES[report.feedback])
    return replace(
        report,
        checks=tuple(_check(check) for check in report.checks),
        measurement=report.measurement and _measurement(report.measurement, report.feedback),
        measurements={
            name: _measurement(one, report.feedback) for name, one in report.measurements.items()
        },
        notes=tuple(dict.fromkeys(notes)),
        # Work that is close to the threshold runs several times, and the sum would show it.
        seconds={stage: spent for stage, spent in report.seconds.items() if stage in OF_THE_RUN},
    )


def _measurement(found: Measurement, feedback: Feedback) -> Measurement:
    told = Measurement(
        metric=found.metric,
        value=None,
        samples=found.samples,
        problem=found.problem,
        where=found.where,
    )
    if feedback == "banded" and found.value is not None:
        low, high = band_of(found, found.value)
        told = replace(told, value=low, low=low, high=high)
    return told


def _check(check: CheckResult) -> CheckResult:
    if not check.tells:
        return check
    if "expected" in check.tells:  # words of the check's own: none of them can be trusted
        return replace(check, expected="", received="", hint=NOT_TOLD, alignment=(), tells=())
    return replace(
        check,
        received=FALLS_SHORT if "received" in check.tells else check.received,
        hint="" if "hint" in check.tells else check.hint,
        tells=(),
    )
