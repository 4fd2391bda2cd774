import pytest


@pytest.mark.points(1)
def test_every_class(held_out):
    """It recognises each of the ten classes, none at the cost of another."""
    held_out.expect_each_class(at_least=0.15)
