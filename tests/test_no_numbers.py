"""NaN, infinities and huge numbers of a student's come to the checks, and back from the store."""

import importlib.util
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from grader.checks.data import Values
from grader.checks.verdict import Unmet
from grader.known import _EXECUTION, _read
from grader.messages import Reader
from grader.records import ExecutionRecord
from grader.safe.plain import plain_json
from grader.store import Entry

WORKER = Path(__file__).parents[1] / "grader" / "worker"
ODD = {
    "no_number": float("nan"),
    "endless": float("inf"),
    "negative": -math.inf,
    "says_nan": "nan",
    "says_inf": "inf",
    "zero": -0.0,
    "largest": 1.7976931348623157e308,
    "smallest": 5e-324,
    "whole": 10**18,
    "scalar": np.float32("nan"),
    "single": np.array(-np.inf),
    "among": [1, float("nan"), [float("inf"), "nan"], {"a": float("-inf")}],
    "by_key": {"nan": float("nan"), float("nan"): 1, 2: [float("nan")]},
}


def _module(name):
    """One of the worker's, which is no package of the host's."""
    spec = importlib.util.spec_from_file_location(f"worker_{name}", WORKER / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def send(monkeypatch):
    """What the host reads of what the worker sends: ``send(event, **values)``."""
    channel, sent = _module("channel"), []
    monkeypatch.setattr(channel, "write", sent.append)

    def go(event, **values):
        channel.send(event, **values)
        json.loads(sent[-1], parse_constant=pytest.fail)
        return Reader().feed(sent[-1])

    return go


def _kept(record):
    """Write a record as the store has it, and read it again."""
    facts = plain_json(record)
    json.loads(facts, parse_constant=pytest.fail)
    entry = Entry(key="0" * 64, kind="run", facts=facts, blobs={}, about={}, made=datetime.now(UTC))
    return _read(_EXECUTION, entry)


def test_a_students_variables_are_the_same_before_and_after_the_store(send):
    names = _module("names").plain_values({**ODD, "too_large": 10**400}, {})
    (message,) = send("values", values=names)
    fresh = ExecutionRecord(ending="finished", values=message.values)
    for record in (fresh, _kept(fresh)):
        values = Values(record.values)
        assert set(values) == set(ODD)
        for name in ("no_number", "scalar"):
            assert math.isnan(values[name])
        assert (values["endless"], values["negative"]) == (math.inf, -math.inf)
        assert values["single"] == -math.inf
        assert (values["says_nan"], values["says_inf"]) == ("nan", "inf")
        assert math.copysign(1, values["zero"]) == -1
        for name in ("largest", "smallest", "whole"):
            assert values[name] == ODD[name]
        one, two, (three, text), table = values["among"]
        assert (one, three, text, table) == (1, math.inf, "nan", {"a": -math.inf})
        assert math.isnan(two)
        assert math.isnan(values["by_key"]["2"][0])


def test_a_check_of_no_number_fails_and_is_not_broken(send):
    (message,) = send("values", values=_module("names").plain_values(ODD, {}))
    for name in ODD:
        with pytest.raises(Unmet):
            Values(message.values).expect_number(name, 3.0)


@pytest.mark.parametrize("said", ["0nan", "", 1, None, [1], "infinity"])
def test_a_dictionary_that_only_looks_like_no_number_stays_one(send, said):
    (message,) = send("values", values={"a": {"__float__": said}})
    assert Values(message.values)["a"] == {"__float__": said}


HUGE = 10**5000
FIT = {
    "model": 0, "cell": 1, "compiled": None, "x": None, "y": None, "epochs": 1, "batch_size": 32,
    "updates": 1, "validation": "none", "validation_split": 0.0, "validation_x": None,
    "history": {"loss": [float("nan"), float("inf"), -math.inf, HUGE, -HUGE, np.float32("nan")]},
    "completed": True, "seconds": 0.5,
}  # fmt: skip
FACTS = {
    "shape": [2], "dtype": "float32", "minimum": -math.inf, "maximum": math.inf,
    "mean": float("nan"), "deviation": np.float64("nan"),
}  # fmt: skip
GIVEN = {
    "kind": "array", "type": "ndarray", "shape": [4], "dtype": "float64",
    "numbers": [float("nan"), math.inf, -math.inf, 2**64 - 1], "mean": float("nan"),
}  # fmt: skip


def test_histories_facts_and_answers_are_the_same_before_and_after_the_store(send):
    (fit,) = send("fit", fit=FIT)
    (variables,) = send("variables", variables={"x": FACTS})
    answer = {"outcome": "answered", "steps": [{"value": GIVEN}]}
    (probe,) = send("probe", name="asked", answer=answer)
    fresh = ExecutionRecord(
        ending="finished",
        fits=(fit.fit,),
        variables=variables.variables,
        probes={"asked": probe.answer},
    )
    for record in (fresh, _kept(fresh)):
        loss = record.fits[0].history["loss"]
        assert [math.isnan(value) for value in loss] == [True, False, False, False, False, True]
        assert loss[1:5] == (math.inf, -math.inf, math.inf, -math.inf)
        facts = record.variables["x"]
        assert (facts.minimum, facts.maximum) == (-math.inf, math.inf)
        assert math.isnan(facts.mean)
        assert math.isnan(facts.deviation)
        numbers = record.probes["asked"].steps[0].value.numbers
        assert math.isnan(numbers[0])
        assert numbers[1:] == (math.inf, -math.inf, 2**64 - 1)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "é\ud83d"])
def test_half_a_surrogate_pair_does_not_cost_the_message_it_stands_in(send, text):
    error = {"kind": "ValueError", "message": text, "line": 1, "traceback": text}
    (ended,) = send("cell", number=1, outcome="raised", seconds=0.1, error=error)
    assert ended.error.message == text.encode("utf-8", "backslashreplace").decode()
    (values,) = send("values", values={"a": text, text: 1})
    assert len(values.values) == 2
