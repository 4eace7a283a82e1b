import pytest

from ddb2aurora.sql import quote_name, tombstones_table


@pytest.mark.parametrize(
    ("parts", "quoted"),
    [
        (("Demo",), "`Demo`"),
        (("Demo", "WebAnalytics", "hits"), "`Demo`.`WebAnalytics`.`hits`"),
        (("a`; DROP TABLE x; -- -",), "`a``; DROP TABLE x; -- -`"),
        (("a`b``c",), "`a``b````c`"),
        ((" leading",), "` leading`"),
        (("é%s\\'\"",), "`é%s\\'\"`"),
        (("n" * 64,), "`" + "n" * 64 + "`"),
    ],
)
def test_names_are_quoted_part_by_part(parts, quoted):
    assert quote_name(*parts) == quoted


@pytest.mark.parametrize("name", ["", "n" * 65, "a\0b", "trailing ", "trailing\n", "😀", "\ud800"])
def test_what_mysql_takes_for_no_name_is_refused(name):
    with pytest.raises(ValueError, match="no name that MySQL accepts"):
        quote_name("Demo", name)


def test_the_tombstones_of_a_table_lie_beside_it():
    assert tombstones_table("WebAnalytics") == "WebAnalytics__tombstones"
