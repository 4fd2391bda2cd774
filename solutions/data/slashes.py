"""Make `slashes.npz`: grey images of / and \\ that no student has seen, brighter and darker.

    python solutions/data/slashes.py

Each image is 3 × 3 pixels of 0 to 9 with one channel. The three pixels of a stroke have a
brightness of their own each, 4 to 9, and every choice of the three occurs once in each direction.
There is no training part: students draw their own four images.
"""

from itertools import product
from pathlib import Path

import numpy as np

strokes = np.array(list(product(range(4, 10), repeat=3)), dtype="uint8")
steps = np.arange(3)
slash = np.zeros((len(strokes), 3, 3, 1), dtype="uint8")
slash[:, steps, 2 - steps, 0] = strokes
backslash = np.zeros_like(slash)
backslash[:, steps, steps, 0] = strokes

np.savez_compressed(
    Path(__file__).parents[2] / "assignments" / "slashes" / "slashes.npz",
    x_test=np.concatenate([slash, backslash]),
    y_test=np.repeat(np.array([0, 1], dtype="uint8"), len(strokes)),
)
