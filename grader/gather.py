"""Submission → Evidence: from the store what is known, from the sandboxes what is not."""

import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from grader.assignment import Assignment
from grader.errors import ClusterError, GraderError, StoreError
from grader.execute.record import unreadable
from grader.find_out import Findings, Order
from grader.judging.judgement import Judgement, answers_alone, card_of
from grader.judging.own_code import NO_LAYERS, UNCOUNTED, could_not_be_saved
from grader.keys import run_key
from grader.known import Known
from grader.measure import measure, worth
from grader.records import (
    Evidence,
    ExecutionRecord,
    Judged,
    Measurement,
    ModelCard,
    SeededRun,
    Submission,
)
from grader.settings import AccuracyWanted, ErrorWanted
from grader.workbench import Desk, Progress


class Hands(Protocol):
    """Who does the work, here or on another machine: :func:`grader.find_out.find_out`."""

    def __call__(self, order: Order) -> Findings:
        """Find out what is asked."""
        ...

    def get_ready(self) -> None:
        """Begin what the first order would wait for; there will be one."""
        ...


class Gatherer:
    """Gathers evidence about submissions, from several threads at once.

    Args:
        assignment: What they will be judged by.
        desk: What is known already.
        hands: Who finds out what is not.
    """

    def __init__(self, assignment: Assignment, desk: Desk, hands: Hands) -> None:
        self._assignment = assignment
        self._desk = desk
        self._hands = hands
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get_ready(self, submissions: Iterable[Submission]) -> None:
        """Have the hands get ready, unless all of these are known."""
        bench, known = self._desk.bench, Known(self._desk, self._assignment)
        readable = (each for each in submissions if not each.problem)
        if any(known.is_wanting(run_key(each, self._assignment, bench)) for each in readable):
            self._hands.get_ready()

    def gather(self, submission: Submission) -> Evidence:
        """Find out everything about one submission; our own faults are caught here and named."""
        try:
            return self._gather(submission)
        except (StoreError, ClusterError):
            raise  # what is found out from now on would be lost, or nothing is: the batch ends
        except GraderError as error:
            broken = f"The grader itself failed: {error.message}"
        except Exception as error:  # noqa: BLE001 - our own mistake must not end everybody's batch
            broken = f"The grader itself failed: {type(error).__name__}: {error}"
            file = self._desk.folder(submission.student) / "grader-error.txt"
            file.write_text(traceback.format_exc(), "utf-8", "backslashreplace")
        return Evidence(
            submission=submission,
            execution=ExecutionRecord(ending="unreadable"),
            card=None,
            measurement=None,
            broken=broken,
        )

    def _gather(self, submission: Submission) -> Evidence:
        if submission.problem:
            return Evidence(
                submission=submission,
                execution=unreadable(submission),
                card=None,
                measurement=None,
            )
        first = self._with_others(self._once(submission, self._assignment))
        measurement = first.measurement
        if measurement is None or measurement.value is None:
            return first
        wanted = self._assignment.settings.thresholds.of(measurement.metric)
        if wanted is None or not wanted.retries or not wanted.is_close(measurement.value):
            return self._with_extra(first, measurement)
        several = self._with_other_seeds(first, submission, wanted)
        return self._with_extra(several, several.measurement or measurement)

    # -------------------------------------------------------------- one run

    def _once(
        self, submission: Submission, assignment: Assignment, *, beside: Measurement | None = None
    ) -> Evidence:
        """Gather the evidence of a run with the assignment's seed.

        Args:
            submission: What was handed in.
            assignment: Names seed, limits and input forms.
            beside: What was measured on the held-out set, if it is the extra one's turn: it is
                asked in the same form.
        """
        desk, extra = self._desk, self._desk.bench.dataset.extra if beside else None
        if extra is not None:
            desk = replace(desk, bench=replace(desk.bench, dataset=extra))
        known = Known(desk, assignment)
        key = run_key(submission, assignment, desk.bench)
        with self._locks[key]:  # the same work handed in twice runs once
            execution, judgement = known.look_up(key)
            probes = known.unanswered(execution)
            archive = known.archive(execution) if execution and judgement is None else b""
            own, asks = known.own(key, execution, judgement)
            findings = None
            if execution is None or archive or probes or asks:
                findings = self._hands(
                    Order(
                        submission=submission,
                        assignment=assignment,
                        execution=execution,
                        archive=archive,
                        probes=probes,
                        own_code=asks,
                        extra=extra is not None,
                    )
                )
                known.keep(key, submission, findings, is_new=execution is None, probes=probes)
                execution, judgement = findings.execution, findings.judgement or judgement
                own = findings.own or own
            else:
                desk.bench.on_progress(Progress(student=submission.student, stage="known"))
        found = _Found.of(execution, judgement, own, assignment)
        seconds = dict(findings.seconds) if findings else {}
        card: ModelCard | None = None
        measurement: Measurement | None = None
        if found.judgement is not None:
            began = time.perf_counter()
            compiled = execution.found.compiled if execution.found else None
            card = card_of(found.judgement, compiled)
            asked = card or answers_alone(found.judgement, compiled)
            if beside is not None:
                same = tuple(each for each in asked.predictions if each.form == beside.form)
                asked = replace(asked, predictions=same)
                card = card and asked
            measurement = measure(asked, assignment, desk.bench.dataset, desk.store.blob)
            seconds["measuring"] = time.perf_counter() - began
        return Evidence(
            submission=submission,
            execution=found.execution,
            card=card,
            measurement=measurement,
            broken=found.broken,
            known=findings is None,
            seconds=seconds,
        )

    # -------------------------------------------------------------- several

    def _with_others(self, first: Evidence) -> Evidence:
        """Have the other models of the same run judged, each by a judge of its own."""
        names = self._assignment.settings.models
        if not names or first.execution.ending == "killed":  # such a run is not kept
            return first
        each = {
            name: self._once(first.submission, self._assignment.of_model(name)) for name in names
        }
        return replace(
            first,
            others={
                name: Judged(
                    number=other.execution.chosen,
                    card=other.card,
                    measurement=other.measurement,
                    problem=other.execution.problem,
                    broken=other.broken,
                )
                for name, other in each.items()
            },
            broken=first.broken or next((other.broken for other in each.values()), ""),
            known=first.known and all(other.known for other in each.values()),
            seconds=_sum([first, *each.values()]),
        )

    def _with_extra(self, first: Evidence, found: Measurement) -> Evidence:
        """Have the model that counts answer the extra set, where the assignment has one."""
        if self._desk.bench.dataset.extra is None or first.execution.ending == "killed":
            return first
        settings = self._assignment.settings
        seed = next((run.seed for run in found.runs if run.value == found.value), settings.seed)
        asked = replace(self._assignment, settings=replace(settings, seed=seed, probes={}))
        other = self._once(first.submission, asked, beside=found)
        nothing = "" if other.measurement else "The model did not answer all that it was asked."
        return replace(
            first,
            extra=other.measurement,
            broken=first.broken or other.broken or nothing,
            known=first.known and other.known,
            seconds=_sum([first, other]),
        )

    def _with_other_seeds(
        self, first: Evidence, submission: Submission, wanted: AccuracyWanted | ErrorWanted
    ) -> Evidence:
        """Run work that is close to the threshold with other seeds; the rule says which counts."""
        settings = self._assignment.settings
        tried = [(settings.seed, first)]
        for number in range(1, wanted.retries + 1):
            seed = settings.seed + number
            # only the accuracy is wanted: the first run's answers to probes count
            other = replace(self._assignment, settings=replace(settings, seed=seed, probes={}))
            tried.append((seed, self._once(submission, other)))
        runs = tuple(
            SeededRun(seed=seed, value=each.measurement.value if each.measurement else None)
            for seed, each in tried
        )
        ranked = sorted((each.measurement for _, each in tried if each.measurement), key=worth)
        counted = ranked[-1] if wanted.rule == "best" else ranked[len(ranked) // 2]
        return replace(
            first,
            measurement=replace(counted, runs=runs, rule=wanted.rule),
            known=all(each.known for _, each in tried),
            seconds=_sum([each for _, each in tried]),
        )


def _sum(evidence: Sequence[Evidence]) -> dict[str, float]:
    """Add up the wall time by stage."""
    stages = dict.fromkeys(stage for each in evidence for stage in each.seconds)
    return {stage: sum(each.seconds.get(stage, 0.0) for each in evidence) for stage in stages}


@dataclass(frozen=True, slots=True)
class _Found:
    """What is judged of a run, and why something is not."""

    execution: ExecutionRecord
    """With the reason why there is nothing, in the student's terms."""
    judgement: Judgement | None
    """Of the model; ``None`` when there is none, or it was refused."""
    broken: str = ""
    """Why a person is called."""

    @classmethod
    def of(
        cls,
        execution: ExecutionRecord,
        judgement: Judgement | None,
        own: Judgement | None,
        assignment: Assignment,
    ) -> "_Found":
        """Take what the judge said, or else the model's own code."""
        if own is None and judgement is None:
            lost = could_not_be_saved(execution.found)
            return cls(execution, None, execution.problem if lost else "")
        if own is None or (judgement is not None and not judgement.refusal):
            said = judgement
        else:
            said, execution = own, replace(execution, problem="")
        if said is None or said.refusal:
            why = said.refusal if said else ""
            broken = why if said and said.needs_a_person else ""
            return cls(replace(execution, problem=why), None, broken)
        if said.where == "judge":
            return cls(execution, said)
        model = assignment.settings.model
        if model is None or model.own_code != "points":
            return cls(execution, said, UNCOUNTED)
        return cls(execution, said, "" if said.raw else NO_LAYERS)
