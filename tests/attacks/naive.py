"""The grader that is written in an afternoon: one process, with everything in reach.

``python naive.py HIDDEN_TESTS WORK...`` runs each work, then says a score. It is what the attacks
are tried on first: one that does not succeed here proves nothing where it fails.
"""

import os
import sys

sys.path.insert(0, os.getcwd())

import json
import runpy
import traceback

tests = open(sys.argv[1])  # noqa: SIM115 - left open, as such graders do
hidden = tests.read()
for work in sys.argv[2:]:
    try:
        runpy.run_path(work)
    except BaseException:
        traceback.print_exc()
score = 0
if os.path.exists("results.json"):
    with open("results.json") as file:
        score = json.load(file)["score"]
print("SCORE:", score, flush=True)
