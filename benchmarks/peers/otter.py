"""Otter-Grader: one command for each submission."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.contestants import Contestant, Score
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.running import Command, run, tail


class Otter(Contestant):
    """``otter run``."""

    name = "otter"
    requirement = "otter-grader==7.0.0"

    @property
    def at_once(self) -> int:  # type: ignore[override]
        """As many commands as are wanted."""
        return self.bench.jobs or 1

    @property
    def autograder(self) -> Path:
        """The zip archive with the tests."""
        return self.own_folder / "autograder.zip"

    def set_up(self) -> None:
        """Let ``otter generate`` pack the tests."""
        folder = self.autograder.parent
        tests = folder / "tests"
        tests.mkdir(parents=True)
        for name, code in self.work.tests.items():
            case = {
                "code": "\n".join(f">>> {line}" for line in code.splitlines()),
                "hidden": False,
                "locked": False,
            }
            suite = {"cases": [case], "scored": True, "setup": "", "teardown": ""}
            test = {"name": name, "points": 1, "suites": [{**suite, "type": "doctest"}]}
            (tests / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n", "utf-8")
        run(
            Command(
                argv=[
                    str(self.python.with_name("otter")),
                    *("generate", "-t", str(tests), "-o", str(self.autograder)),
                    "--no-environment",
                ],
                cwd=folder,
                environment=self.environment,
                log=folder / "generate.log",
            )
        )

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """A result folder and a command for each notebook."""
        commands = []
        for notebook in notebooks:
            results = folder / notebook.stem
            results.mkdir()
            commands.append(
                Command(
                    argv=[
                        str(self.python.with_name("otter")),
                        *("run", "-a", str(self.autograder), "-o", str(results)),
                        str(notebook),
                    ],
                    cwd=folder,
                    environment=self.environment,
                    log=folder / f"{notebook.stem}.log",
                )
            )
        return commands

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Each ``results.json`` must give every test its point."""
        scores = []
        for notebook in notebooks:
            path = folder / notebook.stem / "results.json"
            log = folder / f"{notebook.stem}.log"
            if not path.exists():
                raise BenchmarkError(f"otter: no {path.name}:\n{tail(log)}")
            earned = {
                test["name"]: test["score"]
                for test in json.loads(path.read_text("utf-8"))["tests"]
                if test["name"] in self.work.tests
            }
            if earned != dict.fromkeys(self.work.tests, 1):
                raise BenchmarkError(f"otter: {notebook.stem} earned {earned}:\n{tail(log)}")
            said = f"{sum(earned.values()):g}/{len(earned)} points"
            scores.append(Score(student=notebook.stem, said=said))
        return scores
