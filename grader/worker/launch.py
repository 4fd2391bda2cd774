"""The first program inside every sandbox: it makes its folder a package, and begins there.

Only the standard library is used, and nothing of the host's package: it is not readable here.
"""

# Starts with every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH100, PTH110, PTH118, PTH120

import gc
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from typing import Any


def package(name: str, folder: str, *, has_init: bool) -> None:
    """Make a folder a package that lies on no path."""
    if has_init:
        spec = importlib.util.spec_from_file_location(
            name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )
    else:
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
    if spec is None:
        raise ImportError(folder)
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    if spec.loader is not None:
        spec.loader.exec_module(made)


def import_worker(folder: str, program: str) -> Any:
    """Import a worker as a module of the package ``grader_worker``, whose folder is on no path."""
    if "grader_worker" not in sys.modules:
        has_init = os.path.exists(os.path.join(folder, "__init__.py"))
        package("grader_worker", folder, has_init=has_init)
    # Of what is imported nothing becomes garbage, and looking for some takes a fifth of the time.
    gc.disable()
    try:
        return importlib.import_module(f"grader_worker.{program}")
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    # a package only in name: of the host's one it has neither the name nor its first module
    package("grader_first", os.path.dirname(os.path.abspath(__file__)), has_init=False)
    importlib.import_module("grader_first.begin").main()
