"""A changed pipeline file: what is safe is done online, and what is not is shown and left alone."""
# ruff: noqa: S608 - tests name their own tables

import threading

import msgspec
import pymysql
import pytest
from loader_fixtures import a_column, a_pipeline, an_upsert

from ddb2aurora.database.differences import Mend
from ddb2aurora.database.errors import DatabaseHaltError, DatabaseRetryError
from ddb2aurora.database.migrate import (
    NotOnlineError,
    TableBusyError,
    TableMismatchError,
    check_tables,
    compare,
    migrate,
)

ID, NAME = a_column("id", "varchar(40)"), a_column("name", "varchar(40)")


def changed(pipeline, *columns, **parts):
    return msgspec.structs.replace(pipeline, columns=columns or pipeline.columns, **parts)


def run(target, pipeline, **options):
    where = {"server": target.server, "database": target.database.name}
    return migrate(target.connection, pipeline, **where, **options)


def plan(target, pipeline):
    return compare(target.connection, pipeline, server=target.server, database=target.database.name)


def columns(target, suffix=""):
    rows = target.query(f"SHOW FULL COLUMNS FROM {target.name(suffix)}")
    return {row[0]: (row[1], "NULL" if row[3] == "YES" else "NOT NULL") for row in rows}


def shapes(target):
    return target.query(f"SELECT generation, shape FROM `{target.database.name}`._ddb2aurora_shapes ORDER BY 1")


def test_columns_are_added_in_their_places_at_once(target):
    target.load(an_upsert(target.pipeline, 1, "a", "Ada"))
    new = changed(target.pipeline, a_column("first", "json"), ID, a_column("n", "int"), NAME, a_column("last", "text"))

    found = run(target, new)

    table = target.name()
    assert found.done == (
        f"Things.first is missing: ALTER TABLE {table} ADD COLUMN `first` json NULL FIRST, ALGORITHM=INSTANT",
        f"Things.n is missing: ALTER TABLE {table} ADD COLUMN `n` int NULL AFTER `id`, ALGORITHM=INSTANT",
        f"Things.last is missing: ALTER TABLE {table} ADD COLUMN `last` text NULL AFTER `name`, ALGORITHM=INSTANT",
        f"noted the columns of things as generation 2 ({new.shape})",
    )
    assert target.rows() == ((None, "a", None, "Ada", None),)
    assert plan(target, new).differences == ()


def test_both_versions_of_the_loader_load_while_a_file_is_rolled_out(target):
    old = target.pipeline
    wider = a_column("name", "varchar(50)")
    must = a_column("must", "int", nullable=False)
    first = changed(old, ID, NAME, must)
    target.query(f"ALTER TABLE {target.name()} ADD COLUMN must int NOT NULL")
    run(target, first)
    second = changed(old, a_column("id", "varchar(60)"), wider, a_column("must", "int"), a_column("n", "int"))

    run(target, second)

    where = {"server": target.server, "database": target.database.name}
    check_tables(target.connection, first, **where)
    check_tables(target.connection, second, **where)
    assert columns(target) == {
        "id": ("varchar(60)", "NOT NULL"),
        "name": ("varchar(50)", "NULL"),
        "must": (columns(target)["must"][0], "NULL"),
        "n": (columns(target)["n"][0], "NULL"),
        "_version": ("decimal(65,0)", "NOT NULL"),
        "_changed_at_ms": (columns(target)["_changed_at_ms"][0], "NULL"),
    }
    assert columns(target, "__tombstones")["id"] == ("varchar(60)", "NOT NULL")


def test_what_the_user_said_of_a_column_stays_when_it_is_changed(target):
    target.query(
        f"ALTER TABLE {target.name()} MODIFY name varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci "
        "NOT NULL DEFAULT 'it''s NOT NULL' COMMENT 'varchar(20) NOT NULL'"
    )

    found = run(target, target.pipeline)

    (row,) = target.query(f"SHOW FULL COLUMNS FROM {target.name()} LIKE 'name'")
    assert len(found.done) == 1
    assert (row[1], row[2], row[3], row[5], row[8]) == (
        "varchar(40)",
        "utf8mb4_unicode_ci",
        "YES",
        row[5],
        "varchar(20) NOT NULL",
    )
    assert row[5].replace("''", "'").strip("'") == "it's NOT NULL"


@pytest.mark.parametrize(
    ("before", "after", "mend"),
    [
        ("varchar(40)", "varchar(63)", Mend.ONLINE),
        ("varchar(63)", "varchar(64)", Mend.COPY),
        ("varchar(64)", "varchar(900)", Mend.ONLINE),
        ("varbinary(20)", "varbinary(255)", Mend.ONLINE),
        ("varbinary(255)", "varbinary(256)", Mend.COPY),
        ("int", "bigint", Mend.COPY),
        ("int unsigned", "bigint", Mend.COPY),
        ("decimal(10,2)", "decimal(12,2)", Mend.COPY),
        ("text", "mediumtext", Mend.COPY),
        ("datetime", "datetime(3)", Mend.COPY),
        ("bigint", "int", Mend.LEFT),
        ("int", "bigint unsigned", Mend.PERSON),
        ("decimal(10,2)", "decimal(10,3)", Mend.PERSON),
        ("varchar(50)", "varchar(40)", Mend.LEFT),
        ("varchar(40)", "text", Mend.PERSON),
        ("int", "varchar(40)", Mend.PERSON),
    ],
)
def test_a_type_is_changed_online_only_where_the_server_does_it_in_place(make_target, before, after, mend):
    target = make_target(a_pipeline(ID, a_column("v", before)))
    new = changed(target.pipeline, ID, a_column("v", after))

    (found,) = plan(target, new).differences
    before_it = columns(target)
    if mend is Mend.ONLINE:
        run(target, new)
    elif found.blocks:
        with pytest.raises(TableMismatchError):
            run(target, new)
        assert columns(target) == before_it

    assert found.mend is mend
    assert (plan(target, new).differences == ()) is (mend is Mend.ONLINE)
    assert found.blocks is (mend is not Mend.LEFT)


@pytest.mark.parametrize(
    ("before", "after"), [("varchar(63)", "varchar(64)"), ("int", "bigint"), ("decimal(10,2)", "decimal(12,2)")]
)
def test_what_needs_a_copy_of_the_table_is_done_when_that_is_allowed(make_target, before, after):
    target = make_target(a_pipeline(ID, a_column("v", before)))
    target.load(an_upsert(target.pipeline, 1, "a", "7"))
    new = changed(target.pipeline, ID, a_column("v", after))

    found = run(target, new, allow_copy=True)

    assert found.done[0].endswith("ALGORITHM=COPY, LOCK=SHARED")
    assert plan(target, new).differences == ()
    assert [str(value) for _, value in target.rows()] == ["7" if "decimal" not in before else "7.00"]


def test_nothing_at_all_is_done_when_a_difference_needs_a_person(target):
    new = changed(target.pipeline, a_column("n", "int"), ID, a_column("name", "int"))
    before = columns(target)

    with pytest.raises(TableMismatchError) as failure:
        run(target, new)

    assert str(failure.value) == (
        f"{target.database.name} does not match pipeline things:\n  Things.name: is varchar(40) instead of int; "
        f"ALTER TABLE {target.name()} MODIFY COLUMN `name` int NULL"
    )
    assert columns(target) == before
    assert shapes(target) == ((1, target.pipeline.shape),)


def test_a_table_that_holds_more_than_the_file_asks_for_may_stay_so(target):
    new = changed(target.pipeline, a_column("n", "int"), ID, a_column("name", "varchar(30)", nullable=False))

    found = run(target, new)

    narrower = f"ALTER TABLE {target.name()} MODIFY COLUMN `name` varchar(30) NOT NULL"
    assert [line.split(" ", 1)[0] for line in found.done] == ["Things.n", "noted"]
    assert [(one.place, one.text, one.statement) for one in found.plan.left_over] == [
        ("Things.name", "is varchar(40) instead of varchar(30)", narrower),
        ("Things.name", "allows NULL", narrower),
    ]
    check_tables(target.connection, new, server=target.server, database=target.database.name)


def test_a_column_that_forbids_null_is_not_added_with_values_that_the_server_makes_up(target):
    target.load(an_upsert(target.pipeline, 1, "a", "Ada"))
    new = changed(target.pipeline, ID, NAME, a_column("must", "int", nullable=False))

    with pytest.raises(
        TableMismatchError, match=r"Things\.must: is missing; ALTER TABLE .* ADD COLUMN `must` int NOT NULL"
    ):
        run(target, new)

    assert "must" not in columns(target)


def test_a_column_that_left_the_file_stays_and_no_longer_has_to_be_given(make_target):
    target = make_target(a_pipeline(ID, NAME, a_column("must", "varchar(9)", nullable=False)))
    target.load(an_upsert(target.pipeline, 1, "a", "Ada", "old"))
    new = changed(target.pipeline, ID, NAME)

    done = run(target, new).done
    again = run(target, new)
    target.pipeline = new
    target.make_loader().load(target.put(an_upsert(new, 2, "b", "Bob"), key="b.csv"), time=target.time)

    assert done[0].startswith("Things.must is NOT NULL and no longer in the pipeline file: ALTER TABLE ")
    assert target.rows() == (("a", "Ada", "old"), ("b", "Bob", None))
    assert again.done == ()
    assert [(one.place, one.mend, one.statement) for one in again.plan.differences] == [
        ("Things.must", Mend.LEFT, f"ALTER TABLE {target.name()} DROP COLUMN `must`")
    ]
    assert again.plan.to_decide(allow_copy=False) == ()


def test_a_plan_changes_nothing(target):
    new = changed(target.pipeline, a_column("n", "int"), ID, NAME)
    before = columns(target), shapes(target)

    found = plan(target, new)

    assert [one.mend for one in found.differences] == [Mend.ONLINE]
    assert found.notes_shape
    assert (columns(target), shapes(target)) == before


def test_a_change_that_broke_off_is_finished_by_the_next_run(target):
    new = changed(target.pipeline, a_column("a", "int"), ID, NAME, a_column("b", "int"), a_column("c", "int"))
    connection = target.connect()[0]
    run_statement = connection.run

    def breaking(statement, *rest):
        if "ADD COLUMN `c`" in statement:
            connection._force_close()
            raise pymysql.err.OperationalError(2013, "lost")
        return run_statement(statement, *rest)

    connection.run = breaking

    with pytest.raises(Exception, match="error 2013"):
        migrate(connection, new, server=target.server, database=target.database.name)
    found = run(target, new)

    assert [line.split(" ", 1)[0] for line in found.done] == ["Things.c", "noted"]
    assert plan(target, new).differences == ()


def test_a_long_transaction_does_not_make_loads_wait_for_the_change(target):
    pipeline = target.pipeline
    target.load(an_upsert(pipeline, 1, "a", "Ada"))
    reader, _ = target.connect()
    reader.run("START TRANSACTION")
    reader.rows(f"SELECT * FROM {target.name()}")
    loaded = []

    def loads_meanwhile(_seconds):
        # Nobody waits for the ALTER while it pauses, and the reader still reads.
        key = f"{len(loaded)}.csv"
        loaded.append(target.load(an_upsert(pipeline, 2 + len(loaded), "b", "Bob"), key=key))
        if len(loaded) == 2:
            reader.run("ROLLBACK")

    found = run(target, changed(pipeline, ID, NAME, a_column("n", "int")), pause=loads_meanwhile)

    assert [outcome.applied for outcome in loaded] == [1, 1]
    assert found.done[0].startswith("Things.n is missing: ALTER TABLE ")


def test_a_table_that_stays_in_use_is_named_and_left_as_it_is(target):
    connection, _ = target.connect()
    run_statement, pauses = connection.run, []

    def busy(statement, *rest):
        if statement.startswith("ALTER"):
            raise pymysql.err.OperationalError(1205, "Lock wait timeout exceeded")
        return run_statement(statement, *rest)

    connection.run = busy
    new = changed(target.pipeline, ID, NAME, a_column("n", "int"))

    with pytest.raises(TableBusyError, match=r"was in use each time it was to be changed"):
        migrate(connection, new, server=target.server, database=target.database.name, pause=pauses.append)

    assert "n" not in columns(target)
    assert pauses == [2.0] * 9


def test_loads_go_on_while_a_table_is_changed_in_place(make_target):
    target = make_target(a_pipeline(ID, a_column("name", "varchar(40)", nullable=False)))
    pipeline = target.pipeline
    target.load(*(an_upsert(pipeline, number, f"k{number}", "x" * 40) for number in range(20_000)))
    stop, failures, loaded = threading.Event(), [], []
    connection, _ = target.connect()

    def write():
        while not stop.is_set():
            try:
                connection.run(f"UPDATE {target.name()} SET name = 'written' WHERE id = 'k{len(loaded)}'")
                loaded.append(len(loaded))
            except pymysql.err.Error as error:
                failures.append(error)
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        run(target, changed(pipeline, ID, a_column("name", "varchar(40)")))
    finally:
        stop.set()
        writer.join()

    assert failures == []
    assert target.query(f"SELECT COUNT(*) FROM {target.name()} WHERE name = 'written'") == ((len(loaded),),)


def test_two_migrations_at_the_same_time_do_the_work_once(target):
    new = changed(target.pipeline, *(a_column(f"c{number}", "int") for number in range(5)), ID, NAME)
    connections = [target.connect()[0] for _ in range(2)]
    done = []

    def work(connection):
        done.append(migrate(connection, new, server=target.server, database=target.database.name).done)

    threads = [threading.Thread(target=work, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(len, done)) == [0, 6]
    assert shapes(target) == ((1, target.pipeline.shape), (2, new.shape))


def test_a_file_that_returns_is_a_generation_of_its_own(target):
    old, new = target.pipeline, changed(target.pipeline, ID, NAME, a_column("n", "int"))

    run(target, new)
    run(target, old)

    assert shapes(target) == ((1, old.shape), (2, new.shape), (3, old.shape))


def refusing(target, number):
    """Return a connection whose server does no ALTER in place."""
    connection, _ = target.connect()
    run_statement = connection.run

    def refuse(statement, *rest):
        if statement.startswith("ALTER") and "ALGORITHM=COPY" not in statement:
            raise pymysql.err.NotSupportedError(number, "ALGORITHM is not supported")
        return run_statement(statement, *rest)

    connection.run = refuse
    return connection


@pytest.mark.parametrize("number", [1845, 1846, 4092])
def test_a_server_that_adds_no_column_in_use_does_so_when_a_copy_is_allowed(target, number):
    new = changed(target.pipeline, ID, NAME, a_column("n", "int"))
    where = {"server": target.server, "database": target.database.name}
    connection = refusing(target, number)

    with pytest.raises(NotOnlineError, match=r"run ddb2aurora migrate --allow-copy when loads may wait"):
        migrate(connection, new, **where)
    done = migrate(connection, new, **where, allow_copy=True).done

    assert done[0].endswith("ADD COLUMN `n` int NULL AFTER `name`, ALGORITHM=COPY, LOCK=SHARED")
    assert plan(target, new).differences == ()


def test_another_error_of_a_change_ends_the_run_and_names_the_database(target):
    connection = refusing(target, 1118)

    with pytest.raises(DatabaseHaltError, match=rf"migrating failed on {target.database.name}: error 1118"):
        migrate(
            connection,
            changed(target.pipeline, ID, NAME, a_column("n", "int")),
            server=target.server,
            database=target.database.name,
        )


def test_a_migration_that_finds_another_at_work_for_too_long_gives_up(target):
    connection, _ = target.connect()
    read = connection.rows
    connection.rows = lambda statement, *rest: ((0,),) if "GET_LOCK" in statement else read(statement, *rest)

    with pytest.raises(TableBusyError, match=r"another ddb2aurora migrate works on"):
        migrate(connection, target.pipeline, server=target.server, database=target.database.name)


def test_a_plan_that_cannot_be_made_says_where(target):
    target.connection.close()

    with pytest.raises(DatabaseRetryError, match=rf"comparing failed on {target.database.name}: error 0"):
        plan(target, target.pipeline)


def test_a_new_key_column_is_not_added_to_rows_that_have_no_value_for_it(target):
    new = changed(target.pipeline, a_column("key", "varchar(40)"), NAME, source_key=("key",))

    found = plan(target, new).differences

    assert [(one.place, one.text, one.mend) for one in found] == [
        ("Things.key", "is missing", Mend.PERSON),
        ("Things.id", "is NOT NULL and no longer in the pipeline file", Mend.ONLINE),
        ("Things", "has the primary key (id) instead of (key)", Mend.PERSON),
        ("Things__tombstones.key", "is missing", Mend.PERSON),
        (
            "Things__tombstones.id",
            "is NOT NULL without a default and not in the pipeline file; give it a default",
            Mend.PERSON,
        ),
        ("Things__tombstones", "has the primary key (id) instead of (key)", Mend.PERSON),
    ]
