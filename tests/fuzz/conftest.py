"""What every fuzzing test shares: how many cases, what is odd, how bytes and JSON are damaged.

``python -m pytest tests/fuzz`` tries a few hundred cases a target, the same ones each time;
``python -m pytest tests/fuzz --hypothesis-profile=long`` tries thousands of new ones in all.
"""

import contextlib
import copy
import json
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

PROMPTLY_S = 20
"""No case may take as long; on a machine with other work the usual milliseconds may be a second."""
settings.register_profile(
    "quick",
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long", settings.get_profile("quick"), max_examples=1500, derandomize=False
)

ODD_TEXTS = (
    "",
    "nan",
    "__float__",
    "=1+1",
    "\x00",
    "\x1b]0;x\x07\x1b[2J",
    "\u202e\u2066",
    "\ud800",
    "[red]",
    "../../x",
    "<script>",
    "a" * 30_000,
    "\U000e0041",
)
ODD_VALUES = st.sampled_from([
    None, True, -1, 0, 1, 2**31, 2**63, -(2**64) - 1, 10**400, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), *ODD_TEXTS, [], {}, [[]], {"": {}}, [None], [-1], {"a": 10**30},
])  # fmt: skip


def _nested(depth):
    value = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


DEEP = st.integers(1, 400).map(_nested)


def pytest_collection_modifyitems(config, items):
    """The others' tests keep hypothesis' own numbers."""
    profile = settings.get_profile(config.getoption("--hypothesis-profile") or "quick")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and hasattr(item.obj, "hypothesis"):
            item.obj = profile(item.obj)


@contextlib.contextmanager
def _promptly():
    def late(*_):
        raise TimeoutError(f"it took more than {PROMPTLY_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PROMPTLY_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def promptly():
    """Raise in what takes too long."""
    return _promptly


@pytest.fixture(scope="session")
def damaged():
    """Bytes with some of them changed: ``data.draw(damaged(whole))``."""
    return _damaged


@st.composite
def _damaged(draw, whole, most=6):
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, most))):
        size = len(data)
        # archives have at their end what says where everything is
        place = draw(st.integers(0, size) | st.integers(max(0, size - 400), size))
        match draw(st.sampled_from(["set", "flip", "insert", "cut", "repeat", "number"])):
            case "set":
                data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case "flip" if place < size:
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                data[place:place] = draw(st.binary(max_size=8))
            case "cut":
                del data[place : place + draw(st.integers(1, 60))]
            case "repeat":
                data[place:place] = data[place : place + draw(st.integers(1, 60))]
            case "number":
                number = draw(
                    st.sampled_from([0, 1, 2**16 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
                )
                width = draw(st.sampled_from([2, 4, 8]))
                data[place : place + width] = (number % 2 ** (8 * width)).to_bytes(width, "little")
            case _:
                pass
    return bytes(data)


@pytest.fixture(scope="session")
def warped():
    """JSON data with parts replaced, taken away or doubled: ``data.draw(warped(value))``."""
    return _warped


@st.composite
def _warped(draw, value, most=3):
    made = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(0, most))):
        holder, key = draw(st.sampled_from([*_places(made)] or [(None, None)]))
        if holder is None:
            return draw(ODD_VALUES | DEEP)
        match draw(st.sampled_from(["odd", "odd", "odd", "deep", "drop", "double", "rename"])):
            case "odd":  # a copy: an odd list may be put into itself later
                holder[key] = copy.deepcopy(draw(ODD_VALUES))
            case "deep":
                holder[key] = draw(DEEP)
            case "drop":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder += [holder[key]] * draw(st.sampled_from([1, 3, 600]))
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(ODD_TEXTS) | st.text(max_size=4))] = holder.pop(key)
            case _:
                pass
    return made


def _places(value):
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield value, key
            yield from _places(value[key])


@pytest.fixture(scope="session")
def as_text():
    """JSON data as text, as this writer or that would put it: ``data.draw(as_text(value))``."""
    return _as_text


@st.composite
def _as_text(draw, value):
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    place = draw(st.integers(0, len(text)))
    match draw(st.sampled_from(["as it is"] * 4 + ["twice", "cut", "junk", "number"])):
        case "twice":  # every key stands twice
            text = text.replace('{"', '{"a": 1, "a": 2, "', 3)
        case "cut":
            text = text[:place]
        case "junk":
            text = text[:place] + draw(st.text(max_size=5)) + text[place:]
        case "number":
            text = text.replace(": 1", ": 1" + "0" * 5000, 1)
        case _:
            pass
    return text


@pytest.fixture(scope="session")
def as_bytes():
    """Text in this or that encoding."""
    return _as_bytes


@st.composite
def _as_bytes(draw, text):
    codec = draw(st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "utf-32", "latin-1"]))
    return text.encode(codec, "surrogatepass" if codec.startswith("utf") else "replace")
