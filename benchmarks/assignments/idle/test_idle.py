import pytest


@pytest.mark.points(1)
def test_ran(execution):
    """Every cell runs."""
    assert execution.ending == "finished"
