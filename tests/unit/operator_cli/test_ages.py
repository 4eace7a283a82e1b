"""The ages that commands understand."""

import re

import pytest
import typer

from operator_cli.ages import age_in_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("1s", 1000), ("90m", 5_400_000), ("12h", 43_200_000), ("7d", 604_800_000), (" 2w ", 1_209_600_000)],
)
def test_an_age_is_a_number_and_a_unit(text, milliseconds):
    assert age_in_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "1.5d", "7 d", "7y", "1d2h", "1234567d", "٣d"])
def test_anything_else_is_no_age(text):
    with pytest.raises(typer.BadParameter, match=f"such as 7d, and not {re.escape(repr(text))}$"):
        age_in_ms(text)


def test_an_age_has_a_hundred_years_at_most():
    assert age_in_ms("36500d") == 36_500 * 86_400_000
    with pytest.raises(typer.BadParameter, match=r"36500 days at most, and not '36501d'$"):
        age_in_ms("36501d")
