from dataclasses import replace

import pytest

from grader.authoring.sameness import is_same
from grader.records import ArrayFacts, CellRecord


def printed(text):
    stream = {"output_type": "stream", "name": "stdout", "text": text}
    return (CellRecord(number=1, outcome="ok", seconds=1.0, outputs=(stream,)),)


def test_who_when_and_how_long_make_no_difference(make):
    one = make.evidence(execution=make.execution(cells=printed("469/469 - 1s - 2ms/step - a: 0.9")))
    other = make.evidence(
        submission=make.submission(student="ben"),
        known=True,
        execution=make.execution(
            cells=printed("469/469 - 3s - 12ms/step - a: 0.9"), seconds=9.0, peak_memory=7
        ),
    )
    assert is_same(one, other)


@pytest.mark.parametrize(
    ("part", "facts"),
    [
        ("execution", {"cells": printed("a: 0.91")}),
        ("execution", {"fits": ()}),
        ("execution", {"variables": {"x": ArrayFacts(shape=(1,), dtype="int64")}}),
        ("card", {"trainable_params": 7840}),
        ("measurement", {"predictions_sha256": "cd" * 32}),
    ],
    ids=["output", "fits", "variables", "card", "predictions"],
)
def test_whatever_a_check_can_see_makes_a_difference(make, part, facts):
    original = make.evidence(execution=make.execution(cells=printed("a: 0.9")))
    other = replace(original, **{part: replace(getattr(original, part), **facts)})
    assert is_same(original, replace(original))
    assert not is_same(original, other)
