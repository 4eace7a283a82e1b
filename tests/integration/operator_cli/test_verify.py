"""`ddb2aurora verify` against the emulator's DynamoDB and a database, as a user runs it."""
# ruff: noqa: S608 - tests name their own tables

import json
import signal
from decimal import Decimal

import pytest
from loader_fixtures import a_column, a_delete, a_pipeline, a_soft_delete
from verify_fixtures import a_pair_of_keys

from operator_cli.handler import CommandFailedError, run_command
from operator_cli.named_locks import alone
from operator_cli.verifying.mending import REPAIR

_ITEMS = [{"id": f"hash {number % 3}", "no": number, "name": f"name {number}"} for number in range(12)]


def kinds_of(output):
    return {(found["kind"], tuple(found["key"].values()), tuple(found["columns"])) for found in output["findings"]}


def damage(pair):
    """Delete one row, change one, add one; return what verify is to say of them."""
    table = pair.target.name()
    ids = dict(pair.target.rows("no, id"))
    pair.target.query(f"DELETE FROM {table} WHERE no = 4")
    pair.target.query(f"UPDATE {table} SET name = 'NAME 5' WHERE no = 5")
    pair.target.query(f"INSERT INTO {table} (id, no, name) VALUES ('nobody', -1, 'x')")
    return {
        ("missing", (ids[4], "4"), ()),
        ("different", (ids[5], "5"), ("name",)),
        ("extra", ("nobody", "-1"), ()),
    }


def test_sides_that_agree_are_status_0(pair):
    pair.carry(*_ITEMS)

    status, output = pair.verify()

    assert (status, output["items"], output["equal_items"], output["found"]) == (0, 12, 12, {})


def test_exactly_what_was_damaged_by_hand_is_found_and_status_1(pair):
    pair.carry(*_ITEMS)
    damaged = damage(pair)

    status, output = pair.verify("--show-keys")

    assert (status, kinds_of(output)) == (1, damaged)
    assert output["found"] == {"different": {"confirmed": 1}, "extra": {"confirmed": 1}, "missing": {"confirmed": 1}}


def test_as_a_function_it_logs_and_raises_no_key_even_if_keys_are_asked_for(pair, monkeypatch, caplog):
    pair.put({"id": "secret-id", "no": 1, "name": "secret-value"})
    for name, value in pair.environment.items():
        monkeypatch.setenv(name, value)

    with caplog.at_level("INFO"), pytest.raises(CommandFailedError) as caught:
        run_command({"command": "verify", "options": {"settle": "1s", "show_keys": True}})

    told = json.loads(str(caught.value).partition("status 1: ")[2])
    assert [sorted(found) for found in told["findings"]] == [["columns", "key_hash", "kind", "note", "state"]]
    assert "secret" not in str(caught.value) + "".join(str(record.__dict__) for record in caplog.records)


def test_exactly_what_was_damaged_is_mended_and_nothing_else_is_touched(pair):
    pair.carry(*_ITEMS)
    before = pair.target.rows("id, no, name, _version, _changed_at_ms")
    damage(pair)

    status, output = pair.verify("--repair")
    after = pair.target.rows("id, no, name, _version, _changed_at_ms")

    assert (status, output["found"]) == (
        0,
        {"different": {"repaired": 1}, "extra": {"repaired": 1}, "missing": {"repaired": 1}},
    )
    # The row that was gone has the time at which its item was read, and a version below any change to come.
    assert [row for row in after if row[1] != 4] == [row for row in before if row[1] != 4]
    assert [row[:3] for row in after] == [row[:3] for row in before]
    assert pair.verify()[0] == 0


def test_keys_are_hashed_unless_they_are_asked_for(pair):
    pair.carry(*_ITEMS)
    damage(pair)

    ran = pair.run("verify", "--settle", "1s")

    assert (ran.returncode, "hash 1" in ran.stdout, "nobody" in ran.stdout) == (1, False, False)
    assert "different: 1 confirmed\nextra: 1 confirmed\nmissing: 1 confirmed\n" in ran.stdout
    assert ran.stdout.endswith("source and target differ\n")


def test_what_was_found_is_kept_in_a_table(pair):
    pair.carry(*_ITEMS)
    damage(pair)

    _, output = pair.verify()

    kept = pair.target.query(
        f"SELECT run_id, key_hash, kind, state FROM `{pair.target.database.name}`._ddb2aurora_verify ORDER BY key_hash"
    )
    told = [(output["run_id"], found["key_hash"], found["kind"], found["state"]) for found in output["findings"]]
    assert list(kept) == sorted(told, key=lambda row: row[1])


def test_an_item_that_can_never_load_is_counted_apart_with_its_reason(pair):
    pair.carry(*_ITEMS)
    pair.put({"id": "x", "no": 1, "name": "n" * 500}, {"id": "i" * 41, "no": 1})

    status, output = pair.verify()

    assert (status, output["unloadable"], output["found"], output["items"]) == (0, {"misfit": 2}, {}, 14)


def test_a_change_that_arrives_while_verify_waits_is_no_difference(pair):
    pair.carry(*_ITEMS)
    changed = {**_ITEMS[3], "name": "new"}
    pair.put(changed)

    process = pair.start("verify", "--settle", "4s", "--json")
    pair.await_phase("settling")
    # However long the load takes here, verify looks again after it.
    process.send_signal(signal.SIGSTOP)
    pair.carry(changed, version=2 * 10**60)
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert json.loads(output)["found"] == {"different": {"gone": 1}}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--settle", "soon"], "an age is a number and one of"),
        (["--segment", "3/2"], "a part is K/N, such as 2/8"),
        (["--segment", "1/2", "--sample", "0.5"], "--sample and --segment do not go together"),
        (["--sample", "0"], "a sample of nothing shows nothing"),
        (["--resume", "--sample", "0.5"], "--resume goes on with what was begun"),
        (["--resume"], "no run of verify for things is unfinished"),
    ],
)
def test_a_mistake_of_usage_is_status_2(pair, arguments, error):
    ran = pair.run("verify", *arguments)

    assert ran.returncode == 2
    assert error in ran.stderr


def test_an_event_log_is_refused_with_status_2(make_pair):
    ran = make_pair(a_pair_of_keys(mode="append")).run("verify")

    assert (ran.returncode, "writes an event log" in ran.stderr) == (2, True)


def test_more_differences_than_may_be_mended_are_left_alone_with_status_2(pair):
    pair.carry(*_ITEMS)
    damage(pair)
    before = pair.target.rows()

    ran = pair.run("verify", "--settle", "1s", "--repair", "--max-repairs", "2")

    assert (ran.returncode, pair.target.rows()) == (2, before)
    assert "3 rows of" in ran.stderr


def test_the_parts_of_a_table_find_together_what_the_whole_finds(pair):
    pair.carry(*_ITEMS)
    damaged = damage(pair)

    outputs = [pair.verify("--segment", f"{number}/3", "--segments", "2", "--show-keys")[1] for number in (1, 2, 3)]

    assert set.union(*map(kinds_of, outputs)) == damaged
    assert sum(output["items"] for output in outputs) == 12
    assert sum(len(output["findings"]) for output in outputs) == 3


def test_a_sample_compares_a_part(pair):
    # Items of one hash key lie in one segment. Those of so many are in more than the 8 of 16 that the sample draws.
    pair.carry(*({"id": f"hash {number}", "no": number, "name": "x"} for number in range(24)))

    status, output = pair.verify("--sample", "0.5", "--segments", "8")

    assert (status, output["whole_table"], 0 < output["items"] < 24) == (0, False, True)


def test_a_row_that_the_database_refuses_is_told_and_status_1(pair):
    pair.carry(*_ITEMS)
    pair.target.query(f"DELETE FROM {pair.target.name()} WHERE no = 4")
    pair.target.query(f"ALTER TABLE {pair.target.name()} ADD CONSTRAINT c CHECK (no <> 4)")

    status, output = pair.verify("--repair")

    assert (status, output["found"]) == (1, {"missing": {"refused": 1}})
    assert output["findings"][0]["note"].startswith("error ")


def large_items(count):
    return [{"id": "large", "no": number, "name": "x", "rest": "y" * 300_000} for number in range(count)]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_ended_goes_on_where_it_was(pair, by):
    pair.carry(*large_items(14))
    damaged = damage(pair)

    status, errors = pair.end_when_begun("verify", "--settle", "1s", "--segments", "1", "--read-units", "20", by=by)
    resumed, output = pair.verify("--resume", "--show-keys")

    assert status == (130 if by == signal.SIGINT else -signal.SIGKILL)
    assert by == signal.SIGKILL or "interrupted" in errors
    assert (resumed, kinds_of(output), output["items"]) == (1, damaged, 14)


def test_a_row_of_a_deleted_item_that_is_stamped_is_right(make_pair):
    pair = make_pair(a_pair_of_keys(mode="soft_delete"))
    pair.carry(*_ITEMS[:2])
    pair.dynamodb.delete_item(TableName=pair.table, Key={"id": {"S": "hash 0"}, "no": {"N": "0"}})
    pair.target.load(a_soft_delete(pair.pipeline, 2 * 10**60, "hash 0", "0"), key="processed/things/delete.csv")

    assert pair.verify()[0] == 0


def test_a_row_of_a_deleted_item_that_is_not_stamped_is_stamped(make_pair):
    pair = make_pair(a_pair_of_keys(mode="soft_delete"))
    pair.carry(*_ITEMS[:2])
    pair.dynamodb.delete_item(TableName=pair.table, Key={"id": {"S": "hash 0"}, "no": {"N": "0"}})

    status, output = pair.verify("--repair")

    assert (status, output["found"]) == (0, {"extra": {"repaired": 1}})
    assert pair.target.rows("no, _deleted_at IS NULL") == ((0, 0), (1, 1))


def test_a_stamp_on_the_row_of_a_living_item_is_taken_away(make_pair):
    pair = make_pair(a_pair_of_keys(mode="soft_delete"))
    pair.carry(*_ITEMS[:2])
    pair.target.query(f"UPDATE {pair.target.name()} SET _deleted_at = '2026-01-01' WHERE no = 0")

    status, output = pair.verify("--repair")

    assert (status, output["found"], output["findings"][0]["columns"]) == (
        0,
        {"different": {"repaired": 1}},
        ["_deleted_at"],
    )
    assert pair.target.rows("no, _deleted_at") == ((0, None), (1, None))


def test_rows_that_are_kept_when_items_expire_are_counted_and_left_alone(make_pair):
    pair = make_pair(a_pair_of_keys(on_ttl_delete="keep"))
    pair.carry(*_ITEMS)
    pair.dynamodb.delete_item(TableName=pair.table, Key={"id": {"S": "hash 0"}, "no": {"N": "0"}})

    status, output = pair.verify("--repair")

    assert (status, output["kept_after_expiry"], output["found"]) == (0, 1, {})
    assert len(pair.target.rows()) == 12


def test_a_mended_extra_row_does_not_come_back_by_an_older_change(pair):
    pair.carry(*_ITEMS)
    pair.dynamodb.delete_item(TableName=pair.table, Key={"id": {"S": "hash 0"}, "no": {"N": "0"}})

    assert pair.verify("--repair")[1]["found"] == {"extra": {"repaired": 1}}
    pair.target.load(a_delete(pair.pipeline, 1, "hash 0", "0"), key="processed/things/d.csv")
    replayed = {**_ITEMS[0], "name": "old"}
    pair.carry(replayed, version=10**59)
    pair.dynamodb.delete_item(TableName=pair.table, Key={"id": {"S": "hash 0"}, "no": {"N": "0"}})

    assert pair.verify()[0] == 0


def test_a_row_with_every_type_of_column_is_put_back_as_it_was(make_pair):
    values = {
        "whole": ("bigint unsigned", 2**63),
        "exact": ("decimal(38,10)", Decimal("1234567890.0123456789")),
        "inexact": ("double", Decimal("-1.5E+100")),
        "yes": ("boolean", True),
        "long_text": ("mediumtext", "a 'quote', a \\ and \N{DUCK} 100%s\n"),
        "raw": ("varbinary(20)", b"\x00\xff'"),
        "more_raw": ("blob", b"\x1a"),
        "document": ("json", {"b": [1, Decimal("1.5"), None, True], "a": {"ü": "x"}}),
        "moment": ("datetime(3)", "2026-01-05T10:00:00.12Z"),
        "day": ("date", "2026-01-05"),
        "nothing": ("int", None),
    }
    columns = [a_column(name, type_) for name, (type_, _) in values.items()]
    pair = make_pair(a_pipeline(a_column("id", "varchar(40)"), *columns))
    pair.put({"id": "a%s", **{name: value for name, (_, value) in values.items()}})

    status, output = pair.verify("--repair")
    pair.target.query(f"UPDATE {pair.target.name()} SET " + ", ".join(f"`{name}` = NULL" for name in values))
    again, different = pair.verify("--repair")

    assert (status, output["found"]) == (0, {"missing": {"repaired": 1}})
    assert (again, different["found"]) == (0, {"different": {"repaired": 1}})
    assert set(different["findings"][0]["columns"]) == values.keys() - {"nothing"}


def test_two_repairs_of_one_table_do_not_run_at_once(pair):
    pair.carry(*_ITEMS)
    damage(pair)
    connection, _ = pair.target.connect()

    with alone(connection, REPAIR, target=f"{pair.target.database.name}.Things"):
        ran = pair.run("verify", "--settle", "1s", "--repair")
    resumed, output = pair.verify("--repair", "--resume")

    assert (ran.returncode, "is being repaired by somebody else" in ran.stderr) == (1, True)
    assert (resumed, sum(by_state["repaired"] for by_state in output["found"].values())) == (0, 3)


def test_where_the_stream_cannot_be_described_rows_are_put_back_below_every_change(pair):
    pair.carry(*_ITEMS)
    pair.target.query(f"DELETE FROM {pair.target.name()} WHERE no = 4")

    environment = {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://127.0.0.1:1"}
    ran = pair.run("verify", "--settle", "1s", "--repair", **environment)

    assert ran.returncode == 0
    assert pair.target.query(f"SELECT _version FROM {pair.target.name()} WHERE no = 4") == ((0,),)
