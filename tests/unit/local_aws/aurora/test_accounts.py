import pytest

from local_aws.aurora.accounts import as_the_server_knows_it


@pytest.mark.parametrize(
    ("aurora", "server"),
    [
        (
            "CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'",
            "CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED BY ''",
        ),
        (
            "alter user `u`@`%` identified with 'AWSAuthenticationPlugin' as \"RDS\" require ssl",
            "alter user `u`@`%` IDENTIFIED BY ''",
        ),
        ("ALTER USER 'u'@'%' REQUIRE SSL", "ALTER USER 'u'@'%'"),
        ("GRANT AWS_LOAD_S3_ACCESS TO 'u'@'%'", "GRANT FILE ON *.* TO 'u'@'%'"),
        ("SET DEFAULT ROLE AWS_LOAD_S3_ACCESS TO 'u'@'%'", "DO 0"),
        ("ALTER USER 'u'@'%' DEFAULT ROLE ALL", "DO 0"),
    ],
)
def test_a_statement_of_aurora_is_put_in_the_words_of_the_server(aurora, server):
    assert as_the_server_knows_it(aurora) == server


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'CREATE USER u IDENTIFIED WITH AWSAuthenticationPlugin AS ''RDS'''",
        "CREATE USER 'u'@'%' IDENTIFIED BY 'p'",
        "GRANT SELECT ON a.* TO 'u'@'%'",
        "DROP USER u",
    ],
)
def test_every_other_statement_is_left_alone(sql):
    assert as_the_server_knows_it(sql) is None
