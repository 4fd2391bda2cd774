"""How a check's words are tested."""

import pytest

from grader.checks import Unmet


def _said(expectation, *args, **kwargs):
    try:
        expectation(*args, **kwargs)
    except Unmet as error:
        unmet = error
    else:
        return None
    assert unmet.expected
    assert unmet.received
    return str(unmet)


def _judge(wrong, expectation, *args, **kwargs):
    words = _said(expectation, *args, **kwargs)
    if wrong is None:
        assert words is None
    else:
        assert words is not None
        assert wrong in words


@pytest.fixture
def said():
    """Give what an unmet expectation says, or nothing when it is met."""
    return _said


@pytest.fixture
def judge():
    """Compare what an expectation says with what it ought to say; ``None`` when it is met."""
    return _judge
