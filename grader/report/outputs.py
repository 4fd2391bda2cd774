"""What a cell showed → what an executed notebook may hold of it.

Text, and PNG pictures of bounded size. Whoever opens the notebook has rights that the student has
not, so nothing is kept that a browser would run: no HTML, no SVG, no JavaScript, no widgets.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from grader.safe.inert import several_lines, without_escapes

PNG = "image/png"
MOST_SIDE = 10_000
"""Pixels along a side."""
MOST_PIXELS = 25_000_000
"""Of one picture: a few kilobytes may unpack to gigabytes."""
MOST_PIXELS_IN_ALL = 200_000_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_MACROS = re.compile(r"\\(?=(?:href|url|html|csname|require|unicode|class|style|cssId)\b)")
"""Of MathJax, which make a link, fetch something, or change the page around them."""
_HEAD = 33
"""Bytes of a PNG's signature and first chunk."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


class Outputs:
    """Takes the outputs of one notebook, one after the other."""

    def __init__(self) -> None:
        self._pixels = MOST_PIXELS_IN_ALL

    def inert(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """Give an output (format 4) of which nothing runs, with what was left out named in it."""
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output["name"] == "stderr" else "stdout"
            return {"output_type": kind, "name": name, "text": _lines(output["text"])}
        if kind == "error":
            return {
                "output_type": kind,
                "ename": _text(output["ename"]),
                "evalue": _text(output["evalue"]),
                "traceback": [_text(line) for line in output["traceback"]],
            }
        count = output.get("execution_count")
        numbered = {"execution_count": count if _is_count(count) else None}
        return {
            "output_type": kind,
            "data": self._data(output["data"]),
            "metadata": {},
            **(numbered if kind == "execute_result" else {}),
        }

    def _data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        text = data.get("text/plain")
        shown = [_text(text)] if text is not None else []
        kept: dict[str, Any] = {}
        if PNG in data:
            picture = "".join(data[PNG].split()) if isinstance(data[PNG], str) else ""
            if problem := self._problem(picture):
                shown.append(f"[A picture was left out: {problem}.]")
            else:
                kept[PNG] = picture
        others = sorted(_text(name)[:50] for name in data if name not in (PNG, "text/plain"))
        if others and not shown and not kept:
            shown.append(f"[{', '.join(others[:5])} was left out: only text and PNG are kept.]")
        return {**kept, **({"text/plain": _lines("\n".join(shown))} if shown else {})}

    def _problem(self, picture: str) -> str:
        """Say why a picture is not kept; only its head is read, and nothing is decoded."""
        size = png_size(picture)
        if size is None:
            return "it is no PNG"
        width, height = size
        if max(size) > MOST_SIDE or width * height > MOST_PIXELS:
            return f"{width} × {height} pixels are too many"
        if width * height > self._pixels:
            return "the pictures of this notebook are too large together"
        self._pixels -= width * height
        return ""


def png_size(picture: str) -> tuple[int, int] | None:
    """Give the width and height that a PNG in base64 says it has; ``None`` when it is none."""
    if not _BASE64.fullmatch(picture):
        return None
    try:
        head = base64.b64decode(picture[: _HEAD * 4 // 3])
    except binascii.Error:
        return None
    if len(head) < _HEAD or not head.startswith(_SIGNATURE):
        return None
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    return (width, height) if width and height else None


def inert_markdown(text: str) -> str:
    """Markdown of which nothing runs and nothing is fetched: no HTML, links, images or macros.

    A blank makes the difference: ``< script>`` is no tag, ``[here] (javascript:…)`` no link.
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", several_lines(text))
    text = re.sub(r"\](?=[(\[:])", "] ", text)
    return _MACROS.sub(r"\\ ", text)


def _text(value: Any) -> str:
    whole = "".join(map(str, value)) if isinstance(value, list) else str(value)
    return several_lines(without_escapes(whole))


def _lines(value: Any) -> list[str]:
    """Split a text as notebooks hold it, so that a difference shows line by line."""
    return _text(value).splitlines(keepends=True)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
