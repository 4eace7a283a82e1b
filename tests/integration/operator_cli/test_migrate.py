"""`ddb2aurora migrate` against a database: what it prints, and the status of each end."""

import json

import msgspec
import pytest
from command_line import run_command
from loader_fixtures import a_column

from ddb2aurora.pipeline import dump_pipeline

ID, NAME = a_column("id", "varchar(40)"), a_column("name", "varchar(40)")


class Migrate:
    """The command, for a target whose pipeline file may change."""

    def __init__(self, target, folder):
        self.target, self.folder = target, folder
        self.change(*target.pipeline.columns)

    def change(self, *columns):
        self.pipeline = msgspec.structs.replace(self.target.pipeline, columns=columns)
        (self.folder / "things.json").write_bytes(dump_pipeline(self.pipeline))

    def __call__(self, *arguments, **variables):
        environment = {**self.target.command_environment(self.folder), **variables}
        ran = run_command(["migrate", *arguments], environment)
        return ran.returncode, ran.stdout, ran.stderr

    def columns(self):
        return [row[0] for row in self.target.query(f"SHOW COLUMNS FROM {self.target.name()}")]


@pytest.fixture
def migrate(target, tmp_path):
    return Migrate(target, tmp_path)


def test_tables_that_match_need_nothing(migrate):
    assert migrate() == (0, "nothing to do: all tables are there and match\n", "")


def test_a_plan_shows_the_statements_and_does_nothing(migrate):
    migrate.change(ID, NAME, a_column("n", "int"))

    ran = [migrate(option) for option in ("--plan", "--dry-run")]

    assert (
        ran[0]
        == ran[1]
        == (
            0,
            (
                "would be done:\n"
                f"  Things.n is missing: ALTER TABLE {migrate.target.name()} ADD COLUMN `n` int NULL AFTER `name`, "
                "ALGORITHM=INSTANT\n"
                "  note the columns of the pipeline file\n"
            ),
            "",
        )
    )
    assert migrate.columns() == ["id", "name", "_version", "_changed_at_ms"]


def test_what_a_person_has_to_decide_is_shown_with_its_reason_and_the_status_says_so(migrate):
    migrate.change(ID, a_column("name", "int"), a_column("n", "int"))
    table = migrate.target.name()

    status, said, _ = migrate()

    assert (status, said) == (
        1,
        (
            "would be done, once you have decided:\n"
            f"  Things.n is missing: ALTER TABLE {table} ADD COLUMN `n` int NULL AFTER `name`, ALGORITHM=INSTANT\n"
            "  note the columns of the pipeline file\n"
            "nothing was done; this file cannot be loaded before you decide:\n"
            "  Things.name: is varchar(40) instead of int\n"
            "    not done because a change of type converts every value\n"
            f"    ALTER TABLE {table} MODIFY COLUMN `name` int NULL;\n"
        ),
    )
    assert migrate.columns() == ["id", "name", "_version", "_changed_at_ms"]


def test_machines_read_what_was_done_and_what_remains(migrate):
    migrate.change(ID, a_column("name", "varchar(30)"), a_column("n", "int"))
    table = migrate.target.name()

    status, said, _ = migrate("--json")

    assert (status, json.loads(said)) == (
        0,
        {
            "done": [
                f"Things.n is missing: ALTER TABLE {table} ADD COLUMN `n` int NULL AFTER `name`, ALGORITHM=INSTANT",
                f"noted the columns of things as generation 2 ({migrate.pipeline.shape})",
            ],
            "planned": [],
            "to_decide": [],
            "left_over": [
                {
                    "place": "Things.name",
                    "difference": "is varchar(40) instead of varchar(30)",
                    "why_not": "what is there may not fit",
                    "statement": f"ALTER TABLE {table} MODIFY COLUMN `name` varchar(30) NULL",
                }
            ],
        },
    )


def test_a_column_that_left_the_file_may_stay(migrate):
    migrate.change(ID)
    table = migrate.target.name()

    first, second = migrate(), migrate()

    left = (
        "more than the file asks for, and may stay:\n"
        "  Things.name: is no longer in the pipeline file\n"
        "    not done because its values would be gone, and a roll-back would need them\n"
        f"    ALTER TABLE {table} DROP COLUMN `name`;\n"
    )
    assert first == (0, f"noted the columns of things as generation 2 ({migrate.pipeline.shape})\n{left}", "")
    assert second == (0, f"{left}nothing to do: all tables are there and match\n", "")


def test_a_copy_of_the_table_has_to_be_allowed(migrate):
    migrate.change(ID, a_column("name", "varchar(100)"))

    refused, allowed = migrate(), migrate("--allow-copy")

    assert refused[0] == 1
    assert "the server copies the whole table for it, and loads wait meanwhile; --allow-copy does it" in refused[1]
    assert allowed[0] == 0
    assert "ALGORITHM=COPY, LOCK=SHARED" in allowed[1]


def test_users_are_made_and_granted_what_they_need(migrate):
    names = f"l{migrate.target.database.name[-8:]}", f"o{migrate.target.database.name[-8:]}"
    asked = ("--loader-user", names[0], "--operator-user", names[1], "--user-auth", "password")
    passwords = {"LOADER_DB_PASSWORD": "p1", "OPERATOR_DB_PASSWORD": "p2"}
    try:
        planned = migrate(*asked, "--plan", **passwords)
        made = migrate(*asked, **passwords)
        again = migrate(*asked, **passwords)
    finally:
        for name in names:
            migrate.target.query(f"DROP USER IF EXISTS '{name}'@'%'")

    database = migrate.target.database.name
    assert planned == (
        0,
        (
            "would be done:\n"
            f"  make sure that the user {names[0]} has what the loader needs\n"
            f"  make sure that the user {names[1]} has what the operator needs\n"
        ),
        "",
    )
    assert made == (
        0,
        (
            f"created the user {names[0]} (password)\n"
            f"granted {names[0]} what the loader needs in {database}\n"
            f"created the user {names[1]} (password)\n"
            f"granted {names[1]} what the operator needs in {database}\n"
        ),
        "",
    )
    assert again == (0, "nothing to do: all tables are there and match\n", "")


def test_a_user_without_its_password_is_a_mistake_of_the_settings(migrate):
    status, said, mistake = migrate(LOADER_DB_USER="loader", DB_USER_AUTH="password")

    assert (status, said) == (2, "")
    assert mistake == (
        "ddb2aurora: bad settings:\n"
        "  LOADER_DB_PASSWORD is missing: set it to the password that the user loader gets if it is made\n"
    )


def test_a_login_by_iam_is_a_mistake_of_usage_where_there_is_none(migrate):
    status, _, mistake = migrate("--loader-user", "nobody")

    assert status == 2
    assert "the server has no AWSAuthenticationPlugin, so nobody cannot log in by IAM" in mistake
