"""Puts off imports that are seldom used at once, until the server has nothing else to do.

A module that is put off is in its place all the same, and loads itself as soon as anything of it is
looked at: nobody who imports it can tell.
"""

import contextlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from typing import Any


class Late:
    """The modules of a server that are put off.

    Args:
        names: Their full names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    @contextlib.contextmanager
    def put_off(self) -> Iterator[None]:
        """Put them off when they are imported meanwhile."""
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module to be put off; the way in which Python's import asks."""
        if name not in self._names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec

    def catch_up(self) -> bool:
        """Load what was put off, and tell whether there was anything to do."""
        waiting = [
            sys.modules[name]
            for name in self._names
            if isinstance(sys.modules.get(name), importlib.util._LazyModule)  # type: ignore[attr-defined]
        ]
        for module in waiting:
            # what cannot be imported fails, with its own words, for whoever wants it
            with contextlib.suppress(Exception):
                module.__dict__  # noqa: B018 - to look at it is to load it
        return bool(waiting)
