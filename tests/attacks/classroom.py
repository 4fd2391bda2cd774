"""Grades attacks as one class, between two honest neighbours, and keeps all that comes out."""

import os
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from world import HONEST

from grader.assignment import read_assignment
from grader.checks.session import list_checks
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.sandbox.processes import descendants, read

FIRST, LAST = "honest-ada", "honest-zoe"


@dataclass(slots=True)
class Recording:
    """A sandbox that keeps all that comes out of another one."""

    inner: object
    said: dict[str, bytes] = field(default_factory=dict)
    """By student: messages, streams and artefacts."""
    judged: list[tuple[bytes, str]] = field(default_factory=list)
    """Of each judge: the model it was given, what it printed."""

    @property
    def isolation(self):
        return self.inner.isolation

    def run(self, job, limits, on_message):
        heard = bytearray()

        def hear(chunk):
            heard.extend(chunk)
            return on_message(chunk)

        outcome = self.inner.run(job, limits, hear)
        if job.program == "judge":
            self.judged.append((job.files["model.keras"], outcome.stderr))
            return outcome
        cells = "\n".join(job.task["cells"])
        student = next(name for name in self.said if f"'{name}'" in cells or f"am {name}" in cells)
        taken = [each.data for each in outcome.artefacts.values() if each.data]
        texts = [outcome.stdout.encode(), outcome.stderr.encode()]
        self.said[student] += b"\n".join([bytes(heard), *texts, *taken])
        return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What came of a class."""

    level: str
    reports: dict
    results: Path
    said: dict[str, bytes]
    judged: list
    survivors: list[int]
    contacts: int
    """Connections and datagrams that arrived at the host meanwhile."""
    new_files: list[str]
    """What lies in the world's folder that did not lie there before."""


def grade_class(world, level, attacks, folder):
    world.open_to(everybody=level != "uid")  # which has file modes and nothing else
    told = world.told(os.getpid())
    paths = []
    for student in (FIRST, LAST):
        paths.append(folder / "honest" / f"{student}.py")
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_text(HONEST.format(student=student), "utf-8")
    others = []
    for attack in attacks:
        for student in attack.students:
            attack.hand_in(student, folder / "class" / student, world.token, told)
            others.append(student)
    found = {each.student: each for each in collect([*paths, folder / "class"])}
    order = [FIRST, *others, LAST]
    assignment = read_assignment(world.assignment)
    list_checks(assignment)  # Python keeps them compiled beside them, unless it is told not to
    before, contacts = _names(world), world.listener.contacts
    seen = {}
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(seen, over))
    watch.start()
    try:
        wishes = Wishes(isolation=level, jobs=2, fresh=True)
        with open_office(assignment, folder / "results", wishes) as office:
            recording = Recording(office.desk.bench.sandbox, dict.fromkeys(order, b""))
            bench = replace(office.desk.bench, sandbox=recording)
            reports = grade(
                [found[student] for student in order],
                assignment,
                replace(office.desk, bench=bench),
                replace(office.hands, bench=bench),
                jobs=office.jobs,
            )
    finally:
        over.set()
        watch.join()
    time.sleep(0.2)
    return Graded(
        level=level,
        reports={report.submission["student"]: report for report in reports},
        results=folder / "results",
        said=recording.said,
        judged=recording.judged,
        survivors=[pid for pid, started in seen.items() if _lives(pid, started)],
        contacts=world.listener.contacts - contacts,
        new_files=sorted(_names(world) - before),
    )


def _names(world):
    """What lies where nobody but the instructor writes; the cache is the grader's own."""
    places = (world.folder, world.home, world.assignment)
    return {str(path) for place in places for path in place.iterdir()}


def _watch(seen, over):
    while not over.wait(0.05):
        seen.update({each.pid: each.started for each in descendants(os.getpid(), fresh=True)})


def _lives(pid, started):
    now = read(pid)
    return now is not None and now.started == started and now.state != "Z"
