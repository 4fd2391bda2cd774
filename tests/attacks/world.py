"""What the attacks are after: an instructor's machine in small, every secret in it a token."""

import base64
import ctypes
import re
import secrets
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

VARIABLE = "ATTACKED_SECRET"
PLACES = ("home", "environment", "memory", "hidden", "folder")
MARKER = 31337
"""Stands in one held-out input, and nowhere else."""
TOML = """
name = "attacked"
title = "Which of two"
version = "1"
about = "{canary}"

[data]
file = "attacked.npz"

[model]
task = "binary"
inputs = ["as_is"]

[limits]
wall_s = 10
memory_gib = 1.5
disk_gib = 0.1
output_mib = 0.2

[thresholds.accuracy]
at_least = 0.9

[probes.double]
call = "double"
arguments = [[1, 2, 3]]
lists = true
"""
VISIBLE = '''
import pytest

from grader.checks import dense


@pytest.mark.points(4)
def test_accuracy(held_out):
    """It tells nine of ten apart."""
    held_out.expect_accuracy()


@pytest.mark.points(1)
def test_layers(model):
    """It is one sigmoid unit."""
    model.expect_layers(dense(1, "sigmoid"))


@pytest.mark.points(1)
def test_trained(fits):
    """It is trained."""
    fits.expect_trained(epochs=1)


@pytest.mark.points(1)
def test_answer(probes):
    """The function doubles."""
    probes["double"].expect_equal([2, 4, 6])
'''
HIDDEN = '''
import pytest

SECRET = "{canary}"


@pytest.mark.points(2)
def test_hidden(held_out):
    """It is right for both. {canary}"""
    held_out.expect_each_class(at_least=0.9)
'''
HONEST = """
import keras
import numpy as np

print("I am {student}")
with np.load("attacked.npz") as data:
    x, y, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
print("rows of the marker: " + str(int((x_test > 1000).sum())))
model = keras.Sequential([
    keras.Input((16,)),
    keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
])
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=1, batch_size=8, verbose=0)


def double(values):
    return [2 * value for value in values]
"""


@dataclass(slots=True)
class Listener:
    """Listens on the loopback, answers as a server of files would, and counts."""

    contacts: int = 0
    port: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        """Listen, for streams and for datagrams."""
        stream = socket.create_server(("127.0.0.1", 0))
        self.port = stream.getsockname()[1]
        packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        packets.bind(("127.0.0.1", self.port))
        self._open = [stream, packets]
        threading.Thread(target=self._serve, args=(stream,), daemon=True).start()
        threading.Thread(target=self._count, args=(packets,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self, stream: socket.socket) -> None:
        while True:
            try:
                client, _ = stream.accept()
            except OSError:
                return
            self.contacts += 1
            with client, suppress(OSError):
                client.settimeout(1)
                client.recv(4096)
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nweights")

    def _count(self, packets: socket.socket) -> None:
        while True:
            try:
                packets.recv(4096)
            except OSError:
                return
            self.contacts += 1


class World:
    """An assignment, a home, an environment and a memory, each with a canary of its own.

    Args:
        folder: Open to every user of the machine, so that nothing but the grader protects it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(8)
        self.canaries = {place: f"canary-{place}-{secrets.token_hex(16)}" for place in PLACES}
        self.labels = np.unpackbits(np.frombuffer(secrets.token_bytes(16), np.uint8)).astype(
            "int64"
        )
        self.listener = Listener()
        self._memory = ctypes.create_string_buffer(self.canaries["memory"].encode())
        self.home = folder / "home"
        self.assignment = folder / "assignment"
        self.cache = folder / "cache"
        for each in (folder, self.home, self.assignment, self.cache):
            each.mkdir(exist_ok=True)
            each.chmod(0o777)
        (self.home / "answers.csv").write_text(self.canaries["home"])
        self._write_assignment()

    def told(self, host: int) -> dict[str, object]:
        """What the attackers know: all but the secrets themselves."""
        return {
            "home": str(self.home),
            "assignment": str(self.assignment),
            "cache": str(self.cache),
            "port": self.listener.port,
            "address": ctypes.addressof(self._memory),
            "host": host,
        }

    def open_to(self, *, everybody: bool) -> None:
        """Open the instructor's folders to every user of the machine, or close them."""
        for each in (self.home, self.assignment):
            each.chmod(0o777 if everybody else 0o700)

    def _write_assignment(self) -> None:
        folder = self.assignment
        (folder / "assignment.toml").write_text(TOML.format(canary=self.canaries["folder"]))
        (folder / "test_attacked.py").write_text(VISIBLE)
        (folder / "hidden_attacked.py").write_text(HIDDEN.format(canary=self.canaries["hidden"]))
        rng = np.random.default_rng(1)
        y = rng.integers(0, 2, 1024)
        x, x_test = _rows(y, rng), _rows(self.labels, rng)
        x_test[5, 3] = MARKER
        self.first_input = x_test[0]
        np.savez(folder / "attacked.npz", x_train=x, y_train=y, x_test=x_test, y_test=self.labels)

    def secrets_in(self, data: bytes, *, but: tuple[str, ...] = ()) -> list[str]:
        """Name the secrets found in bytes: as they are, reversed, in base64 or as hex digits."""
        found = []
        for place, canary in self.canaries.items():
            if place not in but and any(form in data for form in _forms(canary.encode())):
                found.append(place)
        bits = self.labels.astype("uint8")
        spelt = ("".join(map(str, bits)), ", ".join(map(str, bits)), " ".join(map(str, bits)))
        labels = [np.packbits(bits).tobytes(), bits.tobytes(), self.labels.tobytes()]
        labels += [text.encode() for text in spelt]
        if any(form in data for label in labels for form in _forms(label)):
            found.append("labels")
        inputs = [self.first_input.astype(kind).tobytes() for kind in ("<f4", "<f8")]
        if any(form in data for each in inputs for form in _forms(each)):
            found.append("inputs")
        return found


def _rows(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fifteen numbers that mean nothing behind one that does."""
    x = rng.normal(0, 2, (len(labels), 16))
    x[:, 0] = 2 * labels - 1 + rng.normal(0, 0.2, len(labels))
    return x.astype("float32")


def _forms(secret: bytes) -> list[bytes]:
    middle = [base64.b64encode(secret[shift:])[4:-4] for shift in range(3)]
    return [secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode(), *middle]


def lines(data: bytes, word: str, name: str, token: str) -> list[str]:
    """What an attack said after this word."""
    pattern = re.escape(f"{word}-{name}-{token}".encode()) + rb" ?([^\n\"\\]*)"
    return [found.decode("utf-8", "replace") for found in re.findall(pattern, data)]
