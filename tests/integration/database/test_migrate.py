"""`migrate` makes what is missing, once, and refuses what does not match, saying how it differs."""
# ruff: noqa: S608 - tests name their own tables

import pytest
from loader_fixtures import a_column, a_pipeline, an_upsert

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.errors import DatabaseHaltError
from ddb2aurora.database.migrate import NotMigratedError, TableMismatchError, check_tables, migrate
from ddb2aurora.sql import LOADS_TABLE, quote_name

EVERY_TYPE = (
    "tinyint", "smallint unsigned", "mediumint", "int", "bigint unsigned", "decimal(20,4)", "double", "boolean",
    "varchar(10)", "tinytext", "longtext", "varbinary(16)", "blob", "json", "datetime", "datetime(3)", "date",
)  # fmt: skip


def migrate_again(target, pipeline=None, *, database=None, **options):
    return migrate(
        target.connection,
        pipeline or target.pipeline,
        server=target.server,
        database=database or target.database.name,
        **options,
    )


def tables(target):
    return target.query(
        "SELECT TABLE_NAME, ENGINE, ROW_FORMAT FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY 1",
        target.database.name,
    )


def test_the_tables_are_made_once(target):
    name = target.database.name

    again = migrate_again(target).done

    assert target.migrated == (
        f"created the table {name}.Things",
        f"created the table {name}.Things__tombstones",
        f"created the table {name}._ddb2aurora_loads",
        f"created the table {name}._ddb2aurora_rejects",
        f"created the table {name}._ddb2aurora_shapes",
        f"created the table {name}._ddb2aurora_heartbeat",
        f"created the table {name}._ddb2aurora_horizons",
        f"noted the columns of things as generation 1 ({target.pipeline.shape})",
    )
    assert again == ()
    assert tables(target) == (
        ("Things", "InnoDB", "Dynamic"),
        ("Things__tombstones", "InnoDB", "Dynamic"),
        ("_ddb2aurora_heartbeat", "InnoDB", "Dynamic"),
        ("_ddb2aurora_horizons", "InnoDB", "Dynamic"),
        ("_ddb2aurora_loads", "InnoDB", "Dynamic"),
        ("_ddb2aurora_rejects", "InnoDB", "Dynamic"),
        ("_ddb2aurora_shapes", "InnoDB", "Dynamic"),
    )


def test_the_database_is_made_when_there_is_none(target):
    other = f"{target.database.name}_other"

    try:
        done = migrate_again(target, database=other).done
        again = migrate_again(target, database=other).done
    finally:
        target.query(f"DROP DATABASE IF EXISTS {other}")

    assert done[0] == f"created the database {other}"
    assert len(done) == 9
    assert again == ()


def test_a_table_of_every_type_matches_itself(make_target):
    columns = [a_column(f"c{number}", sql_type) for number, sql_type in enumerate(EVERY_TYPE)]
    target = make_target(a_pipeline(a_column("id", "varchar(40)"), *columns))

    again = migrate_again(target).done
    check_tables(target.connection, target.pipeline, server=target.server, database=target.database.name)

    assert again == ()


def test_key_columns_come_in_the_order_of_the_source_key(make_target):
    columns = (a_column("range", "varchar(20)"), a_column("v", "int"), a_column("hash", "varbinary(20)"))
    target = make_target(a_pipeline(*columns, key=("hash", "range")))

    indexes = target.query(f"SHOW INDEX FROM {target.name()}")

    assert [(row[2], row[4]) for row in indexes] == [("PRIMARY", "hash"), ("PRIMARY", "range")]


def changed(target, *statements):
    for statement in statements:
        target.query(statement.replace("THINGS", target.name()))


def test_a_nullable_column_an_index_and_a_trigger_of_the_users_are_no_mismatch(target):
    changed(
        target,
        "ALTER TABLE THINGS ADD COLUMN mine INT NULL, ADD COLUMN made INT NOT NULL DEFAULT 3, ADD INDEX (name)",
        "ALTER TABLE THINGS ADD COLUMN length INT AS (CHAR_LENGTH(name)) VIRTUAL",
        f"CREATE TRIGGER {target.database.name}.t BEFORE INSERT ON THINGS FOR EACH ROW SET NEW.mine = 1",
    )

    found = migrate_again(target)

    assert (found.done, found.plan.differences) == ((), ())


@pytest.mark.parametrize(
    ("change", "problem", "mend"),
    [
        (
            "DROP INDEX _version",
            "Things__tombstones has no index _version",
            "ADD INDEX `_version` (`_version`), ALGORITHM=INPLACE, LOCK=NONE",
        ),
        (
            "DROP INDEX _version, ADD INDEX _version (_deleted_at, _version)",
            "Things__tombstones has the index _version (_deleted_at, _version)",
            "DROP INDEX `_version`, ADD INDEX `_version` (`_version`), ALGORITHM=INPLACE, LOCK=NONE",
        ),
    ],
)
def test_an_index_that_statements_of_ours_name_is_made_while_loads_go_on(target, change, problem, mend):
    tombstones = target.name("__tombstones")
    target.query(f"ALTER TABLE {tombstones} {change}")
    with pytest.raises(NotMigratedError):
        check_tables(target.connection, target.pipeline, server=target.server, database=target.database.name)

    done = migrate_again(target).done

    assert done == (f"{problem}: ALTER TABLE {tombstones} {mend}",)
    assert migrate_again(target).done == ()
    check_tables(target.connection, target.pipeline, server=target.server, database=target.database.name)


def test_an_index_that_only_commands_read_by_is_made_while_loads_go_on_and_does_without_meanwhile(target):
    ledger = quote_name(target.database.name, LOADS_TABLE)
    target.query(f"ALTER TABLE {ledger} DROP INDEX pipeline_loaded_at")
    check_tables(target.connection, target.pipeline, server=target.server, database=target.database.name)
    target.load(an_upsert(target.pipeline, 1, "a", "x"))

    done = migrate_again(target).done

    mend = "ADD INDEX `pipeline_loaded_at` (`pipeline`, `loaded_at`), ALGORITHM=INPLACE, LOCK=NONE"
    assert done == (f"_ddb2aurora_loads has no index pipeline_loaded_at: ALTER TABLE {ledger} {mend}",)
    assert (migrate_again(target).done, len(target.rows())) == ((), 1)


TARGET = "`{database}`.`Things`"
KEYS = "{key_collation}"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "MODIFY name char(40) NULL",
            (
                f"Things.name: is char(40) instead of varchar(40); "
                f"ALTER TABLE {TARGET} MODIFY COLUMN `name` varchar(40) NULL"
            ),
        ),
        (
            "MODIFY name varchar(40) CHARACTER SET latin1",
            (
                f"Things.name: has the character set latin1 instead of utf8mb4; "
                f"ALTER TABLE {TARGET} MODIFY COLUMN `name` varchar(40) NULL"
            ),
        ),
        (
            "MODIFY id varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
            (
                f"Things.id: compares by utf8mb4_bin instead of {KEYS}, byte for byte; ALTER TABLE {TARGET} "
                f"MODIFY COLUMN `id` varchar(40) CHARACTER SET utf8mb4 COLLATE {KEYS} NOT NULL"
            ),
        ),
        (
            "DROP COLUMN _version",
            (
                f"Things._version: is missing; "
                f"ALTER TABLE {TARGET} ADD COLUMN `_version` decimal(65,0) NOT NULL DEFAULT 0 INVISIBLE"
            ),
        ),
        (
            "MODIFY _version decimal(65,0) NOT NULL",
            (
                f"Things._version: has the default None instead of 0, is visible; "
                f"ALTER TABLE {TARGET} MODIFY COLUMN `_version` decimal(65,0) NOT NULL DEFAULT 0 INVISIBLE"
            ),
        ),
        (
            "ADD COLUMN mine INT NOT NULL",
            (
                "Things.mine: is NOT NULL without a default and not in the pipeline file; give it a default; "
                f"ALTER TABLE {TARGET} ALTER `mine` SET DEFAULT ..."
            ),
        ),
        (
            "ADD UNIQUE INDEX by_name (name, id)",
            (
                "Things: has the unique index by_name (name, id), by which an upsert could change the wrong row; "
                f"ALTER TABLE {TARGET} DROP INDEX `by_name`"
            ),
        ),
        (
            "DROP PRIMARY KEY, ADD PRIMARY KEY (id(20))",
            (
                "Things: has the primary key (id(20)) instead of (id); "
                f"ALTER TABLE {TARGET} DROP PRIMARY KEY, ADD PRIMARY KEY (`id`)"
            ),
        ),
        ("ENGINE=MyISAM", "Things: is MyISAM; only an InnoDB table can be loaded in a transaction"),
        (
            "DROP COLUMN name, ADD COLUMN name varchar(40) AS (id) VIRTUAL",
            f"Things.name: is a generated column; ALTER TABLE {TARGET} MODIFY COLUMN `name` varchar(40) NULL",
        ),
    ],
)
def test_a_difference_is_named_with_its_mend_and_nothing_is_made(target, change, problem):
    name = target.database.name
    changed(target, f"ALTER TABLE THINGS {change}", f"DROP TABLE {name}._ddb2aurora_loads")

    with pytest.raises(TableMismatchError) as failure:
        migrate_again(target)

    expected = problem.format(database=name, key_collation=target.server.key_collation)
    assert str(failure.value) == f"{name} does not match pipeline things:\n  {expected}"
    assert [table for table, *_ in tables(target)] == [
        "Things",
        "Things__tombstones",
        "_ddb2aurora_heartbeat",
        "_ddb2aurora_horizons",
        "_ddb2aurora_rejects",
        "_ddb2aurora_shapes",
    ]


def test_all_differences_are_listed(target):
    changed(target, "ALTER TABLE THINGS MODIFY name int NULL, ADD COLUMN a int NOT NULL, ADD UNIQUE u (name)")

    with pytest.raises(TableMismatchError) as failure:
        migrate_again(target)

    assert len(str(failure.value).splitlines()) == 4


def test_a_view_in_the_place_of_the_table_is_refused(target):
    changed(
        target, "RENAME TABLE THINGS TO " + target.name("2"), f"CREATE VIEW THINGS AS SELECT 1 FROM {target.name('2')}"
    )

    with pytest.raises(TableMismatchError, match="Things: is VIEW; only an InnoDB table"):
        migrate_again(target)


def test_the_loader_is_told_to_have_it_mended(target):
    changed(target, "ALTER TABLE THINGS DROP COLUMN name", f"DROP TABLE {target.database.name}._ddb2aurora_rejects")

    with pytest.raises(NotMigratedError) as failure:
        check_tables(target.connection, target.pipeline, server=target.server, database=target.database.name)

    name = target.database.name
    assert str(failure.value) == (
        f"{name} is not ready for pipeline things; run ddb2aurora migrate:\n"
        f"  Things.name: is missing; ALTER TABLE `{name}`.`Things` ADD COLUMN `name` varchar(40) NULL "
        "AFTER `id`, ALGORITHM=INSTANT\n"
        "  _ddb2aurora_rejects: is missing"
    )


def test_a_missing_privilege_halts_and_names_where(target):
    name, user = target.database.name, f"u{target.database.name[-8:]}"
    target.query(f"CREATE USER {user}@'%' IDENTIFIED BY 'p'")
    connection = DatabaseConnection(host=target.database.host, port=target.database.port, user=user, password="p")

    try:
        with pytest.raises(DatabaseHaltError) as failure:
            migrate(connection, target.pipeline, server=target.server, database=name)
    finally:
        connection.close()
        target.query(f"DROP USER {user}@'%'")

    assert str(failure.value) == (
        f"migrating failed on {name}: error 1044 of the database; grant the user of the loader access to the database"
    )
