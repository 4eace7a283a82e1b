"""LOAD DATA FROM S3 through the proxy, on a real server with real objects in the emulator's S3."""

import contextlib
import json

import boto3
import pymysql
import pytest
from botocore.config import Config

from local_aws.aurora.proxy import AuroraProxy

ROWS = b"1,one\n2,two\n"
CSV = "FIELDS TERMINATED BY ',' (n, s)"


@pytest.fixture
def proxy(aws, database_server):
    with AuroraProxy(
        s3=aws.client("s3"),
        server_host=database_server.host,
        server_port=database_server.port,
        files=database_server.files,
    ) as running:
        yield running


@pytest.fixture
def aurora(proxy, database):
    """A session on Aurora, with the role active and an empty table t."""
    with contextlib.closing(database.connect(port=proxy.port)) as connection:
        run(connection, "SET SESSION sql_mode = 'STRICT_TRANS_TABLES'")
        run(connection, "CREATE TABLE t (n INT NOT NULL, s VARCHAR(10)) ENGINE=InnoDB CHARACTER SET utf8mb4")
        run(connection, "SET ROLE ALL")
        yield connection


@pytest.fixture
def bucket(aws):
    return Bucket(aws.client("s3"), aws.bucket())


class Bucket:
    """A bucket, and where its objects are for a statement."""

    def __init__(self, client, name):
        self.client = client
        self.name = name

    def put(self, key, body=ROWS):
        self.client.put_object(Bucket=self.name, Key=key, Body=body)
        return self.url(key)

    def url(self, key):
        return f"s3://{self.name}/{key}"


def run(connection, statement, arguments=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


def rows(connection):
    return run(connection, "SELECT n, s FROM t ORDER BY n, s")


def refusal(connection, statement, arguments=None):
    """Return number and text of the error that a statement gets."""
    with pytest.raises(pymysql.err.MySQLError) as raised:
        run(connection, statement, arguments)
    # PyMySQL reads the number as signed: 63985 arrives as -1551.
    return raised.value.args[0] % 2**16, raised.value.args[1]


def test_the_rows_of_an_object_arrive(aurora, bucket, database_server):
    url = bucket.put("rows.csv")

    with aurora.cursor() as cursor:
        affected = cursor.execute(f"LOAD DATA FROM S3 %s INTO TABLE t {CSV}", (url,))

    assert affected == 2
    assert rows(aurora) == ((1, "one"), (2, "two"))
    assert list(database_server.files.iterdir()) == []


@pytest.mark.parametrize(
    "key", ["a+b c='é.csv", 'double"quote.csv', "back\\slash.csv", "percent%2Fencoded.csv", "a//b.csv", "日本.csv"]
)
def test_a_key_is_taken_as_it_is(aurora, bucket, key):
    url = bucket.put(key)

    run(aurora, f"LOAD DATA FROM S3 FILE %s INTO TABLE t {CSV}", (url,))

    assert rows(aurora) == ((1, "one"), (2, "two"))


@pytest.mark.parametrize(
    ("line", "number"),
    [("x,one", 1366), ("1,much too long", 1406), ("1", 1261), ("1,one,more", 1262), ("99999999999,one", 1264)],
)
def test_a_bad_row_is_an_error_that_leaves_no_row(aurora, bucket, line, number):
    url = bucket.put("rows.csv", f"1,one\n{line}\n".encode())

    error = refusal(aurora, f"LOAD DATA FROM S3 '{url}' INTO TABLE t {CSV}")

    assert error[0] == number
    assert rows(aurora) == ()


def test_a_rollback_undoes_a_load(aurora, bucket):
    url = bucket.put("rows.csv")
    run(aurora, "BEGIN")
    run(aurora, f"LOAD DATA FROM S3 '{url}' INTO TABLE t {CSV}")
    loaded = rows(aurora)

    run(aurora, "ROLLBACK")

    assert loaded == ((1, "one"), (2, "two"))
    assert rows(aurora) == ()


def test_a_failed_load_leaves_the_transaction_as_it_was(aurora, bucket):
    run(aurora, "BEGIN")
    run(aurora, "INSERT INTO t VALUES (7, 'before')")

    refusal(aurora, f"LOAD DATA FROM S3 '{bucket.url('missing')}' INTO TABLE t {CSV}")
    run(aurora, "COMMIT")

    assert rows(aurora) == ((7, "before"),)


def test_a_prefix_loads_all_its_objects_and_skips_lines_of_the_first_only(aurora, bucket):
    bucket.put("p/1.csv", b"n,s\n1,one\n2,two")  # no line end
    bucket.put("p/2.csv", b"")
    bucket.put("p/3.csv", b"3,three\n")
    bucket.put("p/4.csv", b"4,four")
    bucket.put("q/5.csv", b"5,five\n")

    run(aurora, f"LOAD DATA FROM S3 PREFIX '{bucket.url('p/')}' INTO TABLE t "
        "FIELDS TERMINATED BY ',' LINES TERMINATED BY '\\n' IGNORE 1 LINES (n, s)")  # fmt: skip

    assert rows(aurora) == ((1, "one"), (2, "two"), (3, "three"), (4, "four"))


def test_a_bad_row_in_the_last_object_of_a_prefix_leaves_none_of_the_others(aurora, bucket):
    bucket.put("p/1.csv", b"1,one\n")
    bucket.put("p/2.csv", b"x,two\n")

    error = refusal(aurora, f"LOAD DATA FROM S3 PREFIX '{bucket.url('p/')}' INTO TABLE t {CSV}")

    assert error[0] == 1366
    assert rows(aurora) == ()


def test_a_manifest_loads_what_it_lists_and_exists(aurora, bucket):
    bucket.put("2.csv", b"2,two\n")
    bucket.put("1.csv", b"1,one\n")
    bucket.put("unlisted.csv", b"3,three\n")
    entries = [
        {"url": bucket.url("2.csv"), "mandatory": True},
        {"url": bucket.url("missing.csv"), "mandatory": False},
        {"url": f"s3-us-east-1://{bucket.name}/1.csv"},
    ]
    url = bucket.put("manifest.json", json.dumps({"entries": entries}).encode())

    run(aurora, f"LOAD DATA FROM S3 MANIFEST '{url}' INTO TABLE t {CSV}")

    assert rows(aurora) == ((1, "one"), (2, "two"))


@pytest.mark.parametrize(
    "entries",
    [[("1.csv", True), ("missing.csv", True)], [("missing.csv", False)]],
    ids=["a mandatory object is missing", "no object exists"],
)
def test_a_manifest_whose_objects_are_missing_is_refused(aurora, bucket, entries):
    bucket.put("1.csv")
    body = {"entries": [{"url": bucket.url(key), "mandatory": mandatory} for key, mandatory in entries]}
    url = bucket.put("manifest.json", json.dumps(body).encode())

    error = refusal(aurora, f"LOAD DATA FROM S3 MANIFEST '{url}' INTO TABLE t {CSV}")

    assert error == (1815, "Internal error: Unable to initialize S3Stream")
    assert rows(aurora) == ()


@pytest.mark.parametrize("uri", ["s3://{bucket}/missing", "s3://no-such-bucket-anywhere/k", "s3-eu-west-1://{bucket}/k",
                                 "s3://{bucket}/", "https://{bucket}/k"])  # fmt: skip
def test_what_is_not_there_is_error_1815(aurora, bucket, uri):
    bucket.put("k")

    error = refusal(aurora, f"LOAD DATA FROM S3 '{uri.format(bucket=bucket.name)}' INTO TABLE t {CSV}")

    assert error == (1815, "Internal error: Unable to initialize S3Stream")


def test_a_prefix_without_objects_is_error_1815(aurora, bucket):
    error = refusal(aurora, f"LOAD DATA FROM S3 PREFIX '{bucket.url('none/')}' INTO TABLE t {CSV}")

    assert error == (1815, "Internal error: Unable to initialize S3Stream")


def test_an_s3_that_cannot_be_reached_is_error_63985(database_server, database):
    nowhere = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
        config=Config(retries={"max_attempts": 0}),
    )
    with (
        AuroraProxy(
            s3=nowhere,
            server_host=database_server.host,
            server_port=database_server.port,
            files=database_server.files,
            roles_active_on_login=True,
        ) as proxy,
        contextlib.closing(nowhere),
        contextlib.closing(database.connect(port=proxy.port)) as connection,
    ):
        error = refusal(connection, "LOAD DATA FROM S3 's3://bucket/k' INTO TABLE t")

    assert error == (63985, "S3 API returned error: Network Connection")


ROLE_MISSING = (
    1227,
    "Access denied; you need (at least one of) the LOAD FROM S3 or AWS_LOAD_S3_ACCESS privilege(s) for this operation",
)


def test_a_session_has_to_activate_the_role_and_loses_it(bucket, proxy, database):
    load = f"LOAD DATA FROM S3 '{bucket.put('k')}' INTO TABLE t {CSV}"
    with contextlib.closing(database.connect(port=proxy.port)) as other:
        run(other, "CREATE TABLE t (n INT NOT NULL, s VARCHAR(10))")
        fresh = refusal(other, load)
        run(other, "SET ROLE 'AWS_LOAD_S3_ACCESS'@'%'")
        run(other, load)
        run(other, "SET ROLE NONE")
        after_none = refusal(other, load)
        run(other, "set role AWS_LOAD_S3_ACCESS")
        run(other, load)
        loaded = rows(other)

    assert fresh == ROLE_MISSING
    assert after_none == ROLE_MISSING
    assert loaded == ((1, "one"), (1, "one"), (2, "two"), (2, "two"))


def test_a_temporary_table_is_loaded(aurora, bucket):
    url = bucket.put("k")
    run(aurora, "CREATE TEMPORARY TABLE staged LIKE t")

    run(aurora, f"LOAD DATA FROM S3 '{url}' INTO TABLE staged {CSV}")

    assert run(aurora, "SELECT n FROM staged ORDER BY n") == ((1,), (2,))


def test_variables_and_assignments_pass_through(aurora, bucket):
    url = bucket.put("k", b'"1";"a;b"|"2";"\\N"|"3";\\N|')

    run(aurora, f"/* a load */ load data from s3 file '{url}' replace into table `t` character set utf8mb4 "
        "columns terminated by ';' optionally enclosed by '\"' escaped by '\\\\' lines terminated by '|' "
        "(@n, @s) set n = @n * 10, s = concat('<', @s, '>')")  # fmt: skip

    assert rows(aurora) == ((10, "<a;b>"), (20, None), (30, None))


def test_a_mistake_in_the_statement_is_a_syntax_error_of_the_server(aurora, bucket):
    error = refusal(aurora, f"LOAD DATA FROM S3 '{bucket.put('k')}' INTO TABEL t")

    assert error[0] == 1064
    assert "near 'TABEL t'" in error[1]
