import pytest

from local_aws.chaos.accounts import Accounts, _of_rows


def accounts(**parts):
    right = {
        "changes": 5,
        "loaded": 3,
        "rejected": 2,
        "open": 0,
        "missing": 0,
        "unknown": 0,
        "lines": 7,
        "ledger_rows": 7,
        "unloaded_objects": 0,
    }
    return Accounts(**{**right, **parts})


def test_accounts_hold_when_every_change_is_loaded_or_rejected():
    assert accounts().holds


@pytest.mark.parametrize(
    "wrong",
    [
        {"loaded": 2, "missing": 1},
        {"loaded": 2, "open": 1},
        {"unknown": 1},
        {"unloaded_objects": 1},
        {"changes": 6},
        {"ledger_rows": 8},
        {"miscounted": ("s3://b/a: 2 rows in it, 3 in the ledger", "s3://b/b: 3 rows in it, 2 in the ledger")},
    ],
)
def test_accounts_do_not_hold_when_anything_is_left_over(wrong):
    assert not accounts(**wrong).holds


def test_the_versions_of_an_object_are_read_off_its_lines():
    content = rb'ab,U,17,1000,"a,b\n",1' + b"\n" + rb"ab,D,18,\N,x,\N" + b"\n"

    assert list(_of_rows(content)) == [17, 18]
    assert list(_of_rows(b"")) == []
