"""Why a probe has no answer, in the student's terms."""

import difflib

from grader.checks.verdict import MissingFactError
from grader.probes import Probe
from grader.records import ExecutionRecord, ProbeAnswer

MANY = 8
"""Names that are listed."""
NEXT_STEP = "What one step gives back is what the next one is called with: give back all of it."


class Unanswered:
    """Why there is no answer."""

    def __init__(
        self, probe: Probe, answer: ProbeAnswer | None, execution: ExecutionRecord
    ) -> None:
        self._probe = probe
        self._answer = answer
        self._execution = execution

    @property
    def nothing(self) -> bool:
        """Whether there is none, or not all of it."""
        answer = self._answer
        steps = len(answer.steps) if answer else 0
        return answer is None or answer.outcome != "answered" or steps < self._probe.repeat

    @property
    def mutated(self) -> tuple[str, ...]:
        """Which arguments were changed, in any step."""
        steps = self._answer.steps if self._answer else ()
        return tuple(dict.fromkeys(name for step in steps for name in step.mutated))

    def error(self, step: int | None = None) -> MissingFactError:
        """Say it, in the student's terms."""
        call = f"`{self._probe.words()}`"
        if step is not None and self._probe.repeat > 1:
            call += f" in step {step}"
        answer = self._answer
        if answer is None:
            problem = self._execution.problem
            return MissingFactError(expected=f"an answer of {call}", received="none", hint=problem)
        if answer.outcome in ("missing", "no_function"):
            return self._missing(answer)
        received, hint = {
            "raised": self._raised(answer),
            "timeout": (f"none within {self._probe.seconds:g} s", "It was still running then."),
            "ended": ("the end of its process", "Calling it ends Python or overwhelms it."),
            "unanswered": ("none", self._before()),
            "answered": (answer.problem or "none", NEXT_STEP),
        }[answer.outcome]
        return MissingFactError(expected=f"an answer of {call}", received=received, hint=hint)

    def _missing(self, answer: ProbeAnswer) -> MissingFactError:
        path = self._probe.call or self._probe.value or ""
        wanted = "function" if self._probe.call else "variable"
        name = answer.problem if answer.outcome == "missing" else path
        name = name if name and path.startswith(name) else path
        if answer.outcome == "no_function":
            kind = answer.problem or "something else"
            return MissingFactError(
                expected=f"a function called `{path}`",
                received=f"`{path}`, which is {kind!r} and cannot be called",
                hint="Was the name used again for something else?",
            )
        hints = [f"`{name}` is not defined when the run ends."]
        near = difflib.get_close_matches(name, answer.functions, n=1)
        hints += [f"Is it `{near[0]}`? Keep the names that the handout gives."] if near else []
        failed = [cell.number for cell in self._execution.cells if cell.outcome != "ok"]
        hints += [f"Cell {failed[0]} did not run to its end; see there first."] if failed else []
        known = ", ".join(f"`{each}`" for each in answer.functions[:MANY])
        return MissingFactError(
            expected=f"a {wanted} called `{path}`",
            received=f"functions you defined: {known}" if known else "none",
            hint=" ".join(hints),
        )

    def _raised(self, answer: ProbeAnswer) -> tuple[str, str]:
        error = answer.error
        if error is None:
            return "an error", ""
        if error.kind == "NotImplementedError":
            return "NotImplementedError", "The function is still as the handout has it."
        # the frame that raised is the last but one line of the traceback
        lines = [line.strip() for line in error.traceback.splitlines() if "line " in line]
        where = lines[-1] if lines else ""
        return f"{error.kind}: {error.message}".rstrip(": "), where and f"It was raised at {where}"

    def _before(self) -> str:
        ending = self._execution.ending
        if ending in ("finished", "raised"):
            return "Another function that was called before it ended the process."
        return f"The run had ended before it could be asked ({ending})."
