import json
import math
import time

from hypothesis import given
from hypothesis import strategies as st

from grader.messages import LONGEST_LINE, CellEnded, Done, Epoch, FitEnded, Reader


def line(**values):
    return json.dumps(values).encode() + b"\n"


FIT = {
    "model": 0,
    "cell": 1,
    "compiled": None,
    "x": {"shape": [10, 3], "dtype": "float32", "minimum": 0.0, "maximum": 1.0},
    "y": None,
    "epochs": 2,
    "batch_size": 32,
    "updates": 2,
    "validation": "none",
    "validation_split": 0.0,
    "validation_x": None,
    "history": {"loss": [1.0, "nan"]},
    "completed": True,
    "seconds": 0.5,
}


def test_messages_are_read_however_they_are_cut():
    whole = line(event="epoch", epoch=1, logs={"loss": 0.5}) + line(event="fit", fit=FIT)
    for cut in range(1, len(whole), 17):
        reader = Reader()
        found = reader.feed(whole[:cut]) + reader.feed(whole[cut:])
        assert [type(message) for message in found] == [Epoch, FitEnded]


def test_a_loss_that_is_no_number_arrives_as_such():
    (found,) = Reader().feed(line(event="fit", fit=FIT))
    assert math.isnan(found.fit.history["loss"][1])


def test_what_is_no_message_is_counted_and_dropped():
    reader = Reader()
    junk = (
        b"accuracy: 1.0\n"
        + line(event="grade", points=100)
        + line(event="cell", number=-1, outcome="ok", seconds=0.0)
        + line(event="cell", number=1, outcome="perfect", seconds=0.0)
        + line(event="cell", number=1, outcome="ok", seconds=0.0, points=100)
    )
    (found,) = reader.feed(junk)
    assert found == CellEnded(event="cell", number=1, outcome="ok", seconds=0.0)
    assert reader.dropped == 4


def test_a_line_without_end_is_dropped_and_memory_stays_bounded():
    reader = Reader()
    for _ in range(LONGEST_LINE // (1 << 20) + 2):
        assert reader.feed(b"x" * (1 << 20)) == []
    assert reader.dropped >= 1
    reader.feed(b"\n")
    assert reader.feed(line(event="done"))


@given(st.binary(max_size=500))
def test_any_bytes_are_survived(data):
    Reader().feed(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_any_json_in_place_of_a_field_is_survived(value):
    for key in FIT:
        Reader().feed(line(event="fit", fit={**FIT, key: value}))


def test_values_are_small_or_no_message():
    reader = Reader()
    large = ({"a": "x" * 4001}, {"a": [0] * 201}, {"a": [[[1]]]}, {"a" * 501: 1})
    for values in large:
        assert reader.feed(line(event="values", values=values)) == []
    small = {"a": [[1, 0.5], {"b": None}], "c": {"d": ["e", True]}}
    (found,) = reader.feed(line(event="values", values=small))
    assert found.values == small
    assert reader.dropped == len(large)


def test_a_line_without_an_end_costs_no_more_for_each_chunk():
    reader, chunk = Reader(), b"x" * 65536
    began = time.process_time()
    for _ in range(LONGEST_LINE // len(chunk)):
        assert reader.feed(chunk) == []

    assert time.process_time() - began < 1
    assert reader.feed(b"\n" + b'{"event": "done"}\n') == [Done(event="done")]
