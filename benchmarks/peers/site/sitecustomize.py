"""Makes Keras accept the benchmark's own ``mnist.npz``; for the peers' processes only.

Keras compares the hash of a cached data set with that of the file it would download,
and deletes a file that differs. The benchmark's file may be a stand-in, or the same
arrays in another archive. This module stands on the peers' ``PYTHONPATH``; Python
imports it at start. It does not import Keras: it waits for the import of Keras' module
``file_utils`` and then wraps the one function that compares. Hashing the file costs
what it costs in Keras itself.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # type checkers know the name; importing it would take 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

MODULE = "keras.src.utils.file_utils"
TRUSTED = os.environ.get("BENCHMARK_TRUSTED_SHA256", "")


def trust(file_utils: Any) -> None:
    """Let Keras' ``validate_file`` accept the one file whose hash we know.

    Args:
        file_utils: Keras' module, just imported.
    """
    original = file_utils.validate_file
    hash_file = file_utils.hash_file

    def validate_file(
        fpath: str, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535
    ) -> bool:
        if hash_file(fpath, algorithm="sha256") == TRUSTED:
            return True
        return bool(original(fpath, file_hash, algorithm, chunk_size))

    file_utils.validate_file = validate_file


class TrustFinder:
    """An import hook for one module, gone once it was used."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find Keras' module as the others would, and run :func:`trust` after it.

        Args:
            name: The module's full name.
            path: Where its package looks for modules.
            target: The module, when it is reloaded.

        Returns:
            The wrapped specification, or ``None`` for every other module.
        """
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                execute = spec.loader.exec_module

                def exec_module(module: ModuleType) -> None:
                    execute(module)  # noqa: B023 - the loop returns in this very turn
                    trust(module)

                spec.loader.exec_module = exec_module  # type: ignore[method-assign]
                return spec
        return None


if TRUSTED:
    sys.meta_path.insert(0, TrustFinder())
