import pytest


@pytest.mark.points(2)
@pytest.mark.parametrize("name", ["smaller", "larger", "l2", "dropout"])
def test_each_has_learnt(named, name):
    """The other networks have learnt as well."""
    named[name].held_out.expect_accuracy()
