"""What the ways of a scenario share: a database for each way, a bucket, and one stack for all cases."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scenario_stack import ScenarioStack
from scenario_ways import Target

from aurora_loader.sources import AuroraSource, LocalSource, Source
from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.settings import Secret
from local_aws.aurora.proxy import AuroraProxy
from local_aws.services.database import DatabaseServer
from scenarios import Scenario


class Place:
    """A database for the tables of many cases, and the way of objects into it."""

    def __init__(self, name: str, source: Source, settings: DatabaseSettings, *, folder: Path) -> None:
        self.name = name
        self.source = source
        self.settings = settings
        self._folder = folder
        self._connection, self._server = connect(settings)

    def target(self, case: Scenario) -> Target:
        """Make the tables of *case*."""
        pipeline = case.pipeline(self._folder, database=self.name)
        return Target(case, pipeline, self._connection, self._server)

    def close(self) -> None:
        close_quietly(self._connection)


def settings_of(server: DatabaseServer | AuroraProxy, owner: DatabaseServer) -> DatabaseSettings:
    return DatabaseSettings(
        host=server.host, port=server.port, name=None, user=owner.user, password=Secret(owner.password)
    )


@pytest.fixture(scope="session")
def bucket(aws) -> str:
    return aws.bucket("scenarios")


@pytest.fixture(scope="session")
def proxy(aws, database_server) -> Iterator[AuroraProxy]:
    with AuroraProxy(
        s3=aws.client("s3"),
        server_host=database_server.host,
        server_port=database_server.port,
        files=database_server.files,
    ) as running:
        yield running


@pytest.fixture(scope="session")
def place_at(aws, database_server, proxy, tmp_path_factory) -> Iterator[Callable[[str], Place]]:
    """Make the place of each load mode once."""
    ways: dict[str, tuple[Source, DatabaseServer | AuroraProxy]] = {
        "local": (LocalSource(aws.client("s3")), database_server),
        "s3": (AuroraSource(), proxy),
    }
    made: dict[str, Place] = {}

    def place(load_mode: str) -> Place:
        if load_mode not in made:
            source, server = ways[load_mode]
            settings = settings_of(server, database_server)
            made[load_mode] = Place(f"scenarios {load_mode}", source, settings, folder=tmp_path_factory.mktemp("files"))
        return made[load_mode]

    yield place
    for opened in made.values():
        opened.close()


@pytest.fixture(scope="session")
def scenario_stack(request, aws, database_server, proxy, tmp_path_factory) -> Iterator[ScenarioStack]:
    """Carry every case that this session is about to run on the stack, all at once, and say what came of each."""
    asking = [item for item in request.session.items if "scenario_stack" in item.fixturenames]
    cases = {item.callspec.params["case"] for item in asking}
    settings = settings_of(database_server, database_server)
    place = Place("scenarios stack", AuroraSource(), settings, folder=tmp_path_factory.mktemp("files"))
    database = {
        "DB_HOST": proxy.host,
        "DB_PORT": str(proxy.port),
        "DB_USER": database_server.user,
        "DB_PASSWORD": database_server.password,
        "DB_TLS": "off",
        "LOAD_MODE": "s3",
    }
    with contextlib.closing(place):
        running = ScenarioStack(
            [place.target(case) for case in sorted(cases, key=lambda case: case.name)],
            aws=aws.environment,
            database=database,
            bucket=aws.bucket("stack"),
            folder=tmp_path_factory.mktemp("stack"),
        )
        with running:
            running.run()
        yield running
