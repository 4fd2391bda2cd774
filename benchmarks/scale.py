"""What grading itself costs for each submission, and whether that stays the same for many.

The submissions sleep for a moment instead of training, or build a tiny model that the judge then
answers for. Each is unlike every other, so each is run. What the batch took beyond the sleep is the
engine's own cost.

    python -m benchmarks.scale
    python -m benchmarks.scale --kind model --sizes 100,1000 --json model.json
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.folders import working_folder, write_numbers
from benchmarks.shared.grading import grading, read_reports
from benchmarks.shared.machine import machine_line
from benchmarks.shared.notebooks import new_seed, write_notebook
from benchmarks.shared.options import add_without, ending, new_parser, passed_on, positive, sizes
from benchmarks.shared.processes import Process, proportional_mb
from benchmarks.shared.running import run

KINDS = {
    "sleep": "import time\n\ntime.sleep({seconds})",
    "model": (
        "import time\nimport keras\n\ntime.sleep({seconds})\nkeras.utils.set_random_seed({seed})\n"
        "model = keras.Sequential(\n"
        '    [keras.Input((784,)), keras.layers.Dense(10, activation="softmax")]\n)'
    ),
}
"""What a submission does."""
LOOK_AT_MEMORY_S = 1.0
"""How often the memory of the tree is added up."""
LIMIT = 24 * 3600.0
"""Seconds after which a batch is taken for dead."""
TENTHS = 10


@dataclass(slots=True)
class Peak:
    """The most memory that a tree has had."""

    megabytes: float = 0.0
    _next: float = 0.0

    def look(self, tree: Sequence[Process]) -> None:
        """Look at the tree of ``grader grade``, now and then."""
        now = time.monotonic()
        if now >= self._next:
            self.megabytes = max(self.megabytes, proportional_mb(tree))
            self._next = now + LOOK_AT_MEMORY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one batch took."""

    submissions: int
    """How many."""
    jobs: int
    """How many at a time."""
    sleep: float
    """Seconds for which each of them slept."""
    seconds: float
    """Wall time."""
    cpu_seconds: float
    """Processor time of the whole tree."""
    first_seconds: float
    """Wall time until the first verdict."""
    after_last_seconds: float
    """Wall time between the last report and the end."""
    last_by_first_tenth: float
    """How much longer the last tenth of the reports took than the first."""
    host_peak_mb: float
    """The most resident memory of ``grader grade`` itself."""
    tree_peak_mb: float
    """The most memory of the whole tree, shared pages once."""

    @property
    def own_ms(self) -> float:
        """Milliseconds of a job that one submission costs beyond its sleep, the start included."""
        return 1000 * (self.seconds * self.jobs / self.submissions - self.sleep)

    @property
    def further_ms(self) -> float:
        """The same between the first verdict and the end: what is paid again and again.

        With the first verdict, the others that began with it are about to end.
        """
        rest = max(1, self.submissions - self.jobs)
        return 1000 * ((self.seconds - self.first_seconds) * self.jobs / rest - self.sleep)

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds of one submission."""
        return 1000 * self.cpu_seconds / self.submissions


COLUMNS = {
    "submissions": lambda batch: f"{batch.submissions:,}",
    "seconds": lambda batch: f"{batch.seconds:.1f}",
    "first, s": lambda batch: f"{batch.first_seconds:.2f}",
    "own, ms": lambda batch: f"{batch.own_ms:.1f}",
    "further, ms": lambda batch: f"{batch.further_ms:.1f}",
    "CPU, ms": lambda batch: f"{batch.cpu_ms:.1f}",
    "last/first": lambda batch: f"{batch.last_by_first_tenth:.2f}",
    "after, s": lambda batch: f"{batch.after_last_seconds:.2f}",
    "host, MB": lambda batch: f"{batch.host_peak_mb:.0f}",
    "tree, MB": lambda batch: f"{batch.tree_peak_mb:.0f}",
}
"""Heading → what stands below it."""


def main() -> None:
    """Run the benchmark."""
    parser = new_parser("Measure what grading itself costs for few and for many submissions.")
    add = parser.add_argument
    add("--sizes", type=sizes, default=[100, 1000, 10000], help="batches (100,1000,10000)")
    add("--kind", choices=list(KINDS), default="sleep", help="what submissions do (sleep)")
    add("--sleep", type=float, default=0.1, help="seconds for which each of them sleeps (0.1)")
    add(
        "--jobs",
        type=positive,
        default=len(os.sched_getaffinity(0)),
        help="submissions at a time (one a core)",
    )
    add("--cluster", metavar="ADDRESS", help="passed on to `grader grade`")
    add_without(parser)
    options = parser.parse_args()
    machine = machine_line()
    print(machine)
    print("".join(f"{heading:>12}" for heading in COLUMNS), flush=True)
    batches = []
    with working_folder("scale", keep=options.keep) as folder:
        for size in options.sizes:
            batch = measure(folder / str(size), size, options)
            print("".join(f"{cell(batch):>12}" for cell in COLUMNS.values()), flush=True)
            batches.append(batch)
    first, last = batches[0], batches[-1]
    ratios = {
        "own": last.own_ms / first.own_ms,
        "further": last.further_ms / first.further_ms,
        "cpu": last.cpu_ms / first.cpu_ms,
        "host_peak": last.host_peak_mb / first.host_peak_mb,
    }
    if len(batches) > 1:
        print(f"\n{last.submissions:,} / {first.submissions:,}: ", end="")
        print(", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))
    write_numbers(
        options.json,
        {
            "machine": machine,
            "kind": options.kind,
            "cluster": options.cluster,
            "without": options.without,
            "batches": [
                {
                    **asdict(batch),
                    "own_ms": batch.own_ms,
                    "further_ms": batch.further_ms,
                    "cpu_ms": batch.cpu_ms,
                }
                for batch in batches
            ],
            "last_divided_by_first": ratios,
        },
    )


def measure(folder: Path, size: int, options: argparse.Namespace) -> Batch:
    """Write a class and grade it.

    Args:
        folder: Where; made here.
        size: How many submissions.
        options: The command line.
    """
    submitted = folder / "submitted"
    submitted.mkdir(parents=True)
    students = [f"student_{number:05}" for number in range(1, size + 1)]
    first_seed = new_seed()
    for number, student in enumerate(students):
        seed = first_seed + number
        source = KINDS[options.kind].format(seconds=options.sleep, seed=seed)
        write_notebook(submitted / f"{student}.ipynb", f"# {student}", [f"number = {seed}", source])
    arguments = ["--jobs", str(options.jobs), *passed_on(options.without)]
    if options.cluster:
        arguments += ["--cluster", options.cluster]
    peak = Peak()
    command = grading("idle", submitted, folder, options=arguments)
    usage = run(replace(command, watch=peak.look, limit=LIMIT))
    ended = time.time()
    read_reports(folder, students, judged=options.kind == "model")
    if usage.first_seconds is None:
        raise BenchmarkError("grader grade did not say when its first submission was done")
    written = sorted(
        path.stat().st_mtime for path in (folder / "results" / "submissions").glob("*/report.json")
    )
    return Batch(
        submissions=size,
        jobs=options.jobs,
        sleep=options.sleep,
        seconds=usage.seconds,
        cpu_seconds=usage.cpu_seconds,
        first_seconds=usage.first_seconds,
        after_last_seconds=ended - written[-1],
        last_by_first_tenth=_drift(written),
        host_peak_mb=usage.own_peak_mb,
        tree_peak_mb=peak.megabytes,
    )


def _drift(moments: Sequence[float]) -> float:
    """How much longer the last tenth of the steps between moments took than the first tenth."""
    steps = [after - before for before, after in pairwise(moments)]
    share = max(1, len(steps) // TENTHS)
    return sum(steps[-share:]) / max(1e-9, sum(steps[:share]))


if __name__ == "__main__":
    raise SystemExit(ending(main))
