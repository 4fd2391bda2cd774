"""Compares this grader with other ways of grading the same Keras notebooks.

Every contestant grades the same notebooks. They take turns, round after round, so that a slow
minute of the machine hits all of them; the first round warms up caches and is not counted. The
result is wall time a submission, and ratios taken within each round.

    python -m benchmarks.peers --setup      # only make the peers' environments
    python -m benchmarks.peers              # three kinds of work, three rounds of eight

``benchmarks/README.md`` says what is and what is not compared.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.peers.bench import Bench, make_keras_home
from benchmarks.peers.contestants import Contestant, Ours, PlainPython
from benchmarks.peers.installing import install
from benchmarks.peers.nbgrader import NbGrader
from benchmarks.peers.otter import Otter
from benchmarks.peers.single import Single, measure_single
from benchmarks.peers.start_up import start_up_times
from benchmarks.peers.tables import numbers, print_single, print_start_up, print_turns
from benchmarks.peers.turns import Turn, take_turns
from benchmarks.peers.work import WORKS
from benchmarks.shared.folders import working_folder, write_numbers
from benchmarks.shared.machine import machine_line
from benchmarks.shared.options import add_without, ending, new_parser, one_of, passed_on, positive
from benchmarks.shared.running import HERE

CONTESTANTS: dict[str, type[Contestant]] = {
    kind.name: kind for kind in (Ours, Otter, NbGrader, PlainPython)
}


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser("Grade the same Keras notebooks with this grader and its peers.")
    add = parser.add_argument
    add(
        "--work",
        type=one_of(list(WORKS)),
        default=list(WORKS),
        metavar="NAMES",
        help=f"what is graded, of {','.join(WORKS)} (all)",
    )
    add("--rounds", type=positive, default=3, help="rounds after the warm-up (3)")
    add(
        "--single-rounds",
        type=int,
        default=3,
        help="rounds, after their warm-up, of what one submission costs (3); 0 leaves it out",
    )
    add("--submissions", type=positive, default=8, help="notebooks in a round (8)")
    add(
        "--jobs",
        type=positive,
        help="submissions at once, where a contestant can "
        "(default: this grader as it likes, the peers one after the other)",
    )
    add(
        "--only",
        type=one_of(list(CONTESTANTS)),
        default=list(CONTESTANTS),
        help=f"who takes part, of {','.join(CONTESTANTS)}",
        metavar="NAMES",
    )
    add(
        "--env-dir",
        type=Path,
        default=HERE / ".envs",
        help="folder of the peers' virtual environments (benchmarks/.envs)",
    )
    add("--setup", action="store_true", help="make the environments and stop")
    add_without(parser)
    return parser.parse_args()


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Set up the contestants, let them take turns, and tell the result.

    Args:
        options: The command line.
        folder: The folder of this run.
    """
    bench = Bench(
        environments=options.env_dir.resolve(),
        folder=folder,
        jobs=options.jobs,
        keras_home=folder / "keras",
        options=tuple(passed_on(options.without)),
    )
    works = [WORKS[name] for name in options.work]
    for name in options.only:
        install(CONTESTANTS[name](bench, works[0]))
    if options.setup:
        return
    machine = machine_line(
        *(kind.requirement for kind in CONTESTANTS.values() if kind.requirement is not None)
    )
    print(machine, flush=True)
    make_keras_home(bench.keras_home)
    start_up = start_up_times(folder) if Ours.name in options.only else {}
    turns: dict[str, list[Turn]] = {}
    singles: dict[str, list[Single]] = {}
    for work in works:
        contestants = [CONTESTANTS[name](bench, work) for name in options.only]
        for contestant in contestants:
            contestant.set_up()
        turns[work.name] = take_turns(
            contestants, rounds=options.rounds, submissions=options.submissions
        )
        if options.single_rounds and Ours.name in options.only:
            singles[work.name] = measure_single(
                bench, work, rounds=options.single_rounds, submissions=options.submissions
            )
        _write(options, machine, start_up, turns, singles)
    for name, taken in turns.items():
        print_turns(taken)
        if name in singles:
            print_single(singles[name])
    if start_up:
        print_start_up(start_up)


def _write(
    options: argparse.Namespace,
    machine: str,
    start_up: dict[str, list[float]],
    turns: dict[str, list[Turn]],
    singles: dict[str, list[Single]],
) -> None:
    """Write what is known so far."""
    told: dict[str, Any] = {
        "machine": machine,
        "rounds": options.rounds,
        "submissions": options.submissions,
        "jobs": options.jobs,
        "without": options.without,
        "start_up_seconds": start_up,
        "work": numbers(turns, singles),
    }
    write_numbers(options.json, told)


def main() -> None:
    """Run the benchmark."""
    options = parse_arguments()
    with working_folder("peers", keep=options.keep) as folder:
        compare(options, folder)


if __name__ == "__main__":
    raise SystemExit(ending(main))
