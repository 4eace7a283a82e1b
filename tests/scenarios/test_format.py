"""A case that says something without a meaning is an error with its file and place, never a case that tests less."""

import pytest

from scenarios import ScenarioError, read_scenario

BORING = """\
about: Nothing happens.
changes: []
rows: []
"""
TWO_CHANGES = """\
about: Something happens.
changes:
  - {at: 10, put: {id: a, n: 1}}
  - {at: 20, delete: {id: a}}
rows: []
"""


@pytest.fixture
def problems(tmp_path):
    """Return what is wrong with a case of this text."""

    def read(text, name="some-case"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioError) as failure:
            read_scenario(path)
        return str(failure.value).splitlines()

    return read


def test_an_unknown_key_is_an_error_wherever_it_stands(problems):
    text = TWO_CHANGES.replace("rows: []", "row: []\nrows: []").replace("n: 1}", "n: 1}, put_at: 3")

    assert problems(text) == [
        "some-case.yaml: $: Additional properties are not allowed ('row' was unexpected)",
        "some-case.yaml: $.changes[0]: Additional properties are not allowed ('put_at' was unexpected)",
    ]


def test_all_that_is_missing_is_named(problems):
    assert problems("about: Nothing happens.\n") == [
        "some-case.yaml: $: 'changes' is a required property",
        "some-case.yaml: $: 'rows' is a required property",
    ]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("1.5", 'write 1.5 as !n "1.5", to be exact'),
        ("yes", "quote yes, so that it is clear what it is"),
        ("010", "quote 010, so that it is clear what it is"),
        ("10:30", "quote 10:30, so that it is clear what it is"),
    ],
)
def test_a_word_that_yaml_takes_for_something_else_is_an_error(problems, written, problem):
    assert problems(TWO_CHANGES.replace("n: 1", f"n: {written}")) == [f"some-case.yaml: line 3: {problem}"]


def test_a_key_that_stands_twice_is_an_error(problems):
    assert problems(BORING + "rows: []\n") == ["some-case.yaml: line 1: stands twice: rows"]


def test_a_change_that_no_object_carries_is_an_error(problems):
    text = TWO_CHANGES + "objects: [{changes: [1]}]\nstack: objects\n"

    assert problems(text) == ["some-case.yaml: the objects must carry every change, and no others"]


def test_an_object_cannot_be_announced_again_before_it_was(problems):
    text = TWO_CHANGES + "objects: [{again: 2}, {changes: [1, 2]}, {again: 7}]\nstack: objects\n"

    assert problems(text) == ["some-case.yaml: an object can be announced again only if it was announced before"]


def test_what_dynamodb_cannot_be_made_to_do_is_no_case_of_items(problems):
    text = """\
about: Something happens.
changes:
  - {at: 20, epoch: 2, put: {id: a}}
  - {at: 10, ttl_delete: {id: a}}
  - {at: 30, delete: {id: a}}
objects:
  - {changes: [1, 2]}
  - {changes: [3]}
rows: []
"""

    assert problems(text) == [
        "some-case.yaml: stack: items cannot make the changes [1, 2]; use objects",
        "some-case.yaml: stack: items puts changes in their order; use objects for another",
        "some-case.yaml: stack: items leaves it to the delivery stream how objects are made; use objects",
        "some-case.yaml: change 3 changes nothing, so no stream would tell of it; use objects",
    ]


def test_a_name_that_no_pipeline_can_have_is_an_error(problems):
    assert problems(BORING, name="Some_case") == [
        "Some_case.yaml: the name of the file must be 3 to 48 small letters, digits and -"
    ]


def test_nothing_can_happen_with_a_pipeline_file_that_is_refused(problems):
    assert problems(TWO_CHANGES + "refused: [a mistake]\n") == [
        "some-case.yaml: nothing happens with a pipeline file that is refused"
    ]
