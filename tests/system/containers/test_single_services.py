"""What one service is enough for: the operator's image beside MySQL alone, and beside LocalStack alone."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from testcontainers.community.localstack import LocalStackContainer
from testcontainers.community.mysql import MySqlContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

REPOSITORY = Path(__file__).parents[3]
BASES = dict(
    line.split("=", 1)
    for line in (REPOSITORY / "images" / "bases.env").read_text().splitlines()
    if line and not line.startswith("#")
)
PASSWORD = "not-a-password"
SECONDS = 100


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def operate(network: Network, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command of the operator's image, and return its status and what it printed."""
    operator = DockerContainer("ddb2aurora/operator").with_network(network).with_command(list(arguments))
    for name, value in environment.items():
        operator.with_env(name, value)
    with operator:
        status = operator.get_wrapped_container().wait(timeout=SECONDS)["StatusCode"]
        return status, b"".join(operator.get_logs()).decode()


def test_the_operators_image_makes_the_tables_on_mysql_and_finds_them_made_the_next_time(network: Network):
    server = MySqlContainer(BASES["MYSQL_IMAGE"], username="root", password=PASSWORD, dbname="test")
    with server.with_network(network).with_network_aliases("database"):
        login = {"DB_HOST": "database", "DB_USER": "root", "DB_PASSWORD": PASSWORD, "DB_TLS": "off"}

        first = operate(network, "migrate", "--pipeline", "web_analytics", **login)
        second = operate(network, "migrate", "--pipeline", "web_analytics", **login)

        host, port = server.get_container_host_ip(), int(server.get_exposed_port(server.port))
        connection = pymysql.connect(host=host, port=port, user="root", password=PASSWORD, database="Demo")
        with connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            tables = {name for (name,) in cursor.fetchall()}
    assert first[0] == 0, first[1]
    assert {"WebAnalytics", "WebAnalytics__tombstones", "_ddb2aurora_loads", "_ddb2aurora_rejects"} <= tables
    assert second == (0, "nothing to do: all tables are there and match\n")


# Testcontainers' own LocalStackContainer calls what testcontainers itself deprecates.
@pytest.mark.filterwarnings("ignore:The wait_for_logs function:DeprecationWarning")
def test_the_operators_image_seeds_a_table_of_localstack(network: Network):
    emulator = LocalStackContainer(BASES["LOCALSTACK_IMAGE"], region_name="us-east-1").with_network(network)
    # Its streams come from DynamoDB Local itself, as in the compose file.
    emulator.with_env("PROVIDER_OVERRIDE_DYNAMODB", "v2").with_network_aliases("localstack")
    with emulator:
        dynamodb = emulator.get_client("dynamodb")
        dynamodb.create_table(
            TableName="web_analytics",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("page_id", "activity_dt")],
            KeySchema=[
                {"AttributeName": "page_id", "KeyType": "HASH"},
                {"AttributeName": "activity_dt", "KeyType": "RANGE"},
            ],
        )

        status, told = operate(
            network,
            *("seed", "--items", "60", "--updated", "0", "--deleted", "0", "--recreated", "0"),
            AWS_ENDPOINT_URL="http://localstack:4566",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="fake-access-key-id",
            AWS_SECRET_ACCESS_KEY="fake-secret-access-key",
        )
        count = dynamodb.scan(TableName="web_analytics", Select="COUNT")["Count"]

    assert (status, count) == (0, 60), told
