"""How deep JSON text is nested, found before anything parses it.

Python's parser calls itself for each level, so that a few kilobytes of brackets end it.
"""

import re

_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)
"""A string, or a bracket outside of any. A string without end goes to the end of the text, and no
group gives back what it took: else a text of quotes would be looked at again from each of them."""


def depth(text: str) -> int:
    """Give the deepest nesting of brackets and braces outside of strings; reads the text once."""
    deepest = now = 0
    for mark in _MARK.finditer(text):
        first = text[mark.start()]
        if first in "[{":
            now += 1
            deepest = max(deepest, now)
        elif first in "]}":
            now -= 1
    return deepest
