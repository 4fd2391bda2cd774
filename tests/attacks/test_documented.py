"""What the security model says of attacks and defences is what there is."""

import re
from pathlib import Path

import pytest
from corpus import ATTACKS
from without import DEFENCES

TEXT = (Path(__file__).parents[2] / "docs" / "security-model.md").read_text("utf-8")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_stands_where_it_succeeds_or_where_it_is_said_why_not(attack):
    rows = [line for line in TEXT.splitlines() if f"`{attack.name}`" in line]

    assert len(rows) == 1
    assert attack.control or attack.why in rows[0]


def test_every_defence_that_can_be_removed_has_its_row():
    rows = re.findall(r"^\| (.+?) \| .* \|$", TEXT.partition("| without |")[2], re.MULTILINE)

    assert rows == [defence.name for defence in DEFENCES]


def test_a_defence_that_nothing_notices_is_explained():
    unnoticed = re.findall(r"^\| (.+?) \| .*\*\*none\*\*.*\|$", TEXT, re.MULTILINE)
    explained = TEXT.partition("Nothing turned red for")[2].partition("## Report a hole")[0]

    assert unnoticed
    assert all(f"*{name}*" in explained for name in unnoticed), unnoticed
