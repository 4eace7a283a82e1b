"""Which server a version text stands for, and which are too old."""

import pytest

from ddb2aurora.database.server import OldServerError, Server, parse_server


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("8.0.42", Server("mysql", (8, 0, 42), aurora=False)),
        ("8.4.7-log", Server("mysql", (8, 4, 7), aurora=False)),
        ("9.7.4", Server("mysql", (9, 7, 4), aurora=False)),
        ("10.11.19-MariaDB-0+deb12u1-log", Server("mariadb", (10, 11, 19), aurora=False)),
        ("5.5.5-10.6.5-MariaDB", Server("mariadb", (10, 6, 5), aurora=False)),
    ],
)
def test_a_version_text_is_read(text, server):
    assert parse_server(text) == server


def test_keys_compare_byte_for_byte_on_either_kind():
    assert parse_server("8.0.42", aurora=True).key_collation == "utf8mb4_0900_bin"
    assert parse_server("11.4.2-MariaDB").key_collation == "utf8mb4_nopad_bin"


@pytest.mark.parametrize("text", ["8.0.22", "5.7.44-log", "10.5.29-MariaDB", "unknown"])
def test_an_old_server_is_refused_with_what_to_use(text):
    with pytest.raises(OldServerError, match="or newer"):
        parse_server(text)
