"""What the kernel says of a student's cells."""

import pytest

pytestmark = pytest.mark.keras


def test_a_long_error_keeps_its_beginning_and_its_end(kernel):
    ran = kernel.run("raise ValueError('it begins ' + 'x' * 9000 + ' it ends')")
    (error,) = ran.errors
    assert error.message.startswith("it begins")
    assert error.message.endswith("it ends")
    assert len(error.message) < 4100
    assert error.traceback.endswith("it ends")
