"""A stream of any length in a buffer of known size: its beginning and its end."""

FLOOD = 50
"""So many times the kept size is a flood."""


class Kept:
    """Takes chunks, keeps the first and the last half of what there is room for.

    Args:
        most: Bytes to keep.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.total = 0
        self._dropped = 0
        self._is_closed = False
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        self.total += len(chunk)
        if self._is_closed:
            self._dropped += len(chunk)
            return
        room = self.most // 2 - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        self._tail += chunk
        tail = self.most - self.most // 2
        if len(self._tail) > 2 * tail:  # cut now and then, not at each chunk
            del self._tail[:-tail]

    def close(self) -> None:
        """Keep nothing of what comes from now on, and do not tell of it."""
        self._is_closed = True

    @property
    def is_flood(self) -> bool:
        """Whether more came than any honest program prints."""
        return self.total > FLOOD * self.most

    def text(self) -> str:
        """Give what was kept, with a note where something was left out."""
        tail = self.most - self.most // 2
        end = bytes(self._tail[-tail:]) if tail else b""
        missing = self.total - self._dropped - len(self._head) - len(end)
        if not missing:
            return (bytes(self._head) + end).decode("utf-8", "replace")
        note = f"\n… {missing} bytes left out …\n"
        return self._head.decode("utf-8", "replace") + note + end.decode("utf-8", "replace")
