"""Runs code of ours after a method of Keras', unseen by the student's callbacks."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any


def after(owner: Any, name: str, hook: Callable[..., None]) -> None:
    """Call a hook with the same arguments after a method of a class.

    Args:
        owner: The class.
        name: The method.
        hook: Takes what the method takes; what it raises is dropped, because no mistake of ours
            may become the student's.
    """
    original = getattr(owner, name)

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        with contextlib.suppress(Exception):
            hook(self, *args, **kwargs)
        return result

    setattr(owner, name, method)
