import threading
import time

import pytest

from grader.batch import Room, as_they_finish, sensible_jobs


def test_results_come_as_they_finish_and_no_more_run_than_were_asked_for():
    running, most, lock = 0, 0, threading.Lock()

    def work(seconds):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(seconds)
        with lock:
            running -= 1
        return -seconds

    items = [0.5, 0.01, 0.02, 0.03]
    found = list(as_they_finish(items, work, jobs=2))
    assert sorted(found) == sorted((item, -item) for item in items)
    assert found[-1][0] == 0.5
    assert most == 2


def test_items_are_begun_in_order_and_read_when_needed():
    begun, read = [], []

    def items():
        for number in range(100):
            read.append(number)
            yield number

    results = as_they_finish(items(), begun.append, jobs=1)
    next(results)
    results.close()
    assert begun == sorted(begun)
    assert len(read) < 10


def test_a_failure_reaches_the_caller_and_nothing_more_is_begun():
    begun = []

    def work(number):
        begun.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        list(as_they_finish(range(100), work, jobs=1))
    assert len(begun) < 5


def test_a_run_that_does_not_fit_waits_for_room():
    room = Room(10)
    order = []
    inside, leave = threading.Event(), threading.Event()

    def first():
        with room.of(8):
            inside.set()
            leave.wait(5)
            order.append("first leaves")

    def second():
        with room.of(8):
            order.append("second enters")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    inside.wait(5)
    threads[1].start()
    time.sleep(0.1)
    assert order == []
    leave.set()
    for thread in threads:
        thread.join(5)
    assert order == ["first leaves", "second enters"]


def test_alone_even_the_largest_may_run():
    with Room(1).of(1 << 60):
        pass


def test_jobs_are_at_least_one_and_at_most_what_memory_holds():
    assert sensible_jobs(1 << 60) == 1
    assert sensible_jobs(1) >= 1
