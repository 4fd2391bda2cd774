"""What the evidence store knows of a submission's run, of its model, of what it was asked."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from grader.assignment import Assignment
from grader.choose import choose
from grader.errors import WorkerError
from grader.find_out import Findings
from grader.judging.judgement import Judgement
from grader.judging.own_code import allows, is_needed
from grader.keys import judgement_key, own_judgement_key, probe_key
from grader.records import ExecutionRecord, ProbeAnswer, Submission
from grader.safe.plain import plain_json
from grader.store import Entry
from grader.workbench import Desk

T = TypeVar("T")

_EXECUTION = TypeAdapter(ExecutionRecord)
_JUDGEMENT = TypeAdapter(Judgement)
_ANSWER = TypeAdapter(ProbeAnswer)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store has of runs under one assignment, from now or from before."""

    desk: Desk
    assignment: Assignment
    _archives: dict[str, bytes] = field(default_factory=dict)

    def look_up(self, key: str) -> tuple[ExecutionRecord | None, Judgement | None]:
        """Read a run and what the judge said of its model; ``None`` for what is not there."""
        entry = self._entry(key)
        execution = _read(_EXECUTION, entry)
        if execution is None or execution.ending == "killed":  # perhaps by the machine: run again
            return None, None
        execution = choose(execution, self.assignment.judged_first)
        execution = replace(execution, probes=self._answers(key))
        if execution.found is None:
            return execution, None
        return execution, _read(_JUDGEMENT, self._entry(self._judged(execution)))

    def is_wanting(self, key: str) -> bool:
        """Whether the store has no such run, or not the answers to all probes after it."""
        probes = self.assignment.settings.probes
        return self._entry(key) is None or len(self._answers(key)) < len(probes)

    def unanswered(self, execution: ExecutionRecord | None) -> tuple[str, ...]:
        """Name the probes whose answers after this run are not known."""
        answered = execution.probes if execution else {}
        return tuple(name for name in self.assignment.settings.probes if name not in answered)

    def _answers(self, key: str) -> dict[str, ProbeAnswer]:
        """Read what the probes were answered after a run."""
        probes = self.assignment.settings.probes.items()
        read = {name: _read(_ANSWER, self._entry(probe_key(key, probe))) for name, probe in probes}
        return {name: answer for name, answer in read.items() if answer is not None}

    def own(
        self, key: str, execution: ExecutionRecord | None, judgement: Judgement | None
    ) -> tuple[Judgement | None, bool]:
        """Read what the model's own code said after a run, and tell whether it is to be asked."""
        if not allows(self.assignment):
            return None, False
        if execution is None:
            return None, True
        if execution.found is None or (judgement is not None and not judgement.refusal):
            return None, False
        own = _read(_JUDGEMENT, self._entry(self._said_by_its_own(key, execution)))
        needed = own is None and is_needed(execution, self.archive(execution), self.assignment)
        return own, needed

    def archive(self, execution: ExecutionRecord) -> bytes:
        """Give the bytes of the judged model; empty when there is none."""
        found = execution.found
        if found is None or not found.artefact:
            return b""
        if found.artefact not in self._archives:
            self._archives[found.artefact] = self.desk.store.blob(found.artefact)
        return self._archives[found.artefact]

    def keep(
        self,
        key: str,
        submission: Submission,
        findings: Findings,
        *,
        is_new: bool,
        probes: tuple[str, ...],
    ) -> None:
        """Store what was found out: the run, if it is new, what probes and the judge said."""
        execution, judgement, blobs = findings.execution, findings.judgement, findings.blobs
        own = findings.own
        about = {"student": submission.student, "assignment": self.assignment.name}
        if is_new:
            archives = {model.artefact for model in execution.models if model.artefact}
            if not archives <= blobs.keys():
                raise WorkerError("A worker did not send a model that it speaks of.")
            self.desk.store.put(
                key,
                kind="run",
                facts=plain_json(replace(execution, probes={})),
                blobs={digest: blobs[digest] for digest in archives},
                about=about,
            )
        for name in probes:
            if name in execution.probes and execution.ending != "killed":
                self.desk.store.put(
                    probe_key(key, self.assignment.settings.probes[name]),
                    kind="probe",
                    facts=plain_json(execution.probes[name]),
                    blobs={},
                    about=about,
                )
        if judgement is not None:
            self.desk.store.put(
                self._judged(execution),
                kind="judgement",
                facts=plain_json(judgement),
                blobs={each.sha256: blobs[each.sha256] for each in judgement.predictions},
                about=about,
            )
        if own is not None:
            self.desk.store.put(
                self._said_by_its_own(key, execution),
                kind="judgement",
                facts=plain_json(own),
                blobs={each.sha256: blobs[each.sha256] for each in own.predictions},
                about=about,
            )

    def _said_by_its_own(self, key: str, execution: ExecutionRecord) -> str:
        return own_judgement_key(key, execution, self.assignment, self.desk.bench)

    def _judged(self, execution: ExecutionRecord) -> str:
        return judgement_key(execution, self.assignment, self.desk.bench)

    def _entry(self, key: str) -> Entry | None:
        entry = self.desk.store.get(key)
        if entry is not None and self.desk.since is not None and entry.made < self.desk.since:
            return None
        return entry


def _read(adapter: TypeAdapter[T], entry: Entry | None) -> T | None:
    """Read facts; what an older grader wrote in another form is as if it were not there."""
    if entry is None:
        return None
    try:
        return adapter.validate_json(entry.facts)
    except ValidationError:
        return None
