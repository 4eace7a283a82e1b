import pytest

from local_aws.aurora.tokens import Kind, StatementSyntaxError, bytes_value, string_value, tokens


def kinds(sql):
    return [(token.kind, token.text) for token in tokens(sql)]


def only(sql):
    (token,) = tokens(sql)
    return token


def test_words_symbols_and_quoted_names_are_told_apart():
    assert kinds("SET `a``b`.c$1=@x, d='e'") == [
        (Kind.WORD, "SET"),
        (Kind.QUOTED, "`a``b`"),
        (Kind.SYMBOL, "."),
        (Kind.WORD, "c$1"),
        (Kind.SYMBOL, "="),
        (Kind.VARIABLE, "@x"),
        (Kind.SYMBOL, ","),
        (Kind.WORD, "d"),
        (Kind.SYMBOL, "="),
        (Kind.STRING, "'e'"),
    ]


def test_comments_and_white_space_are_skipped():
    sql = "/* a 'quote */ A # to the end\n-- 'another\n \t\r\n B --\n/**/C -- last"

    assert [token.word for token in tokens(sql)] == ["A", "B", "C"]


def test_two_hyphens_without_a_space_are_no_comment():
    assert kinds("1--2") == [(Kind.WORD, "1"), (Kind.SYMBOL, "-"), (Kind.SYMBOL, "-"), (Kind.WORD, "2")]


@pytest.mark.parametrize("comment", ["/*!50000 X */", "/*M! X */"])
def test_a_comment_that_a_server_runs_is_not_skipped(comment):
    assert kinds(comment)[0] == (Kind.SYMBOL, "/")


def test_a_token_knows_its_place():
    sql = "a 'b c' d"

    assert [sql[token.start : token.end] for token in tokens(sql)] == ["a", "'b c'", "d"]


@pytest.mark.parametrize("sql", ["'open", '"open', "`open", "'a\\'", "'a''"])
def test_a_quote_that_is_never_closed_is_an_error(sql):
    with pytest.raises(StatementSyntaxError):
        list(tokens(sql))


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("''", ""),
        ("'a''b'", "a'b"),
        ('\'a"b""\'', 'a"b""'),
        ('"a""b"', 'a"b'),
        ("\"it's ''\"", "it's ''"),
        (r"'\0\b\n\r\t\Z\\'", "\0\b\n\r\t\x1a\\"),
        (r"'\'\"'", "'\""),
        (r"'\%\_\x\N'", r"\%\_xN"),
        ("'\\\n'", "\n"),
        ("'é日'", "é日"),
        (r"'\\''\\'", "\\'\\"),
    ],
)
def test_a_literal_stands_for_what_mysql_makes_of_it(literal, value):
    assert string_value(only(literal)) == value


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("x'0d0A'", b"\r\n"),
        ("0x0a", b"\n"),
        ("0xa", b"\n"),
        ("b'1010'", b"\n"),
        ("0b1010", b"\n"),
        ("''", b""),
        ("x''", b""),
        ("'é'", "é".encode()),
    ],
)
def test_a_literal_of_any_form_stands_for_bytes(literal, value):
    assert bytes_value(only(literal)) == value


@pytest.mark.parametrize("sql", ["a", "`a`", "@a", "0x61"])
def test_what_is_no_string_literal_has_no_text(sql):
    with pytest.raises(StatementSyntaxError):
        string_value(only(sql))


def test_bytes_that_are_no_utf_8_keep_their_value():
    token = only(b"'\xff'".decode("utf-8", "surrogateescape"))

    assert bytes_value(token) == b"\xff"
