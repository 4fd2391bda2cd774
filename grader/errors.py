"""What can go wrong that is not the student's doing.

A student's mistake is never an exception: it is a value in the report.

::

    GraderError                 a sentence for the person at the keyboard
    ├── UsageError              wrong argument or path            → exit code 2
    ├── AssignmentError         the instructor's folder is wrong  → exit code 2
    ├── DataError               a data set cannot be had          → exit code 2
    ├── SandboxError            the isolation asked for cannot be had → exit code 2
    ├── RunLostError            what a run stood on died under it → the run is begun anew
    ├── StoreError              the evidence store cannot be read or written → exit code 2
    ├── ResultsError            results cannot be written         → exit code 2
    ├── ClusterError            a cluster, or a worker of it, cannot be used → exit code 2
    └── WorkerError             our program inside a sandbox misbehaved → outcome ``broken``
"""


class GraderError(Exception):
    """A message for a person: what, where, why, and what to type next.

    Args:
        message: What is wrong and where, in one or two sentences.
        remedy: What to do or type next; empty when the message already says it.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Give the message with its remedy on a line of its own."""
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class UsageError(GraderError):
    """The command line names something that is not there or does not fit."""


class AssignmentError(GraderError):
    """The assignment folder is wrong; raised before any student code runs."""


class DataError(GraderError):
    """A data set is missing, damaged, or not what its hash says."""


class SandboxError(GraderError):
    """The isolation asked for cannot be had on this machine."""


class RunLostError(GraderError):
    """What a run stood on died under it, and not by the run's doing: it may be begun anew."""


class StoreError(GraderError):
    """The evidence store cannot be opened, read or written."""


class ResultsError(GraderError):
    """The results' folder takes no more."""


class ClusterError(GraderError):
    """A cluster or one of its workers is out of reach, or not fit for this batch."""


class WorkerError(GraderError):
    """A program of ours inside a sandbox gave no usable answer."""
