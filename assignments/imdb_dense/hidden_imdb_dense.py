import pytest


@pytest.mark.points(1)
def test_both_opinions(held_out):
    """It recognises praise as well as blame."""
    held_out.expect_each_class(at_least=0.75)
