"""matplotlib's list of fonts is made once, and every run finds it in its home."""

import json
import time

import pytest

from grader.sandbox import fonts


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    """A cache of the test's own, in which nothing is yet."""
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))
    fonts.font_list.cache_clear()
    yield tmp_path
    fonts.font_list.cache_clear()


def _made(cache, seconds=60):
    """Wait for the list, then ask as the next call of the grader will."""
    fonts.font_list()
    for _ in range(seconds * 20):
        if [*cache.glob("fonts/[!.]*/fontlist-*.json")]:  # not where it is being made
            fonts.font_list.cache_clear()
            return fonts.font_list()
        time.sleep(0.05)
    raise AssertionError("no list was made")


def test_whoever_asks_first_goes_without_and_the_next_call_has_it(own_cache):
    assert fonts.font_list() is None
    name, content = _made(own_cache)
    assert name.startswith("fontlist-")
    assert json.loads(content)["ttflist"]
    left = [path.name for path in (own_cache / "fonts").iterdir() if path.name.startswith(".")]
    assert left == [], "what it was made in is gone"


def test_where_nothing_can_be_kept_runs_go_without(own_cache):
    (own_cache / "fonts").write_text("a file where a folder should be")
    fonts._make(own_cache / "fonts" / "key")
    assert not (own_cache / "fonts" / "key").exists()


@pytest.mark.sandbox
def test_a_run_draws_with_the_list_it_was_given(rig, own_cache):
    name, _ = _made(own_cache)
    told = rig.do("draw")
    assert told.outcome.exit_code == 0, told.outcome
    before, after = told.answers[0]
    assert [each for each, _ in before] == [name]
    assert after == before, "nothing was made anew"
