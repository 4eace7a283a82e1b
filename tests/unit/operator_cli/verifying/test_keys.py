"""The key of a row leads back to the key of its item, or to none when no item can have it."""

from decimal import Decimal

import pytest
from builders import a_column, a_pipeline, dynamodb_json
from hypothesis import given
from hypothesis import strategies as st
from strategies import numbers, texts

from operator_cli.verifying.keys import ItemKeys
from operator_cli.verifying.sides import Comparison


def keys_of(kind, type_):
    return ItemKeys(a_pipeline(columns=(a_column("id", type_),)), {"id": kind})


@pytest.mark.parametrize(
    ("kind", "type_", "field", "value"),
    [
        ("S", "varchar(20)", "a b", {"S": "a b"}),
        ("S", "varbinary(20)", "6162", {"S": "ab"}),
        ("N", "bigint", "-5", {"N": "-5"}),
        ("N", "decimal(10,2)", "1.5", {"N": "1.5"}),
        ("N", "varchar(20)", "12", {"N": "12"}),
        ("B", "varbinary(20)", "00ff", {"B": "AP8="}),
    ],
)
def test_a_key_leads_back(kind, type_, field, value):
    assert keys_of(kind, type_).of_row((field,)) == {"id": value}


@pytest.mark.parametrize(
    ("kind", "type_", "field"),
    [
        ("S", "varchar(20)", ""),
        ("S", "varbinary(20)", "ff"),
        ("S", "varchar(16383)", "x" * 2049),
        ("N", "varchar(20)", "012"),
        ("N", "varchar(20)", "twelve"),
        ("N", "varchar(20)", "NaN"),
        ("N", "decimal(60,0)", "1" * 39),
        ("B", "varbinary(20)", ""),
    ],
)
def test_no_item_has_such_a_key(kind, type_, field):
    assert keys_of(kind, type_).of_row((field,)) is None


@given(texts.filter(lambda text: 0 < len(text) <= 100), numbers())
def test_every_key_that_fits_a_row_leads_back_to_itself(text, number):
    columns = (a_column("id", "varchar(100)"), a_column("n", "decimal(65,30)"))
    pipeline = a_pipeline(source_key=("id", "n"), columns=columns)
    keys = dynamodb_json({"id": text, "n": number})
    row_key = Comparison(pipeline).row_key(keys)

    if row_key is not None:
        item_keys = ItemKeys(pipeline, {"id": "S", "n": "N"})
        assert item_keys.of_row(row_key) == keys
        assert item_keys.parse(item_keys.text(keys)) == keys


@given(st.binary(min_size=1, max_size=20))
def test_every_binary_key_leads_back(value):
    keys = keys_of("B", "varbinary(20)")
    item = dynamodb_json({"id": value})

    assert keys.of_row((value.hex(),)) == item


def test_a_number_is_one_key_however_it_is_written():
    assert keys_of("N", "varchar(50)").of_row(("100",)) == dynamodb_json({"id": Decimal("1E+2")})
