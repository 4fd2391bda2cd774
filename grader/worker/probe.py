"""Asks the functions that a student defined, after the last cell, with inputs of ours.

Each question is asked in a fork of the student's process: what one does, be it that it never
returns, ends its process or changes a global name, is felt by no other, and an answer does not
depend on which others were asked. The process itself only waits, and passes on what it is told.

One thing does not survive a fork: TensorFlow's threads, once it has begun to work. What hangs
there is asked again in the student's process itself, after all others.
"""

import contextlib
import functools
import json
import os
import random
import select
import signal
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import keras
import numpy as np
from tensorflow.python.eager import context

from .channel import FD, plain, send
from .silence import become_silent
from .values import Describer

Question = dict[str, Any]
Answer = dict[str, Any]
ErrorFacts = Callable[[BaseException, str], dict[str, Any]]

LONGEST_ANSWER = 8 << 20
"""Bytes; nothing that :class:`Describer` makes is as long."""
MOST_FUNCTIONS = 30
AGAIN_S = 0.2
"""How often a function that goes on is interrupted: it may catch what interrupts it."""
PATIENCE = 2
"""How many times its seconds a function has that cannot be interrupted at all."""


class _TimeUpError(BaseException):
    """Not an ``Exception``: a student's ``except Exception`` lets it through."""


def ask(
    questions: dict[str, Question], names: dict[str, Any], seed: int, error_facts: ErrorFacts
) -> None:
    """Ask each question and send its answer.

    Args:
        questions: By name, see :meth:`grader.probes.Probe.question`.
        names: The student's namespace.
        seed: What random generators begin with, anew for each.
        error_facts: Describes an exception in the student's terms.
    """
    hung: dict[str, Question] = {}
    # TensorFlow drops compiled kernels when it is seeded, which a fork may not survive: forks take
    # over the seeded state instead.
    _seed(seed)
    for name, question in questions.items():
        work = functools.partial(_answer, question, names, error_facts)
        answer = _in_a_fork(work, question)
        if answer["outcome"] == "timeout" and context.context()._initialized:
            hung[name] = question
        else:
            send("probe", name=name, answer=answer)
    if hung:
        become_silent()
    for name, question in hung.items():
        _seed(seed)
        work = functools.partial(_answer, question, names, error_facts)
        with _ended_at_last(name, question["seconds"]):
            answer = _in_time(work, question)
        send("probe", name=name, answer=answer)


# ------------------------------------------------------------------ in a fork


def _in_a_fork(work: Callable[[], Answer], question: Question) -> Answer:
    end = time.monotonic() + question["seconds"]
    try:
        read, write = os.pipe()
        pid = os.fork()
    except OSError as error:
        return {"outcome": "ended", "problem": f"no process could be started for it: {error}"}
    if not pid:
        _work(work, write)
    os.close(write)
    line, is_late = _line(read, end)
    os.close(read)
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.waitpid(pid, 0)
    if is_late:
        return {"outcome": "timeout"}
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {"outcome": "ended"}
    return answer if isinstance(answer, dict) and "outcome" in answer else {"outcome": "ended"}


def _work(work: Callable[[], Answer], pipe: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        become_silent()
        os.dup2(1, FD)
        data = memoryview(json.dumps(plain(work()), allow_nan=False).encode() + b"\n")
        while data:
            data = data[os.write(pipe, data) :]
    finally:
        os._exit(0)


def _line(pipe: int, end: float) -> tuple[bytes, bool]:
    """Read a line until it is complete, too long, or too late."""
    found = bytearray()
    while b"\n" not in found[-1:] and len(found) <= LONGEST_ANSWER:
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return b"", True
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            return b"", False
        found += chunk
    return bytes(found[:LONGEST_ANSWER]), False


# ------------------------------------------------------------------ in the student's process


def _in_time(work: Callable[[], Answer], question: Question) -> Answer:
    """Interrupt what goes on for too long."""

    def interrupt(*_: object) -> NoReturn:
        raise _TimeUpError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, question["seconds"], AGAIN_S)
        try:
            return work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _TimeUpError:
        return {"outcome": "timeout"}
    finally:
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _ended_at_last(name: str, seconds: float) -> Iterator[None]:
    """End the process, which has nothing else to do, when a function cannot be interrupted."""

    def end() -> NoReturn:
        send("probe", name=name, answer={"outcome": "timeout"})
        os._exit(0)

    watch = threading.Timer(PATIENCE * seconds, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


# ------------------------------------------------------------------ one question


def _seed(seed: int) -> None:
    keras.utils.set_random_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the generator that student code uses


def _answer(question: Question, names: dict[str, Any], error_facts: ErrorFacts) -> Answer:
    """Look up what is asked for, call it as often as wanted, describe what it gives."""
    try:
        found = _look_up(question["call"] or question["value"], names)
    except KeyError as error:
        functions = _functions(names)
        return {"outcome": "missing", "problem": str(error.args[0]), "functions": functions}
    if question["value"]:
        return {"outcome": "answered", "steps": [{"value": Describer().describe(found)}]}
    if not callable(found):
        described = Describer().describe(found)
        return {"outcome": "no_function", "problem": described["type"]}
    return _call(found, question, error_facts)


def _call(function: Callable[..., Any], question: Question, error_facts: ErrorFacts) -> Answer:
    describer, inputs = Describer(), _Inputs(question)
    steps: list[dict[str, Any]] = []
    fed: dict[str, Any] = {}
    for step in range(question["repeat"]):
        given = inputs.of_step(step) | fed
        before = {name: _picture(value) for name, value in given.items()}
        places = sorted((name for name in given if name.isdigit()), key=int)
        try:
            result = function(
                *(given[name] for name in places),
                **{name: value for name, value in given.items() if not name.isdigit()},
            )
        except _TimeUpError:
            raise
        except BaseException as error:  # noqa: BLE001 - even SystemExit is an answer
            return {"outcome": "raised", "steps": steps, "error": _facts(error, error_facts)}
        mutated = [name for name, value in given.items() if _picture(value) != before[name]]
        steps.append({"value": describer.describe(result), "mutated": mutated})
        if step + 1 < question["repeat"]:
            results = result if isinstance(result, list | tuple) else (result,)
            if (most := max(question["feed"].values(), default=-1)) >= len(results):
                problem = f"it gave {len(results)} results, and the next step needs {most + 1}"
                return {"outcome": "answered", "steps": steps, "problem": problem}
            fed = {name: results[place] for name, place in question["feed"].items()}
    return {"outcome": "answered", "steps": steps}


def _facts(error: BaseException, error_facts: ErrorFacts) -> dict[str, Any]:
    try:
        return error_facts(error, "")
    except Exception:  # noqa: BLE001 - an exception of the student's own may not even have a text
        return {"kind": type(error).__name__, "message": "", "line": None, "traceback": ""}


class _Inputs:
    """Makes the arguments of a step, always anew."""

    def __init__(self, question: Question) -> None:
        self._texts = question["inputs"]
        self._lists = question["lists"]
        self._dtype = question["dtype"]

    def of_step(self, step: int) -> dict[str, Any]:
        """Give each argument by its place or name."""
        arguments, keywords, then = json.loads(self._texts)
        given = {str(place): value for place, value in enumerate(arguments)} | keywords
        if step:
            given |= {name: values[step - 1] for name, values in then.items()}
        return {name: self._made(value) for name, value in given.items()}

    def _made(self, value: Any) -> Any:
        if isinstance(value, list) and not self._lists:
            return np.array(value, dtype=self._dtype)
        return value


def _picture(value: Any) -> Any:
    """What an argument looks like, to be compared; ``None`` where nothing can be changed."""
    if type(value) is np.ndarray:
        return value.shape, str(value.dtype), value.tobytes()
    if type(value) in (list, dict):
        return repr(value)
    return None


def _look_up(path: str, names: dict[str, Any]) -> Any:
    first, *rest = path.split(".")
    if first not in names:
        raise KeyError(first)
    value = names[first]
    for place, part in enumerate(rest, start=2):
        try:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        except (AttributeError, KeyError):
            raise KeyError(".".join(path.split(".")[:place])) from None
    return value


def _functions(names: dict[str, Any]) -> list[str]:
    """The functions that the student defined, not those that were imported."""
    return sorted(
        name[:200]
        for name, value in list(names.items())
        if isinstance(value, types.FunctionType)
        and not name.startswith("_")
        and value.__module__ == names.get("__name__")
    )[:MOST_FUNCTIONS]
