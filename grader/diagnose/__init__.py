"""Errors of the student's code → what they mean: which name is another one today, which shape was
wanted and which was there.

Each sentence stands on the error itself or on what was recorded of the run; nothing is guessed, and
nothing said that would help with any error.
"""

from collections.abc import Sequence

from grader.diagnose.names import mistyped
from grader.diagnose.old_api import renamed
from grader.diagnose.shapes import misfit
from grader.records import ErrorFacts, FitRecord


def explain(error: ErrorFacts, fits: Sequence[FitRecord] = ()) -> str:
    """Say what an error means, in a sentence or two; empty where its own words are all there is.

    Args:
        error: What was raised.
        fits: The trainings that were recorded in the same run.
    """
    return renamed(error, fits) or misfit(error) or mistyped(error)
