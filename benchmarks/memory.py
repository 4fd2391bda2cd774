"""What one more submission at a time costs in memory.

Some submissions train the softmax classifier for one epoch and then wait, all at the same time.
While all of them wait, the memory of the whole tree below ``grader grade`` is added up, each shared
page once (PSS). What the third submission adds to two, and so on, is the price of one more; with
the server that imports Keras once, and without it. Much of it are the student's own arrays, so that
``--kind untrained`` builds the same model and loads no data.

    python -m benchmarks.memory
    python -m benchmarks.memory --kind untrained --json memory-untrained.json
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from benchmarks.peers.work import SOFTMAX
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.folders import working_folder, write_numbers
from benchmarks.shared.grading import grading, read_reports
from benchmarks.shared.machine import machine_line
from benchmarks.shared.notebooks import new_seed, write_notebook
from benchmarks.shared.options import add_without, ending, new_parser, passed_on, positive, sizes
from benchmarks.shared.processes import Process, proportional_mb
from benchmarks.shared.running import run, tail
from benchmarks.shared.spread import HEADINGS, Spread

WAITING = "bench-waiting"
"""What a submission calls its process while it waits; Linux keeps 15 characters."""
WAIT = """\
import ctypes, time
ctypes.CDLL(None).prctl(15, b"{name}", 0, 0, 0)  # PR_SET_NAME
time.sleep({seconds})
ctypes.CDLL(None).prctl(15, b"python", 0, 0, 0)"""
WAYS = {"with the server": (), "without": ("zygote",)}
"""How the batches are run, and without which shortcuts."""
KINDS = {
    "trained": SOFTMAX.cells,
    "untrained": lambda seed: [SOFTMAX.cells(seed)[0], SOFTMAX.cells(seed)[3]],
}
"""What a submission does before it waits: all of it, or only build and compile its model."""
LOOKS = 3
"""How often the memory is read while all wait; the median counts."""


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Reads the memory of a tree while all its submissions wait."""

    wanted: int
    """How many must wait."""
    found: list[float] = field(default_factory=list)
    """Megabytes, one entry a look."""
    most: int = 0
    """How many have waited at the same time."""

    def look(self, tree: Sequence[Process]) -> None:
        """Look at the tree of ``grader grade``."""
        waiting = sum(process.name == WAITING for process in tree)
        self.most = max(self.most, waiting)
        if waiting == self.wanted and len(self.found) < LOOKS:
            self.found.append(proportional_mb(tree))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The memory of one batch."""

    way: str
    """One of :data:`WAYS`."""
    round: int
    """Counted from 1."""
    at_once: int
    """How many submissions waited."""
    megabytes: float
    """Of the whole tree, shared pages once."""


def main() -> None:
    """Run the benchmark."""
    parser = new_parser("Measure what one more submission at a time costs in memory.")
    parser.add_argument("--at-once", type=sizes, default=[1, 2, 4], help="how many (1,2,4)")
    parser.add_argument("--rounds", type=positive, default=3, help="how often each is taken (3)")
    parser.add_argument(
        "--wait", type=positive, default=20, help="seconds for which a submission waits (20)"
    )
    parser.add_argument(
        "--ways", choices=["both", *WAYS], default="both", help="only one of the two ways"
    )
    parser.add_argument(
        "--kind", choices=list(KINDS), default="trained", help="what they do first (trained)"
    )
    add_without(parser)
    options = parser.parse_args()
    machine = machine_line()
    print(machine, flush=True)
    ways = list(WAYS) if options.ways == "both" else [options.ways]
    taken = []
    with working_folder("memory", keep=options.keep) as folder:
        for number in range(1, options.rounds + 1):
            for way in ways:
                for at_once in options.at_once:
                    own = folder / f"{number}-{ways.index(way)}-{at_once}"
                    own.mkdir()
                    megabytes = measure(own, way, at_once, options)
                    print(f"round {number}, {way}, {at_once}: {megabytes:.0f} MB", flush=True)
                    taken.append(Taken(way=way, round=number, at_once=at_once, megabytes=megabytes))
    further = {way: prices(taken, way) for way in ways}
    show(taken, further)
    write_numbers(
        options.json,
        {
            "machine": machine,
            "kind": options.kind,
            "taken": [asdict(one) for one in taken],
            "megabytes_of_one_more": {
                way: asdict(price) for way, price in further.items() if price
            },
        },
    )


def measure(folder: Path, way: str, at_once: int, options: argparse.Namespace) -> float:
    """Run one batch whose submissions wait for each other's memory to be read.

    Args:
        folder: An empty folder.
        way: One of :data:`WAYS`.
        at_once: How many submissions.
        options: The command line.

    Returns:
        Megabytes of the whole tree.

    Raises:
        BenchmarkError: They never waited at the same time, or one was not graded.
    """
    submitted = folder / "submitted"
    submitted.mkdir()
    students = [f"student_{number:02}" for number in range(1, at_once + 1)]
    seed = new_seed()
    for number, student in enumerate(students):
        cells = [
            *KINDS[options.kind](seed + number),
            WAIT.format(name=WAITING, seconds=options.wait),
        ]
        write_notebook(submitted / f"{student}.ipynb", f"# {student}", cells)
    shortcuts = passed_on([*WAYS[way], *options.without])
    command = grading(
        SOFTMAX.assignment, submitted, folder, options=["--jobs", str(at_once), *shortcuts]
    )
    watcher = Watcher(wanted=at_once)
    run(replace(command, watch=watcher.look))
    read_reports(folder, students)
    if len(watcher.found) < LOOKS:
        raise BenchmarkError(
            f"of {at_once} submissions, {watcher.most} waited at the same time: let them wait "
            f"longer (--wait), or free memory ({_free_gib():.0f} GiB are free)\n"
            + tail(command.log)
        )
    return Spread.of(watcher.found).median


def prices(taken: Sequence[Taken], way: str) -> Spread | None:
    """What one more submission costs: from the fewest to the most at once, within each round."""
    rounds: dict[int, dict[int, float]] = {}
    for one in taken:
        if one.way == way:
            rounds.setdefault(one.round, {})[one.at_once] = one.megabytes
    found = [
        (batch[max(batch)] - batch[min(batch)]) / (max(batch) - min(batch))
        for batch in rounds.values()
        if len(batch) > 1
    ]
    return Spread.of(found) if found else None


def show(taken: Sequence[Taken], further: dict[str, Spread | None]) -> None:
    """Print the table."""
    print(f"\n{'MB of the whole batch':<32}{HEADINGS}")
    for way, at_once in dict.fromkeys((one.way, one.at_once) for one in taken):
        same = [one.megabytes for one in taken if (one.way, one.at_once) == (way, at_once)]
        print(f"{f'{way}, {at_once} at a time':<32}{Spread.of(same).cells(0)}")
    known = {way: price for way, price in further.items() if price is not None}
    if known:
        print(f"\n{'MB of one more at a time':<32}{HEADINGS}")
    for way, price in known.items():
        print(f"{way:<32}{price.cells(0)}")
    if len(known) == len(WAYS):
        short, long = (known[way].median for way in WAYS)
        print(f"{'with / without':<32}{short / long:>9.2f}")


def _free_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / 2**30


if __name__ == "__main__":
    raise SystemExit(ending(main))
