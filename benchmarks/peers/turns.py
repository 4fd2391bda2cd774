"""The contestants take turns, round after round."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.contestants import Contestant, Score
from benchmarks.peers.work import write_class
from benchmarks.shared.notebooks import new_seed
from benchmarks.shared.running import Usage, run_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One contestant's turn in one round."""

    work: str
    """What was graded."""
    round: int
    """0 is the warm-up."""
    contestant: str
    """Who."""
    submissions: int
    """How many were graded."""
    usage: Usage
    """What all of them cost together."""
    scores: list[Score] = field(default_factory=list)
    """What was reported."""

    @property
    def seconds(self) -> float:
        """Wall time a submission."""
        return self.usage.seconds / self.submissions

    @property
    def cpu_seconds(self) -> float:
        """Processor time a submission."""
        return self.usage.cpu_seconds / self.submissions

    @property
    def fit_seconds(self) -> float | None:
        """Wall time a submission spent in ``fit``; ``None`` where nobody tells."""
        told = [score.fit_seconds for score in self.scores if score.fit_seconds is not None]
        return sum(told) / self.submissions if len(told) == self.submissions else None


def take_turn(contestant: Contestant, folder: Path, notebooks: Sequence[Path], number: int) -> Turn:
    """Let one contestant grade the notebooks of one round.

    Args:
        contestant: Who.
        folder: The round's folder.
        notebooks: The submissions.
        number: The round.

    Returns:
        What it cost and what it said.
    """
    own = folder / contestant.name
    own.mkdir()
    commands = contestant.prepare(own, notebooks)
    usage = run_all(commands, at_once=contestant.at_once)
    turn = Turn(
        work=contestant.work.name,
        round=number,
        contestant=contestant.name,
        submissions=len(notebooks),
        usage=usage,
        scores=contestant.read_scores(own, notebooks),
    )
    kind = "warm-up" if number == 0 else f"round {number}"
    print(
        f"{turn.work:<8} {kind:<9} {contestant.name:<9} {turn.seconds:7.2f} s a submission, "
        f"{usage.seconds:7.1f} s in all, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return turn


def take_turns(contestants: Sequence[Contestant], *, rounds: int, submissions: int) -> list[Turn]:
    """Let the contestants of one kind of work take turns; a warm-up round comes first.

    Each round begins with another contestant, so that none always follows the same.

    Args:
        contestants: Who takes part.
        rounds: How many rounds are counted.
        submissions: Notebooks in a round.

    Returns:
        All turns, the warm-up's too.
    """
    work, bench = contestants[0].work, contestants[0].bench
    first_seed = new_seed()
    turns = []
    for number in range(rounds + 1):
        folder = bench.folder / work.name / f"round-{number}"
        notebooks = write_class(
            folder / "notebooks",
            work,
            first_seed=first_seed + number * submissions,
            students=submissions,
        )
        first = number % len(contestants)
        turns += [
            take_turn(contestant, folder, notebooks, number)
            for contestant in [*contestants[first:], *contestants[:first]]
        ]
    return turns
