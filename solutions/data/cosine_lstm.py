"""Make `cosine_lstm.npz`: windows of a cosine that no student has seen, and the value after each.

    python solutions/data/cosine_lstm.py

It is the exercise's cosine much later, and read between the points that the exercise reads. There
is no training part: students make their own series and cut their own windows.
"""

from pathlib import Path

import numpy as np

WIDTH = 20
STEPS = 320
LATER = 5000.37

series = np.cos((np.arange(STEPS) + LATER) * 20 * np.pi / 1000).astype("float32")
np.savez_compressed(
    Path(__file__).parents[2] / "assignments" / "cosine_lstm" / "cosine_lstm.npz",
    x_test=np.lib.stride_tricks.sliding_window_view(series, WIDTH)[:-1, :, None],
    y_test=series[WIDTH:],
)
