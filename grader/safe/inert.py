"""A stranger's text, made harmless for whoever looks at it.

A terminal obeys escapes, most programs obey the marks that turn the direction of writing, and some
characters have no looks at all: each of them can make a text look like another one.
"""

import json
import re
import unicodedata
from typing import Any

from grader.safe.plain import plain_json

_MISLEADING = (
    "\x7f-\x9f"  # among them what terminals take for an escape, in one character
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions
    "\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # nothing to be seen
    "\u2028\u2029"  # ends of lines to some programs, and not to others
)
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|[ -/]{0,8}[0-~])?")
"""Without what may follow as its argument: no escape of a student's swallows words of ours."""
_IN_JSON = re.compile(f"[{_MISLEADING}]+")
_PLAIN_ASCII = bytes(range(0x7F))
_IN_TEXT = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{_MISLEADING}\ud800-\udfff]+")
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters and marks that show nothing, though Unicode does not count them as such."""
MOST_MARKS = 3
"""Marks above one letter; with many, a letter covers the lines around it."""


def printable(text: str) -> str:
    """A stranger's text without control characters or such as turn the writing direction."""
    return "".join(c if unicodedata.category(c)[0] != "C" else f"\\x{ord(c):02x}" for c in text)


def one_line(text: str, longest: int) -> str:
    """A text on one line, without anything that is not seen, and not longer than that."""
    text = re.sub(r"\s+", " ", without_escapes(text[: 4 * longest])).strip()
    if not text.isascii():
        text = _visible(text)
    elif not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= longest else f"{text[:longest]}…"


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if kind[0] != "C" and marks <= MOST_MARKS and character not in _BLANK:
            kept.append(character)
    return "".join(kept)


def without_escapes(text: str) -> str:
    """A text without what it would say to a terminal."""
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def several_lines(text: str) -> str:
    """A text with its lines, where what is not seen stands as Python would write it."""
    return _IN_TEXT.sub(_written_out, text.replace("\r\n", "\n").replace("\r", "\n"))


def inert_json(value: Any, *, indent: int | None = None) -> bytes:
    """Give a record as JSON text that may be looked at: the same data, differently written."""
    data = plain_json(value, indent=indent)
    # Nearly all is ASCII and pictures in base64; what is not is looked at alone, and much faster.
    if not _IN_JSON.search(data.translate(None, delete=_PLAIN_ASCII).decode("utf-8")):
        return data
    return _IN_JSON.sub(_escaped, data.decode("utf-8")).encode("utf-8")


def _written_out(match: re.Match[str]) -> str:
    return ascii(match[0])[1:-1]


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1].replace("\x7f", "\\u007f")
