import pytest

from ddb2aurora.column_types import ColumnType, parse_column_type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tinyint", ColumnType("tinyint", "integer", 8)),
        ("SMALLINT UNSIGNED", ColumnType("smallint unsigned", "integer", 16, unsigned=True)),
        ("mediumint", ColumnType("mediumint", "integer", 24)),
        (" integer ", ColumnType("int", "integer", 32)),
        ("integer  unsigned", ColumnType("int unsigned", "integer", 32, unsigned=True)),
        ("bigint", ColumnType("bigint", "integer", 64)),
        ("decimal(1)", ColumnType("decimal(1,0)", "decimal", 1)),
        ("decimal( 65 , 30 )", ColumnType("decimal(65,30)", "decimal", 65, 30)),
        ("Decimal(5,5) Unsigned", ColumnType("decimal(5,5) unsigned", "decimal", 5, 5, unsigned=True)),
        ("decimal(5,2)unsigned", ColumnType("decimal(5,2) unsigned", "decimal", 5, 2, unsigned=True)),
        ("double", ColumnType("double", "double")),
        ("bool", ColumnType("boolean", "boolean")),
        ("varchar(16383)", ColumnType("varchar(16383)", "varchar", 16383)),
        ("tinytext", ColumnType("tinytext", "text", 255)),
        ("text", ColumnType("text", "text", 65_535)),
        ("mediumtext", ColumnType("mediumtext", "text", 2**24 - 1)),
        ("longblob", ColumnType("longblob", "blob", 2**32 - 1)),
        ("varbinary(65532)", ColumnType("varbinary(65532)", "varbinary", 65532)),
        ("json", ColumnType("json", "json")),
        ("datetime", ColumnType("datetime", "datetime")),
        ("datetime(6)", ColumnType("datetime(6)", "datetime", 6)),
        ("date", ColumnType("date", "date")),
    ],
)
def test_a_type_is_read_in_the_ways_that_people_write_it(text, expected):
    assert parse_column_type(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "int(11)",
        "float",
        "char(3)",
        "timestamp",
        "enum('a')",
        "decimal",
        "decimal(0)",
        "decimal(66)",
        "decimal(5,6)",
        "decimal(65,31)",
        "decimal(5,",
        "varchar",
        "varchar(0)",
        "varchar(16384)",
        "varchar(10,2)",
        "varchar(10) unsigned",
        "varchar(\u0661\u0660)",
        "varbinary(65533)",
        "datetime(7)",
        "datetime(0)",
        "json(1)",
        "double unsigned",
        "int unsigned unsigned",
        "int; drop table x",
        "varchar(10)\0",
    ],
)
def test_a_type_that_cannot_be_filled_exactly_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="is not a type that can be filled exactly; use one like int, bigint unsigned"):
        parse_column_type(text)


@pytest.mark.parametrize(
    ("text", "is_binary", "is_text", "may_be_key", "key_bytes", "row_bytes"),
    [
        ("varchar(100)", False, True, True, 400, 402),
        ("varbinary(100)", True, False, True, 100, 102),
        ("bigint", False, False, True, 8, 8),
        ("mediumint", False, False, True, 3, 3),
        ("decimal(38,0)", False, False, True, 20, 20),
        ("text", False, True, False, None, 12),
        ("blob", True, False, False, None, 12),
        ("json", False, False, False, None, 12),
        ("double", False, False, False, None, 8),
        ("datetime(6)", False, False, False, None, 8),
        ("date", False, False, False, None, 8),
        ("boolean", False, False, False, None, 8),
    ],
)
def test_a_type_knows_what_it_may_be_and_what_it_takes(text, is_binary, is_text, may_be_key, key_bytes, row_bytes):
    found = parse_column_type(text)

    assert (found.is_binary, found.is_text, found.may_be_key) == (is_binary, is_text, may_be_key)
    assert key_bytes is None or found.key_bytes == key_bytes
    assert found.row_bytes == row_bytes
