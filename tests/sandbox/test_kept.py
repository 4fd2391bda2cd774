import pytest

from grader.sandbox.kept import Kept


def test_what_fits_is_kept_whole():
    kept = Kept(10)
    for chunk in (b"0123", b"456", b"789"):
        kept.add(chunk)

    assert kept.text() == "0123456789"


@pytest.mark.parametrize("chunk", [1, 3, 100, 5000])
def test_of_more_the_beginning_and_the_end_are_kept(chunk):
    stream = bytes(range(65, 91)) * 200
    kept = Kept(10)
    for start in range(0, len(stream), chunk):
        kept.add(stream[start : start + chunk])

    assert kept.text() == "ABCDE\n… 5190 bytes left out …\nVWXYZ"


def test_a_flood_is_fifty_times_what_is_kept():
    kept = Kept(10)
    kept.add(b"x" * 500)

    assert not kept.is_flood
    kept.add(b"x")
    assert kept.is_flood


def test_bytes_that_are_no_text_are_replaced():
    kept = Kept(10)
    kept.add(b"a\xff\x00b")

    assert kept.text() == "a\ufffd\x00b"


def test_nothing_kept_is_no_error():
    kept = Kept(0)
    kept.add(b"abc")

    assert kept.text() == "\n… 3 bytes left out …\n"
