"""The attacks where somebody else grades: root with users alone, and an ordinary user."""

import re
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]

ATTACKS = Path(__file__).with_name("test_attacks.py")
FEWEST = 120
"""Tests of one rung: three for each attack, and some for all together."""


def attacked_on(rungs, folder):
    return (
        *(sys.executable, "-m", "pytest", ATTACKS, "-q", "--tb=short", "-k", f"({rungs})"),
        *("-p", "no:cacheprovider", "--basetemp", folder),
    )


def passed(ran):
    """How many tests have passed, of which none has failed; a missing rung skips them."""
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    return int(re.search(r"(\d+) passed", ran.stdout)[1])


def test_no_attack_holds_on_the_rung_of_users(as_root, home):
    home.chmod(0o755)
    ran = as_root(*attacked_on("uid and not (namespaces or landlock)", home / "tests"), timeout=900)

    assert passed(ran) >= FEWEST, ran.stdout[-6000:]


def test_no_attack_holds_when_an_ordinary_user_grades(as_ordinary_user, home):
    ran = as_ordinary_user(
        *attacked_on("namespaces or landlock", home / "tests"), home=home, timeout=900
    )

    assert passed(ran) >= 2 * FEWEST, ran.stdout[-6000:]
