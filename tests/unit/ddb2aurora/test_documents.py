import json
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values, texts

from ddb2aurora.documents import SchemaFileError, decode_document, schema_check
from ddb2aurora.errors import Reason, RejectError

DRAFTS = {
    "4": ("http://json-schema.org/draft-04/schema#", jsonschema.Draft4Validator),
    "6": ("http://json-schema.org/draft-06/schema#", jsonschema.Draft6Validator),
    "7": ("http://json-schema.org/draft-07/schema", jsonschema.Draft7Validator),
    "2019-09": ("https://json-schema.org/draft/2019-09/schema", jsonschema.Draft201909Validator),
    "2020-12": ("https://json-schema.org/draft/2020-12/schema", jsonschema.Draft202012Validator),
}
# Each uses another part of the vocabulary; all of them mean something in every draft.
SCHEMAS = (
    {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "c": {"$ref": "#"}}},
    {"type": ["array", "number"], "items": {"type": "number", "minimum": -3, "maximum": 5}, "uniqueItems": True},
    {"enum": [0, 1.5, "a", None, False, [1], {"n": 1}]},
    {"multipleOf": 0.5},
    {"anyOf": [{"type": "boolean"}, {"type": "string", "maxLength": 2}, {"not": {"type": ["string", "object"]}}]},
    {
        "definitions": {"leaf": {"oneOf": [{"type": "integer"}, {"type": "null"}]}},
        "additionalProperties": {"$ref": "#/definitions/leaf"},
        "patternProperties": {"^n": {"minimum": 1}},
        "maxProperties": 2,
    },
)
# What a double holds exactly, so that the plain package and ours speak of the same number.
_numbers = (
    st.integers(-7, 7) | st.integers(-14, 14).map(lambda halves: halves / 2) | st.sampled_from([1e20, 0.25, -0.0])
)
_documents = st.recursive(
    st.one_of(_numbers, st.sampled_from(["", "a", "abc"]), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["n", "n2", "c", "x"]), inner),
    max_leaves=8,
)


def _top(draft, members):
    return f'{{"$schema": "{draft[0]}", {members}}}'


def _check(schema):
    return schema_check(json.dumps(schema))


def _accepts(check, document_text):
    try:
        check(decode_document(document_text))
    except RejectError as error:
        assert error.reason is Reason.SCHEMA_VIOLATION  # noqa: PT017 - every other reason is a failure
        return False
    return True


CHECKS = [
    (_check({"$schema": uri, **schema}), validator({"$schema": uri, **schema}))
    for uri, validator in DRAFTS.values()
    for schema in SCHEMAS
]


@given(_documents)
def test_documents_are_judged_as_the_plain_package_judges_them(document):
    text = json.dumps(document)

    verdicts = [(_accepts(check, text), plain.is_valid(json.loads(text))) for check, plain in CHECKS]

    assert [ours for ours, _ in verdicts] == [plain for _, plain in verdicts]


@given(json_values)
def test_every_number_of_a_document_keeps_every_digit(value):
    text = json.dumps(value, default=_number_of_a_kind)
    rendered = _with_numbers(text, value)

    assert decode_document(rendered) == value


def _number_of_a_kind(number):
    return f"@{number}@"


def _with_numbers(text, value):
    # json.dumps writes no Decimal: each was written as a marked text, whose marks are taken off here.
    for number in _decimals(value):
        text = text.replace(json.dumps(f"@{number}@"), str(number), 1)
    return text


def _decimals(value):
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _decimals(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _decimals(inner)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12345678901234567890123456789012345678", 12345678901234567890123456789012345678),
        ("0.1234567890123456789012345678", Decimal("0.1234567890123456789012345678")),
        ("1E+3", Decimal("1E+3")),
        ("1.0", Decimal("1.0")),
        ("-0", 0),
        ("1e400", Decimal("1E+400")),
        ('{"a": [1, true, null, "\\u0000\\u2028"]}', {"a": [1, True, None, "\0\u2028"]}),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_a_document_is_decoded_exactly(text, value):
    decoded = decode_document(text)

    assert (decoded, type(decoded)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.DOCUMENT_NOT_JSON),
        ("{", Reason.DOCUMENT_NOT_JSON),
        ("{} {}", Reason.DOCUMENT_NOT_JSON),
        ("NaN", Reason.DOCUMENT_NOT_JSON),
        ("01", Reason.DOCUMENT_NOT_JSON),
        ('"\\ud800"', Reason.DOCUMENT_NOT_JSON),
        ('"\ud800"', Reason.DOCUMENT_NOT_JSON),
        ("\ufeff1", Reason.DOCUMENT_NOT_JSON),
        ("[" * 20_000, Reason.DOCUMENT_NOT_JSON),
        ("1" * 5_000, Reason.DOCUMENT_NOT_JSON),
        ("1." + "1" * 5_000, Reason.BAD_NUMBER),
        ("1e401", Reason.BAD_NUMBER),
        ("-1e-401", Reason.BAD_NUMBER),
        ("[1e99999999999999999999999]", Reason.BAD_NUMBER),
    ],
)
def test_what_is_no_document_is_rejected(text, reason):
    with pytest.raises(RejectError) as caught:
        decode_document(text)

    assert caught.value.reason is reason


@given(texts | st.text('[]{}",:0123456789.eE+-\\u truefalsn'))
def test_arbitrary_text_is_a_document_or_rejected(text):
    try:
        decode_document(text)
    except RejectError as error:
        assert error.reason in (Reason.DOCUMENT_NOT_JSON, Reason.BAD_NUMBER)  # noqa: PT017 - both are right


@pytest.mark.parametrize(
    ("schema", "document", "pointer", "detail"),
    [
        ({"properties": {"a/b": {"type": "string"}}}, {"a/b": 5}, "/a~1b", "breaks /properties/a~1b/type"),
        ({"items": {"minimum": 1}}, [1, 0], "/1", "breaks /items/minimum"),
        ({"required": ["secret"]}, {}, "", "breaks /required"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"maxLength": 1}}}, "secret", "", "breaks /$ref/maxLength"),
        ({"multipleOf": 0.01}, 1.001, "", "breaks /multipleOf"),
        ({"not": {}}, "secret", "", "breaks /not"),
    ],
)
def test_a_violation_names_place_and_rule_and_never_the_value(schema, document, pointer, detail):
    with pytest.raises(RejectError) as caught:
        _check(schema)(decode_document(json.dumps(document)))

    error = caught.value
    assert (error.reason, error.pointer) == (Reason.SCHEMA_VIOLATION, pointer)
    assert error.detail == detail.replace("/$ref/", "/") or error.detail == detail
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("schema", "text", "accepted"),
    [
        # As doubles, or in the Decimal context's 28 digits, each of these would be judged the other way.
        ('{"multipleOf": 0.01}', "1" + "0" * 40, True),
        ('{"multipleOf": 0.01}', "1" + "0" * 40 + ".001", False),
        ('{"multipleOf": 3}', "1" + "0" * 40 + "2", True),
        ('{"multipleOf": 0.1}', "1.1", True),
        ('{"multipleOf": 0.1}', '"text"', True),
        ('{"maximum": 9007199254740992}', "9007199254740993", False),
        ('{"const": 0.1}', "0.1000000000000000055", False),
        ('{"const": 1}', "1.00", True),
        ('{"const": 1}', "true", False),
        ('{"uniqueItems": true}', "[9007199254740992, 9007199254740993]", True),
        ('{"uniqueItems": true}', "[1, 1.0]", False),
        ('{"type": "integer"}', "1e30", True),
        ('{"type": "integer"}', "12345678901234567890123456789012345.5", False),
        ('{"type": "integer"}', "true", False),
        ('{"type": "number"}', "true", False),
        # A reference to the top must not lead to a validator that knows only floats.
        (
            _top(DRAFTS["2020-12"], '"properties": {"c": {"$ref": "#"}, "n": {"type": "integer", "multipleOf": 0.01}}'),
            '{"c": {"n": 1.0}}',
            True,
        ),
        # A draft-04 integer is written as one.
        (_top(DRAFTS["4"], '"type": "integer"'), "1.0", False),
        (_top(DRAFTS["4"], '"type": "integer"'), "1", True),
        (_top(DRAFTS["4"], '"type": "integer"'), "true", False),
        # Not every $ref is a reference.
        ('{"properties": {"$ref": {"type": "string"}}}', '{"$ref": 5}', False),
        ('{"enum": [{"$ref": "#/nowhere"}]}', '{"$ref": "#/nowhere"}', True),
        ('{"const": {"$ref": "https://example.com/"}}', '{"$ref": "https://example.com/"}', True),
        ('{"required": ["$ref"], "default": {"$ref": 1}}', "{}", False),
        # References inside the schema, by pointer, by anchor and by the name that it has for itself or its parts.
        ('{"$ref": "#a", "$defs": {"x": {"$anchor": "a", "type": "string"}}}', "1", False),
        (
            '{"$id": "https://e.com/s", "$ref": "https://e.com/s#/$defs/x", "$defs": {"x": {"type": "string"}}}',
            "1",
            False,
        ),
        ('{"$id": "https://e.com/s", "$ref": "t", "$defs": {"x": {"$id": "t", "type": "string"}}}', "1", False),
        ('{"$ref": "#/x%20y/0", "x y": [{"type": "string"}]}', "1", False),
        ('{"$dynamicRef": "#d", "$defs": {"x": {"$dynamicAnchor": "d", "type": "string"}}}', "1", False),
        ('{"items": {"$ref": "#/$defs/x"}, "$defs": {"x": true}}', "[1]", True),
    ],
)
def test_a_schema_means_what_its_draft_says_of_exact_numbers(schema, text, accepted):
    assert _accepts(schema_check(schema), text) is accepted


def test_a_document_too_deep_for_a_recursive_schema_is_rejected():
    check = _check({"items": {"$ref": "#"}})

    with pytest.raises(RejectError) as caught:
        check(decode_document("[" * 800 + "]" * 800))

    assert (caught.value.reason, caught.value.detail) == (Reason.SCHEMA_VIOLATION, "nested too deeply to be checked")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a JSON document; a JSON Schema is a JSON object"),
        ("{", "not a JSON document; a JSON Schema is a JSON object"),
        ('{"minimum": 1e999}', "an exponent beyond 400; a JSON Schema is a JSON object"),
        ("[]", "not a JSON object, as a JSON Schema is here"),
        ("true", "not a JSON object, as a JSON Schema is here"),
        ('{"$schema": "http://json-schema.org/draft-03/schema#"}', "its $schema is 'http://json-schema.org/draft-03/"),
        ('{"$schema": 5}', "its $schema is '5', which is no draft from 4 to 2020-12"),
        ('{"type": "sring"}', "not a valid JSON Schema: 'sring' is not valid under any of the given schemas at /type"),
        ('{"pattern": "("}', "not a valid JSON Schema: '(' is not a 'regex' at /pattern"),
        ('{"multipleOf": 0}', "not a valid JSON Schema: 0 is less than or equal to the minimum of 0 at /multipleOf"),
        ('{"$ref": "#/nowhere"}', "its reference '#/nowhere' leads nowhere; only references inside the schema work"),
        ('{"items": {"$ref": "#nowhere"}}', "its reference '#nowhere' leads nowhere"),
        ('{"$ref": "#/allOf/x", "allOf": [{}]}', "its reference '#/allOf/x' leads nowhere"),
        ('{"$ref": "https://example.com/other.json"}', "its reference 'https://example.com/other.json' leads nowhere"),
        ('{"$ref": "other.json#/a"}', "its reference 'other.json#/a' leads nowhere"),
        ('{"$ref": "http://["}', "its reference 'http://[' leads nowhere"),
        ('{"allOf": [{"properties": {"a": {"$ref": "x:y"}}}]}', "its reference 'x:y' leads nowhere"),
        (_top(DRAFTS["4"], '"$ref": 5'), "its reference 5 leads nowhere"),
        (_top(DRAFTS["7"], '"$ref": "#/x", "x": {"$ref": "#/y"}'), "its reference '#/y' leads nowhere"),
        (_top(DRAFTS["7"], '"$ref": "#/x", "x": {"type": 5}'), "not a valid JSON Schema: 5 is not valid under any"),
        ('{"$ref": "#/title", "title": "no schema"}', "not a valid JSON Schema: 'no schema' is not of type"),
        (_top(DRAFTS["4"], '"patternProperties": {"(": {}}'), "the pattern '(' is not a regular expression: missing )"),
        (
            '{"$defs": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}',
            "only the top of the schema may have a $schema",
        ),
        ('{"$ref": "#x", "$defs": {"a": {"$schema": "urn:x"}}}', "its reference '#x' leads nowhere"),
        ('{"$ref": "#"}', "its references lead in a circle, or it is nested too deeply"),
        ('{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#"}}}', "its references lead in a circle"),
        ('{"items": ' * 450 + "{}" + "}" * 450, "its references lead in a circle, or it is nested too deeply"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_before_any_change_comes(text, problem):
    with pytest.raises(SchemaFileError) as caught:
        schema_check(text)

    assert str(caught.value)[: len(problem)] == problem
