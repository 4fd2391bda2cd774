"""What is seen to before anything is opened."""

import pytest

import grader.office
from grader.assignment import find_assignment, read_assignment
from grader.errors import UsageError
from grader.office import open_office


@pytest.mark.parametrize("found", ["3.15.0", "3.9.2", "2.15.0", "3.14.1rc1"])
def test_a_keras_with_published_holes_opens_no_model(monkeypatch, tmp_path, found):
    monkeypatch.setattr(grader.office, "version", lambda _: found)
    assignment = read_assignment(find_assignment("tensors"))
    with (
        pytest.raises(UsageError, match=f"Keras {found} is installed") as caught,
        open_office(assignment, tmp_path),
    ):
        pass
    assert "pip install 'keras>=3.15.1'" in caught.value.remedy


@pytest.mark.parametrize("found", ["3.15.1", "3.16.0", "4.0"])
def test_a_newer_one_is_welcome(monkeypatch, found):
    monkeypatch.setattr(grader.office, "version", lambda _: found)
    grader.office._require_keras()
