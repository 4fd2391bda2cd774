"""The hands of this machine: its sandbox, opened once, works on many submissions.

The same code runs on the instructor's machine and on every worker of a cluster.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.batch import Room
from grader.datasets import Dataset
from grader.find_out import Findings, Order, find_out
from grader.judging.examine import JUDGE_MEMORY
from grader.sandbox import ZygoteSandbox
from grader.sandbox.interface import GIB, Sandbox
from grader.workbench import OnProgress, Shortcuts, Workbench

PROGRAMS = ("kernel", "judge")
"""What the server imports ahead."""
LATE = ("keras.wrappers", "keras._tf_keras.keras.wrappers")
"""What Keras imports scikit-learn for, which takes half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHands:
    """Works on orders where it stands, as many at a time as memory allows."""

    bench: Workbench
    """Sandbox and data."""
    memory: int
    """Bytes that one submission may use."""
    room: Room
    """The memory of the machine."""

    def get_ready(self) -> None:
        """Begin what the first order would wait for."""
        if isinstance(self.bench.sandbox, ZygoteSandbox):
            self.bench.sandbox.start()

    def __call__(self, order: Order) -> Findings:
        """Find out what is asked, once there is memory for it."""
        with self.room.of(self.memory):
            return find_out(order, self.bench)


@contextmanager
def open_bench(
    sandbox: Sandbox, dataset: Dataset, shortcuts: Shortcuts, on_progress: OnProgress
) -> Iterator[Workbench]:
    """Start what the shortcuts need, and end it afterwards.

    Args:
        sandbox: Where student code will run.
        dataset: What is served and what is held out.
        shortcuts: Which of them are taken.
        on_progress: Told of every step, from several threads.
    """
    with ExitStack() as stack:
        if shortcuts.zygote:
            sandbox = stack.enter_context(
                ZygoteSandbox(
                    sandbox,
                    programs=PROGRAMS,
                    readable={"data": dataset.served},
                    prepare={"decoded_data": shortcuts.decoded_data},
                    late=LATE,
                )
            )
        yield Workbench(
            sandbox=sandbox, dataset=dataset, shortcuts=shortcuts, on_progress=on_progress
        )


def memory_for(assignment: Assignment) -> int:
    """Give the bytes that one submission may use, in its own sandbox or in the judge's."""
    return max(int(assignment.settings.limits.memory_gib * GIB), JUDGE_MEMORY)
