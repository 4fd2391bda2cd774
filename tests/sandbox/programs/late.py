"""A worker with an import that may wait."""

import colorsys
import json
import os
import sys
import time


def waits():
    return type(sys.modules["colorsys"]).__name__ == "_LazyModule"


PUT_OFF = waits()


def main(task):
    answer = {"put_off": PUT_OFF, "waits": waits()}
    if task["do"] == "use":
        answer["value"] = colorsys.hsv_to_rgb(0, 0, 1)
    os.write(3, json.dumps(answer).encode() + b"\n")
    if task["do"] == "stay":
        time.sleep(9)
