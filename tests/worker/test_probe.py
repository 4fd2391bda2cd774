"""What students' functions answer, in whatever way they are written, and whatever they do."""

import math

import pytest

from grader.messages import Done, ProbeAnswered
from grader.probes import Probe
from grader.safe.plain import plain_json

pytestmark = pytest.mark.keras

FIRST = "import numpy as np\nimport keras\n"


@pytest.fixture
def ask(kernel):
    """Ask probes of code: ``ask(code, name=Probe(…))`` → the only answer, or all by name."""

    def go(*cells, **probes):
        questions = {name: probe.question() for name, probe in probes.items()}
        ran = kernel.run(FIRST, *cells, probes=questions)
        answered = [each for each in ran.messages if isinstance(each, ProbeAnswered)]
        assert [each.name for each in answered] == list(probes)
        answers = {each.name: each.answer for each in answered}
        return answers if len(probes) > 1 else answered[0].answer

    return go


ONE_HOT = {
    "loop": """
def f(labels, dimension=10):
    results = np.zeros((len(labels), dimension))
    for i, label in enumerate(labels):
        results[i, label] = 1.
    return results
""",
    "eye": "def f(labels, dimension=10):\n    return np.eye(dimension)[labels]",
    "keras": "f = keras.utils.to_categorical",
    "tensor": "def f(labels, n=10):\n    return keras.ops.one_hot(labels, n)",
    "lists": "def f(labels, n=10):\n    return [[int(i == l) for i in range(n)] for l in labels]",
    "rows": "def f(labels, n=10):\n    return [np.eye(n)[l] for l in labels]",
    "truth": "def f(labels, n=10):\n    return np.arange(n) == np.asarray(labels)[:, None]",
    "lambda": "f = lambda labels, n=10: np.eye(n, dtype='uint8')[labels].tolist()",
    "variable": "def f(labels, n=10):\n    return keras.Variable(np.eye(n)[labels])",
    "generic": "class f:\n    def __new__(cls, y, n=10): return np.matrix(np.eye(n)[y])",
}


@pytest.mark.parametrize("how", ONE_HOT)
def test_every_way_of_writing_it_gives_the_same_shape_and_numbers(ask, how):
    (step,) = ask(ONE_HOT[how], one_hot=Probe(call="f", arguments=([2, 0], 4))).steps
    assert step.value.shape == (2, 4)
    assert list(step.value.numbers) == [0, 0, 1, 0, 1, 0, 0, 0]
    assert step.mutated == ()


VALUES = {
    "3": ("number", (), (3,)),
    "np.float32(0.5)": ("number", (), (0.5,)),
    "10**40": ("number", (), (1e40,)),
    "10**400": ("number", (), (math.inf,)),
    "True": ("boolean", (), (1,)),
    "[1, 2.5]": ("list", (2,), (1.0, 2.5)),
    "(4, 3, 2)": ("tuple", (3,), (4, 3, 2)),
    "[[1, 2], [3, 4]]": ("list", (2, 2), (1, 2, 3, 4)),
    "[]": ("list", (0,), ()),
    "np.zeros((0, 3))": ("array", (0, 3), ()),
    "np.array(7)": ("array", (), (7,)),
    "np.array([[1], [2]])": ("array", (2, 1), (1, 2)),
    "np.array([1, np.inf, -np.inf])": ("array", (3,), (1.0, math.inf, -math.inf)),
    "keras.ops.convert_to_tensor([1, 2])": ("tensor", (2,), (1, 2)),
    "(np.array([1.0]), np.array([2.0]))": ("tuple", (2, 1), (1.0, 2.0)),
    "'softmax'": ("text", None, None),
    "None": ("none", None, None),
    "object()": ("other", None, None),
    "1j": ("other", None, None),
    "np.array(['a'])": ("array", (1,), None),
    "np.array([object()])": ("array", (1,), None),
    "np.ones(10_001)": ("array", (10_001,), None),
    "[0] * 10_001": ("list", (10_001,), None),
    "(i for i in range(3))": ("other", None, None),
    "keras.Input((3,))": ("other", None, None),
}


@pytest.mark.parametrize("code", VALUES)
def test_a_value_becomes_plain_data(ask, code):
    (step,) = ask(f"x = {code}", x=Probe(value="x")).steps
    found = step.value
    assert (found.kind, found.shape, found.numbers) == VALUES[code]


def test_a_large_array_is_described_though_it_is_not_given(ask):
    (step,) = ask("x = np.arange(40_000.0).reshape(200, 200)", x=Probe(value="x")).steps
    assert step.value.cut
    assert (step.value.minimum, step.value.maximum, step.value.mean) == (0.0, 39999.0, 19999.5)


NAMES = {
    "keras.losses.MeanSquaredError()": "mean_squared_error",
    "keras.losses.mean_squared_error": "mean_squared_error",
    "keras.losses.BinaryCrossentropy(from_logits=True)": "binary_crossentropy(from_logits=True)",
    "keras.activations.softmax": "softmax",
    "keras.optimizers.Adam": "adam",
}


@pytest.mark.parametrize("code", NAMES)
def test_objects_of_keras_have_their_canonical_names(ask, code):
    (step,) = ask(f"x = {code}", x=Probe(value="x")).steps
    assert (step.value.kind, step.value.text) == ("name", NAMES[code])


def test_a_dictionary_of_answers_is_read_with_all_that_is_in_it(ask):
    code = "a = {'binary': {'units': 1, 'loss': 'bce'}, 7: [1, 'two', None]}"
    (step,) = ask(code, a=Probe(value="a")).steps
    table = step.value
    assert (table.keys, table.items[0].keys) == (("binary", "7"), ("units", "loss"))
    assert table.items[0].items[1].text == "bce"
    assert [item.kind for item in table.items[1].items] == ["number", "text", "none"]


def test_a_function_that_builds_a_model_tells_its_layers(ask):
    code = """
def build():
    return keras.Sequential([keras.Input((784,)), keras.layers.Dense(512), keras.layers.Dense(10)])
"""
    (step,) = ask(code, built=Probe(call="build")).steps
    assert (step.value.kind, step.value.params) == ("model", 407_050)
    assert step.value.layers == ("Dense", "Dense")


# ------------------------------------------------------------------ what they do wrong


@pytest.mark.parametrize(
    ("code", "outcome", "says"),
    [
        ("def to_onehot(y): return y", "missing", "f"),
        ("f = 3", "no_function", "int"),
        ("def f(y):\n    x = 1\n    return z", "raised", "name 'z' is not defined"),
        ("def f(): pass", "raised", "takes 0 positional arguments but 1 was given"),
        ("def f(y): raise NotImplementedError()", "raised", ""),
        ("def f(y): exit(3)", "raised", "3"),
        ("def f(y): return f(y)", "raised", "maximum recursion depth"),
        ("class E(Exception):\n    __str__ = None\ndef f(y): raise E", "raised", ""),
        ("import os\ndef f(y): os._exit(0)", "ended", ""),
        ("import os\ndef f(y): os.kill(os.getpid(), 9)", "ended", ""),
        ("import os\ndef f(y): os.write(3, b'x' * 10**6); os.closerange(3, 99)", "ended", ""),
    ],
)
def test_a_fault_of_the_students_is_named_and_harms_no_other_probe(ask, code, outcome, says):
    answers = ask(
        f"{code}\ndef g(): return 5",
        f=Probe(call="f", arguments=([1],)),
        g=Probe(call="g"),
    )
    found = answers["f"]
    assert found.outcome == outcome
    assert says in (found.problem or (found.error.message if found.error else ""))
    assert answers["g"].steps[0].value.numbers == (5,)


def test_the_line_is_the_students_own(ask):
    error = ask("def f(x):\n    y = x + 1\n    return y.nothing", f=Probe(call="f", arguments=(1,)))
    assert (error.error.kind, error.error.line) == ("AttributeError", 3)
    assert "return y.nothing" in error.error.traceback


def test_a_missing_function_is_told_with_those_that_are_there(ask):
    found = ask(
        "from os.path import join\ndef one_hot(y): pass\ndef soft_max(z): pass\nx = 3",
        f=Probe(call="to_one_hot"),
    )
    assert found.functions == ("one_hot", "soft_max")


@pytest.mark.parametrize(
    ("path", "outcome"),
    [("net.forward", "answered"), ("net.backward", "missing"), ("table.row", "answered")],
)
def test_a_dotted_name_is_followed(ask, path, outcome):
    code = """
class Net:
    def forward(self): return 1
net, table = Net(), {"row": lambda: 2}
"""
    assert ask(code, f=Probe(call=path)).outcome == outcome


HOSTILE = {
    "never": "def f():\n    while True: pass",
    "catches": "def f():\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
    "sleeps": "import time\ndef f(): time.sleep(99)",
    "grandchild": "import os, time\ndef f():\n    if os.fork() or os.fork(): time.sleep(99)\n"
    "    time.sleep(99)",
    "array": "class A(np.ndarray):\n    def tolist(self):\n        while True: pass\n"
    "class B:\n    def __class__(self): return 1\n"
    "def f():\n    while True: np.ones(10)",
    "iterates": "class L(list):\n    def __iter__(self):\n        while True: yield 'x'\n"
    "    def __getitem__(self, _): return ['x']\n"
    "def f():\n    l = L('xy')\n    list(l)",
}


@pytest.mark.parametrize("how", HOSTILE)
def test_what_never_ends_is_ended(ask, how):
    answers = ask(
        HOSTILE[how] + "\ndef g(): return 5",
        f=Probe(call="f", seconds=0.5),
        g=Probe(call="g"),
    )
    assert answers["f"].outcome == "timeout"
    assert answers["g"].steps[0].value.numbers == (5,)


HOSTILE_VALUES = {
    "no_text": """
class X:
    def __repr__(self): raise ValueError
    __str__ = __array__ = __len__ = __repr__
x = X()""",
    "endless_text": """
class X:
    def __repr__(self):
        while True: pass
    __str__ = __array__ = __len__ = __repr__
x = [X()]""",
    "no_shape": """
class X(np.ndarray):
    shape = dtype = property(lambda self: 1 / 0)
x = np.ones(3).view(X)""",
    "no_length": "class X(str):\n    def __len__(self): raise ValueError\nx = X('a')",
    "itself": "x = []\nx.append(x)",
    "deep": "x = 1\nfor _ in range(100_000): x = [x]",
    "texts": "x = [['a'] * 1000] * 1000",
    "table": "x = {i: {j: 'a' * 9999 for j in range(300)} for i in range(300)}",
    "arrays": "x = [np.ones(9_999)] * 500",
    "surrogates": "x = ['\\ud800' * 100_000, {'\\ud800': float('nan')}]",
    "records": "x = np.ones(3, dtype=[('a', 'f4'), ('b', 'O')])",
    "huge": "x = np.broadcast_to(1.0, (10**6, 10**6))",
}


@pytest.mark.parametrize("how", HOSTILE_VALUES)
def test_a_hostile_value_is_cut_and_harms_nobody(ask, how):
    code = HOSTILE_VALUES[how] + "\ndef g(): return 5"
    answers = ask(code, x=Probe(value="x"), g=Probe(call="g"))
    assert answers["x"].outcome == "answered"
    assert len(plain_json(answers["x"])) < 3_000_000
    assert answers["g"].steps[0].value.numbers == (5,)


def test_what_a_probed_function_prints_is_no_cells_output(kernel):
    code = "import os\ndef f():\n    print('loud'); os.write(1, b'LOUD'); os.write(2, b'LOUD')"
    ran = kernel.run(code, probes={"f": Probe(call="f").question()})
    assert "loud" not in ran.text("stdout").lower()
    assert isinstance(ran.messages[-2], Done)


# ------------------------------------------------------------------ several steps, and chance

MOMENTUM = """
def momentum(w, dw, v, lr=0.1, mu=0.9):
    v = mu * v - lr * dw
    w = w + v
    return w, v
"""


def test_results_are_fed_back_and_every_step_is_kept(ask):
    probe = Probe(
        call="momentum", arguments=(1.0, 2.0, 0.0), repeat=3, feed={"0": 0, "2": 1},
        then={"1": (1.6, 0.92)},
    )  # fmt: skip
    found = ask(MOMENTUM, m=probe)
    rows = [step.value.numbers for step in found.steps]
    assert rows[0] == pytest.approx((0.8, -0.2))
    assert rows[1] == pytest.approx((0.46, -0.34))
    assert rows[2] == pytest.approx((0.46 - 0.306 - 0.092, -0.398))


def test_too_few_results_end_the_steps_and_say_so(ask):
    probe = Probe(call="f", arguments=(1.0, 0.0), repeat=2, feed={"0": 0, "1": 1})
    found = ask("def f(w, v): return w", m=probe)
    assert len(found.steps) == 1
    assert found.problem == "it gave 1 results, and the next step needs 2"


def test_a_changed_input_is_noticed_and_the_next_probe_gets_a_fresh_one(ask):
    code = "def f(a, b, k): \n    a[0] = 9; k.append(1)\n    return a"
    probe = Probe(call="f", arguments=([1, 2], [3]), keywords={"k": [0]}, lists=True)
    for answer in ask(code, first=probe, second=probe).values():
        assert answer.steps[0].mutated == ("0", "k")
        assert answer.steps[0].value.numbers == (9, 2)


def test_an_answer_depends_on_no_other_probe(ask):
    code = "count = [0]\ndef f():\n    count[0] += 1\n    return count[0], np.random.rand()"
    first, second = ask(code, a=Probe(call="f"), b=Probe(call="f")).values()
    assert first == second
    assert first.steps[0].value.numbers[0] == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [({}, "ndarray int64"), ({"dtype": "float32"}, "ndarray float32"), ({"lists": True}, "list ")],
)
def test_lists_become_arrays_unless_asked_otherwise(ask, options, kind):
    code = 'def f(x): return f\'{type(x).__name__} {getattr(x, "dtype", "")}\''
    (step,) = ask(code, x=Probe(call="f", arguments=([1, 2],), **options)).steps
    assert step.value.text == kind


def test_what_hangs_in_a_fork_of_tensorflow_is_answered_all_the_same(ask):
    code = """
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile("sgd", "mse")
model.fit(np.zeros((8, 2)), np.zeros(8), verbose=0)
def guess(x): return model.predict(x, verbose=0)
def never():
    while True:
        try:
            while True: pass
        except Exception: pass
def g(): return 5
"""
    answers = ask(
        code,
        g=Probe(call="g"),
        guess=Probe(call="guess", arguments=([[1.0, 2.0]],), seconds=2.0),
        never=Probe(call="never", seconds=0.5),
    )
    assert answers["guess"].steps[0].value.numbers == (3.0,)
    assert answers["g"].outcome == "answered"
    assert answers["never"].outcome == "timeout"
