"""How many versions of their work students have had graded, as far as the evidence store knows.

Who is told a score again and again can climb by it without learning anything: a count shows it.
"""

from collections import Counter

from grader.assignment import Assignment
from grader.keys import attempt_key
from grader.records import Submission
from grader.safe.plain import plain_json
from grader.store import Store

KIND = "attempt"
"""Of the entries that note a version: they are listed, pruned and exported like all others."""


class Attempts:
    """Counts versions of work that is graded by one assignment.

    Handed in again without a change, work is the same version; a change in text or outputs is
    none, and neither is a new version of the assignment or the grader.

    Args:
        assignment: By which it is graded.
        store: Remembers; whoever prunes it has it forget.

    Raises:
        StoreError: The store cannot be read.
    """

    def __init__(self, assignment: Assignment, store: Store) -> None:
        self._assignment = assignment
        self._store = store
        self._counted = Counter(
            said.get("student", "")
            for said in store.said_of(KIND)
            if said.get("assignment") == assignment.name
        )

    def note(self, submission: Submission) -> int:
        """Note what is graded now; give the number of the student's versions, this one included.

        What cannot be read is no version.

        Raises:
            StoreError: The store cannot be read or written.
        """
        student = submission.student
        key = attempt_key(submission, self._assignment)
        if not submission.problem and self._store.get(key) is None:
            about = {"student": student, "assignment": self._assignment.name}
            self._store.put(key, kind=KIND, facts=plain_json(about), blobs={}, about=about)
            self._counted[student] += 1
        return self._counted[student]
