"""Turns → tables and ratios."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.peers.contestants import Ours, PlainPython
from benchmarks.peers.single import Single
from benchmarks.peers.turns import Turn
from benchmarks.shared.spread import HEADINGS, Spread

OURS = Ours.name


def summary(turns: Sequence[Turn]) -> dict[str, Any]:
    """What the turns of one kind of work say, the warm-up left out."""
    counted = [turn for turn in turns if turn.round]
    names = dict.fromkeys(turn.contestant for turn in counted)
    by_name = {name: [turn for turn in counted if turn.contestant == name] for name in names}
    return {
        "seconds_a_submission": {
            name: Spread.of(turn.seconds for turn in own) for name, own in by_name.items()
        },
        "cpu_seconds_a_submission": {
            name: Spread.of(turn.cpu_seconds for turn in own) for name, own in by_name.items()
        },
        "first_verdict_seconds": {
            name: Spread.of(first)
            for name, own in by_name.items()
            if (first := [t.usage.first_seconds for t in own if t.usage.first_seconds])
        },
        "fit_seconds_a_submission": _spread_of_fits(by_name.get(OURS, [])),
        "cpu_seconds_beyond_fit": _spread_of_rest(by_name.get(OURS, [])),
        "ours_divided_by": {
            name: Spread.of(found)
            for name in names
            if name != OURS and (found := _ratios(by_name, [name]))
        },
        "throughput_of_best_peer": _throughput(by_name),
    }


def _spread_of_fits(ours: Sequence[Turn]) -> Spread | None:
    fits = [turn.fit_seconds for turn in ours if turn.fit_seconds is not None]
    return Spread.of(fits) if fits else None


def _spread_of_rest(ours: Sequence[Turn]) -> Spread | None:
    rest = [turn.cpu_seconds - turn.fit_seconds for turn in ours if turn.fit_seconds is not None]
    return Spread.of(rest) if rest else None


def _ratios(by_name: Mapping[str, Sequence[Turn]], peers: Sequence[str]) -> list[float]:
    """Our time divided by that of the fastest of these peers, within each round."""
    ours = {turn.round: turn.seconds for turn in by_name.get(OURS, [])}
    theirs: dict[int, list[float]] = {}
    for name in peers:
        for turn in by_name[name]:
            theirs.setdefault(turn.round, []).append(turn.seconds)
    return [seconds / min(theirs[number]) for number, seconds in ours.items() if number in theirs]


def _throughput(by_name: Mapping[str, Sequence[Turn]]) -> Spread | None:
    """How many submissions we grade while the better peer of the round grades one."""
    graders = [name for name in by_name if name not in {OURS, PlainPython.name}]
    found = _ratios(by_name, graders)
    return Spread.of(1 / ratio for ratio in found) if found else None


def print_turns(turns: Sequence[Turn]) -> None:
    """Print what the contestants said of one kind of work, the times, and the ratios."""
    print(f"\n== {turns[0].work}: reported in the last round")
    for turn in turns:
        if turn.round == turns[-1].round:
            said = dict.fromkeys(score.said for score in turn.scores)
            print(f"  {turn.contestant:<9} {turn.submissions} x {'; '.join(said)}")
    told = summary(turns)
    for key, title in (
        ("seconds_a_submission", "seconds a submission"),
        ("cpu_seconds_a_submission", "processor s a submission"),
        ("first_verdict_seconds", "first verdict, s"),
        ("ours_divided_by", "ours / peer"),
    ):
        if told[key]:
            print(f"\n{title:<32}{HEADINGS}")
            for name, spread in told[key].items():
                print(f"{name:<32}{spread.cells()}")
    print()
    for key, title in (
        ("throughput_of_best_peer", "throughput, ours / best peer"),
        ("fit_seconds_a_submission", "ours: fit s a submission"),
        ("cpu_seconds_beyond_fit", "ours: processor s beyond fit"),
    ):
        if told[key] is not None:
            print(f"{title:<32}{told[key].cells()}")


def single_summary(taken: Sequence[Single]) -> dict[str, Spread]:
    """What one submission costs, the warm-up left out."""
    counted = [single for single in taken if single.round]
    return {
        "python script.py, s": Spread.of(one.python.seconds for one in counted),
        "grader check, s": Spread.of(one.check.seconds for one in counted),
        "grader check / python": Spread.of(
            one.check.seconds / one.python.seconds for one in counted
        ),
        "saved again, s": Spread.of(one.again_seconds for one in counted),
        "saved again / python": Spread.of(
            one.again_seconds / one.python.seconds for one in counted
        ),
        "one further, s": Spread.of(one.further_seconds for one in counted),
        "one further / python": Spread.of(
            one.further_seconds / one.python.seconds for one in counted
        ),
        "one further, processor s": Spread.of(one.further_cpu_seconds for one in counted),
        "one further, fit s": Spread.of(one.fit_seconds for one in counted),
        "one further, processor s - fit": Spread.of(
            one.further_cpu_seconds - one.fit_seconds for one in counted
        ),
    }


def print_single(taken: Sequence[Single]) -> None:
    """Print what one submission costs."""
    size = taken[0].submissions
    print(f"\n{taken[0].work}, one submission; further = ({2 * size} - {size}) / {size}, one job")
    print(f"{'':<32}{HEADINGS}")
    for name, spread in single_summary(taken).items():
        print(f"{name:<32}{spread.cells()}")


def print_start_up(seconds: Mapping[str, Sequence[float]]) -> None:
    """Print the start-up times and how much ours adds to Python's own."""
    print(f"\n{'start-up, ms':<32}{HEADINGS}")
    for name, values in seconds.items():
        middle = statistics.median(values)
        spread = Spread(median=1000 * middle, low=1000 * min(values), high=1000 * max(values))
        print(f"{name:<32}{spread.cells(0)}")


def numbers(
    turns: Mapping[str, Sequence[Turn]], taken: Mapping[str, Sequence[Single]]
) -> dict[str, Any]:
    """Everything as plain data, by kind of work."""
    return {
        name: {
            "turns": [asdict(turn) for turn in turns.get(name, [])],
            "single_turns": [asdict(single) for single in taken.get(name, [])],
            "single": {k: asdict(v) for k, v in single_summary(taken[name]).items()}
            if taken.get(name)
            else None,
            **(_plain(summary(turns[name])) if turns.get(name) else {}),
        }
        for name in {**turns, **taken}
    }


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: asdict(value)
        if isinstance(value, Spread)
        else {name: asdict(spread) for name, spread in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in told.items()
    }
