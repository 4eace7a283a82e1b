"""What each error number of the database means."""

import ssl

import pymysql
import pytest

from ddb2aurora.database.errors import (
    DatabaseHaltError,
    DatabaseRetryError,
    ObjectMissingError,
    Verdict,
    as_our_error,
    verdict_on,
)


def an_error(number, text=""):
    return pymysql.err.OperationalError(number, text)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        *((an_error(number), Verdict.RETRY) for number in (1205, 1213, 3024, 3572)),
        (an_error(1815), Verdict.MISSING),
        *(
            (an_error(number), Verdict.RECONNECT)
            for number in (1040, 1203, 1053, 1792, 1836, 2002, 2003, 2006, 2013, 2055, 1927)
        ),
        *((an_error(number), Verdict.ROW) for number in (1048, 1261, 1262, 1263, 1264, 1292, 1366, 1406, 3140, 4025)),
        *((an_error(number), Verdict.HALT) for number in (1044, 1064, 1142, 1146, 1227, 3159, 99999)),
        (an_error(1045), Verdict.CREDENTIALS),
        (pymysql.err.InterfaceError(0, ""), Verdict.RECONNECT),
        (pymysql.err.OperationalError("without a number"), Verdict.RECONNECT),
        (an_error(1290, "running with the --read-only option"), Verdict.RECONNECT),
        (an_error(1290, "running with the --secure-file-priv option"), Verdict.HALT),
        (an_error(63985, "S3 API returned error: Access Denied"), Verdict.HALT),
        (an_error(1871, "S3 API returned error: Network Connection"), Verdict.RETRY),
        (an_error(12345, "S3 API returned error: Please reduce your request rate, SlowDown"), Verdict.RETRY),
    ],
    ids=str,
)
def test_an_error_has_one_meaning(error, verdict):
    assert verdict_on(error) is verdict


def test_our_error_says_what_where_and_the_mend_and_quotes_no_value():
    halt = as_our_error(an_error(1146, "secret value"), operation="loading", where="s3://b/k")
    retry = as_our_error(an_error(1213, "secret value"), operation="loading", where="s3://b/k")

    assert (type(halt), str(halt)) == (
        DatabaseHaltError,
        "loading failed on s3://b/k: error 1146 of the database; a table is missing; run ddb2aurora migrate",
    )
    assert (type(retry), str(retry)) == (
        DatabaseRetryError,
        "loading failed on s3://b/k: error 1213 of the database; it may pass",
    )


def test_a_certificate_that_is_not_trusted_halts_though_the_driver_calls_it_no_connection():
    error = an_error(2003)
    error.original_exception = ssl.SSLCertVerificationError(1, "self-signed certificate")

    halt = as_our_error(error, operation="connecting", where="db:3306")

    assert type(halt) is DatabaseHaltError
    assert str(halt) == (
        "connecting failed on db:3306: error 2026 of the database; the server's certificate could not be verified, or "
        "it offers no TLS; check DB_HOST and DB_CA_FILE"
    )


def test_an_object_that_is_missing_is_an_error_of_its_own():
    error = as_our_error(an_error(1815), operation="loading", where="s3://b/k")

    assert type(error) is ObjectMissingError
