"""Whatever an ``assignment.toml`` says, it is an assignment, or an error with its file."""

import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import example, given
from hypothesis import strategies as st

from grader.assignment import read_assignment
from grader.errors import AssignmentError
from grader.execute import _limits

REAL = sorted((Path(__file__).parents[2] / "assignments").glob("*/assignment.toml"))
TEXTS = [file.read_text("utf-8") for file in REAL]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.just([]),
    st.just({}),
    st.just([[1], [2, 3]]),
    st.just(["a", {"b": 1}]),
)


@pytest.fixture(scope="session")
def read(tmp_path_factory, promptly):
    """Read an ``assignment.toml``: ``read(data)`` → an assignment or an error."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "test_x.py").write_text("", "utf-8")

    def go(data):
        file = folder / "assignment.toml"
        file.write_bytes(data)
        with promptly():
            try:
                found = read_assignment(folder)
            except AssignmentError as error:
                found = error
        if isinstance(found, AssignmentError):
            assert all(line.startswith(str(folder)) for line in found.message.split("\n"))
            return found
        _limits(found)
        for probe in found.settings.probes.values():
            probe.question()
            probe.words()
        return found

    return go


@pytest.mark.parametrize("text", TEXTS, ids=[file.parent.name for file in REAL])
def test_the_real_ones_are_assignments(read, text):
    assert not isinstance(read(text.encode()), AssignmentError)


@given(data=st.binary(max_size=200) | st.from_regex(rb"([a-z.]+ = [\\[{\"'0-9a-f,]*\n){,5}"))
@example(data=b"a = " + b"[" * 3000)
@example(data=b"seed = " + b"1" * 5000)
@example(data=b"a = 1979-99-99")
def test_any_bytes_are_an_error_with_the_file(read, data):
    assert isinstance(read(data), AssignmentError)


@given(data=st.data(), text=st.sampled_from(TEXTS))
def test_damaged_ones_are_assignments_or_errors(read, damaged, data, text):
    read(data.draw(damaged(text.encode())))


def _places(table, above=()):
    for key, value in table.items():
        yield table, key, (*above, key)
        if isinstance(value, dict):
            yield from _places(value, (*above, key))


@given(data=st.data(), text=st.sampled_from(TEXTS))
def test_any_value_of_any_key_is_taken_or_complained_of_by_its_name(read, data, text):
    values = tomllib.loads(text)
    table, key, path = data.draw(st.sampled_from([*_places(values)]))
    value = data.draw(VALUES)
    if value is None:
        del table[key]
    else:
        table[data.draw(st.sampled_from([key, key, "surplus"]))] = value
    found = read(tomlkit.dumps(values).encode())
    if isinstance(found, AssignmentError):
        complaint = found.message.rpartition("assignment.toml")[2]
        assert any(name in complaint for name in (*path, "surplus", "thresholds", "data", "model"))


@pytest.mark.parametrize("line", ["memory_gib = inf", "wall_s = nan", "disk_gib = 1e300"])
def test_limits_that_no_machine_has_are_named(read, line):
    text = f"name = 'x'\ntitle = 'x'\nversion = '1'\n[limits]\n{line}"
    assert f"limits.{line.partition(' ')[0]}: expected" in read(text.encode()).message
