"""Runs a student's cells one after the other and reports what each did.

A cell that raises does not end the run: the cells after it still run, and what was trained before
or after it is judged. A script is one cell, and ends where Python would end it.
"""

import contextlib
import os
import random
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from . import asked, harvest, probe
from .ahead import Ahead
from .budget import Budget
from .channel import send
from .facts import variable_facts
from .feeding import DirectFeed
from .figures import Figures
from .joined import JoinedSteps
from .names import plain_values
from .overlap import Overlap
from .recorder import Recorder
from .served import lay_beside, serve
from .shell import Shell, open_shell

_ahead = Ahead()
_overlap = Overlap()


def prepare(task: dict[str, Any]) -> None:
    """Get ready what every run of an assignment needs; before a process is forked for each.

    Neither a thread nor TensorFlow's runtime exists afterwards: no fork would survive them.

    Args:
        task: ``places`` (``data``: the served files), ``decoded_data`` (whether to decode them).
    """
    if task.get("decoded_data") and "data" in task["places"]:
        folder = Path(task["places"]["data"])
        _ahead.load(folder)
        _overlap.load(folder, _ahead)


def main(task: dict[str, Any]) -> None:
    """Run a submission.

    Args:
        task: ``work``, ``places`` (``data``: the served files), ``cells``, ``kind``, ``filename``,
            ``seed``; perhaps ``budget`` (``epochs``, ``seconds``), ``beside`` (the served files
            that lie in the work folder) and ``speed``
            (``joined_steps``: how many at most; ``one_trace``; ``direct_feed``; ``decoded_data``:
            whether to use what :func:`prepare` has decoded), ``probes``, see
            :mod:`grader.worker.probe`, and ``asks``: whether a model may be asked, see
            :mod:`grader.worker.asked`.
    """
    work = Path(task["work"])
    problems: dict[int, str] = {}

    def keep(model: Any, number: int) -> None:
        problems[number] = harvest.save(model, work, number)

    speed = task.get("speed") or {}
    recorder = Recorder(
        save=keep,
        budget=Budget(**(task.get("budget") or {})),
        joined=JoinedSteps(
            int(speed.get("joined_steps") or 0), one_trace=bool(speed.get("one_trace"))
        ),
        overlap=_overlap,
    )
    _same_in_same_out(task["seed"])
    _overlap.use(Path(task["places"]["data"]) if "data" in task["places"] else None)
    if "data" in task["places"]:
        folder = Path(task["places"]["data"])
        serve(folder)
        lay_beside(folder, work, task.get("beside") or ())
        if speed.get("decoded_data"):
            _ahead.give(folder)
    DirectFeed(wanted=bool(speed.get("direct_feed"))).install()
    recorder.install()
    shell, figures = open_shell(), Figures()
    shell.on_display = figures.displayed
    names = _namespace(shell, work, task)
    send("environment", values=_environment(task["seed"]))
    for number, source in enumerate(task["cells"], start=1):
        recorder.cell = figures.cell = number
        _run_cell(shell, number, source, is_script=task["kind"] == "script")
        figures.cell_ended()
    _flush_streams()
    models = harvest.found_models(recorder.models, names)
    for number, model in enumerate(models):
        keep(model, number)
    send(
        "models",
        models=[
            harvest.describe_found(
                model, number, names, recorder.fits.get(number, 0), problems[number]
            )
            | {"by_fit": recorder.by_fit(model)}
            for number, model in enumerate(models)
        ],
        patched=recorder.patched(),
    )
    send("variables", variables=variable_facts(names))
    send("values", values=plain_values(names, shell.user_ns_hidden))
    send("done")
    probe.ask(task.get("probes") or {}, names, task["seed"], _error_facts)
    if task.get("asks"):
        asked.be_asked(models, work, task["seed"])
    _flush_streams()
    # Threads or exit handlers of the student's have nothing more to say.
    os._exit(0)


def _same_in_same_out(seed: int) -> None:
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the generator that student code uses


def _environment(seed: int) -> dict[str, str]:
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "backend": keras.backend.backend(),
        "seed": str(seed),
        "threads": os.environ.get("TF_NUM_INTRAOP_THREADS", "as many as cores"),
        "op_determinism": "on",
    }


def _namespace(shell: Shell, work: Path, task: dict[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = shell.user_ns
    sys.path.insert(0, str(work))
    sys.argv = [task["filename"]]
    if task["kind"] == "script":
        names["__file__"] = str(work / task["filename"])
    # What the shell itself put there is not the student's.
    return names


def _run_cell(shell: Shell, number: int, source: str, *, is_script: bool) -> None:
    send("cell_started", number=number)
    start = time.perf_counter()
    result = shell.run_cell(source, store_history=True, silent=False)
    _flush_streams()
    error = result.error_before_exec or result.error_in_exec
    outcome = "ok"
    if isinstance(error, SystemExit):
        # `exit(0)` at the end of a script is no fault; in a notebook the kernel lives on.
        outcome = "exited" if error.code not in (None, 0) or not is_script else "ok"
        error = None
    elif result.error_before_exec is not None:
        outcome = "syntax"
    elif error is not None:
        outcome = "raised"
    send(
        "cell",
        number=number,
        outcome=outcome,
        seconds=time.perf_counter() - start,
        error=None if error is None else _error_facts(error, source),
    )


def _error_facts(error: BaseException, source: str) -> dict[str, Any]:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if _is_students(frame.filename)
    ]
    line = frames[-1].lineno if frames else None
    if isinstance(error, SyntaxError):
        line = error.lineno
    shown = [
        f"  line {frame.lineno}, in {frame.name}: {(frame.line or '').strip()}" for frame in frames
    ]
    if isinstance(error, SyntaxError) and error.lineno is not None:
        lines = source.splitlines()
        text = lines[error.lineno - 1] if 0 < error.lineno <= len(lines) else ""
        shown = [f"  line {error.lineno}: {text.strip()}"]
    return {
        "kind": type(error).__name__,
        "message": _cut(str(error.msg if isinstance(error, SyntaxError) else error), 4000),
        "line": line,
        "traceback": _cut("\n".join([*shown, f"{type(error).__name__}: {error}"]), 8000),
    }


def _cut(text: str, most: int) -> str:
    """Cut a long text in its middle: TensorFlow says at the end what is wrong, others at first."""
    part = most // 2
    return text if len(text) <= most else f"{text[:part]}\n[...]\n{text[-part:]}"


def _is_students(filename: str) -> bool:
    """Cells have names of IPython's making; helper modules lie in the work folder."""
    return "ipython-input" in filename or filename.startswith(str(Path.cwd()))


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the student may have replaced or closed it
            stream.flush()
