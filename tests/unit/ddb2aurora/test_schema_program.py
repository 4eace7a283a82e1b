"""A schema's program says what the full validator says: of any document, and of the very rule that is broken first."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.documents import SchemaFileError, decode_document
from ddb2aurora.schema_program import Breach, Draft, program_for
from ddb2aurora.schema_validator import first_breach_by, full_validator

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFTS = (
    DRAFT_4,
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
)
NAMES = st.sampled_from("abc")
TYPES = st.sampled_from(("object", "array", "string", "integer", "number", "boolean", "null"))
SIZES = st.integers(0, 2)
LIMITS = st.sampled_from((0, 1, -1.5, 2))
SCALARS = st.sampled_from((None, True, False, "", "a", "ab", "é😀b", 0, 1, -3, 5, 1.5, 2.0, 10**30))
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


def plain_keywords(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of some plain keywords, in any order."""
    keywords = {
        "title": st.just("a note"),
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "required": st.lists(NAMES, min_size=1, unique=True),
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "items": inner,
        "additionalProperties": st.booleans(),
        "enum": st.lists(st.sampled_from(("a", "b", "ab")), min_size=1, unique=True),
        "pattern": st.sampled_from(("^a", "b$", "..")),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), SIZES),
        **dict.fromkeys(("minimum", "maximum"), LIMITS),
    }
    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=5, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


SCHEMAS = st.recursive(plain_keywords(st.just({})), plain_keywords, max_leaves=6)


def draft_of(name: str) -> Draft:
    return Draft.FOUR if name == DRAFT_4 else Draft.LATER


@given(draft=st.sampled_from(DRAFTS), schema=SCHEMAS, documents=st.lists(DOCUMENTS, min_size=1, max_size=5))
def test_the_first_breach_is_that_of_the_full_validator(draft, schema, documents):
    schema = decode_document(json.dumps({"$schema": draft, **schema}))
    validator = full_validator(schema)
    program = program_for(schema, draft=draft_of(draft))
    assert program is not None

    for document in (decode_document(json.dumps(document)) for document in documents):
        error = next(validator.iter_errors(document), None)
        expected = None if error is None else Breach(tuple(error.absolute_path), tuple(error.absolute_schema_path))
        assert program(document) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "string"}]},
        {"$ref": "#/definitions/a"},
        {"properties": {"a": {"not": {}}}},
        {"additionalProperties": {"type": "string"}},
        {"additionalProperties": False, "patternProperties": {"a": {}}},
        {"enum": ["a", 1]},
        {"items": [{"type": "string"}]},
        {"properties": {"a": True}},
        {"uniqueItems": True},
        {"multipleOf": 2},
        {"format": "date"},
    ],
    ids="-".join,
)
def test_a_schema_that_uses_anything_else_has_no_program(schema):
    assert program_for(schema, draft=Draft.LATER) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"minimum": 1, "exclusiveMinimum": True},
        {"const": "a"},
        {"exclusiveMaximum": 3},
    ],
    ids="-".join,
)
def test_what_means_something_else_in_draft_4_has_no_program_there(schema):
    assert program_for(schema, draft=Draft.FOUR) is None


@pytest.mark.parametrize(
    ("document", "breach"),
    [
        (0, None),
        (1, Breach((), ("exclusiveMaximum",))),
        ("a", Breach((), ("type",))),
    ],
)
def test_exclusive_limits_and_constants_of_later_drafts(document, breach):
    program = program_for({"type": "integer", "exclusiveMaximum": 1, "exclusiveMinimum": -1}, draft=Draft.LATER)

    assert program(document) == breach


def test_a_constant_is_compared_as_a_string():
    program = program_for({"const": "a"}, draft=Draft.LATER)

    assert [program(document) for document in ("a", "b", 1)] == [None, Breach((), ("const",)), Breach((), ("const",))]


def test_a_schema_that_is_none_is_refused_before_it_could_have_a_program():
    with pytest.raises(SchemaFileError):
        full_validator({"type": "nothing"})


KEYWORDS = (
    "type",
    "required",
    "properties",
    "items",
    "additionalProperties",
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxItems",
    "minProperties",
    "minimum",
    "exclusiveMaximum",
    "title",
    "examples",
    "default",
    "$comment",
    "$schema",
)
ODD_VALUES = st.one_of(
    SCALARS,
    st.sampled_from(("string", "nothing", "(", "^a", -1, 0.5, [], {}, ["a", "a"], ["string"], ["a", 1], {"a": 1})),
    st.builds(lambda keyword, value: {keyword: value}, st.sampled_from(KEYWORDS), SCALARS),
    st.builds(lambda schema: {"a": schema}, SCHEMAS),
)


@given(
    draft=st.sampled_from(DRAFTS),
    schema=st.dictionaries(st.sampled_from(KEYWORDS), ODD_VALUES, max_size=3),
    document=DOCUMENTS,
)
def test_what_the_full_validator_refuses_has_no_program(draft, schema, document):
    schema = decode_document(json.dumps({**schema, "$schema": draft}))

    program = program_for(schema, draft=draft_of(draft))

    if program is not None:
        document = decode_document(json.dumps(document))
        assert program(document) == first_breach_by(schema)(document)
