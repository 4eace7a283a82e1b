"""The users that `migrate` makes are enough: the operator's to rebuild, the loader's to go on afterwards."""

from loader_fixtures import FrozenTime, Target
from rebuild_fixtures import some_changes

from aurora_loader.load import Loader
from aurora_loader.session import Session
from aurora_loader.sources import LocalSource
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.database.users import DatabaseUser, ensure_user
from ddb2aurora.settings import Secret

FINE = 0


def a_user(target: Target, role: str) -> tuple[str, str]:
    name, password = f"{role}_{target.database.name[-6:]}", "a-password"
    ensure_user(target.connection, DatabaseUser(name, role, Secret(password)), tables=target.tables)
    return name, password


def test_the_operator_s_user_rebuilds_and_the_loader_s_loads_into_the_new_table(history):
    early, late = some_changes(30), some_changes(30, start=100, seed=5)
    history.both(*early)
    operator, loader = (a_user(history.target, role) for role in ("operator", "loader"))
    source = LocalSource(history.s3)
    name, password = loader
    settings = history.target.settings
    session = Session(
        DatabaseSettings(host=settings.host, port=settings.port, name=None, user=name, password=Secret(password)),
        pipeline=history.pipeline,
        source=source,
    )

    status, told = history.run(DB_USER=operator[0], DB_PASSWORD=operator[1])
    Loader(history.pipeline, session=session, source=source, on_retry=lambda *_: None).load(
        history.put_rows(history.rows_of(late)), time=FrozenTime()
    )
    session.drop()

    assert (status, told["outcome"]) == (FINE, "switched")
    assert history.found() == history.expected([*early, *late])
