import subprocess
import sys
import time

AGE = "from grader.report.progress import _age; import time; time.sleep(0.5); print(_age())"


def test_the_time_of_a_call_counts_from_its_very_beginning():
    for _ in range(3):
        began = time.monotonic()
        told = float(subprocess.check_output([sys.executable, "-c", AGE]))
        assert 0.5 < told <= time.monotonic() - began + 0.02  # ticks of 10 ms
