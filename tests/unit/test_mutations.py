"""The catalogue of deliberate bugs stays applicable; `make mutations` shows that each is caught."""

import ast

import pytest
from mutation_catalogue import ROOT, DoesNotApplyError, Mutation, read_catalogue

CATALOGUE = read_catalogue()


def _copy(mutation, root):
    path = root / mutation.file
    path.parent.mkdir(parents=True)
    path.write_text((ROOT / mutation.file).read_text())
    return path


@pytest.mark.parametrize("mutation", CATALOGUE, ids=lambda mutation: mutation.name)
def test_a_mutation_applies_and_leaves_code_that_can_be_parsed(mutation, tmp_path):
    path = _copy(mutation, tmp_path)

    mutation.apply(tmp_path)

    assert ast.dump(ast.parse(path.read_text())) != ast.dump(ast.parse((ROOT / mutation.file).read_text()))


@pytest.mark.parametrize("mutation", CATALOGUE, ids=lambda mutation: mutation.name)
def test_every_test_that_a_mutation_names_is_there(mutation):
    named = [test.partition("[")[0].split("::") for test in mutation.caught_by]

    assert named
    for path, function in named:
        assert f"\ndef {function}(" in (ROOT / path).read_text()


def test_names_are_unique():
    names = [mutation.name for mutation in CATALOGUE]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("text", ["", "a = 1\na = 1\n"])
def test_a_text_that_is_not_found_once_does_not_apply(text, tmp_path):
    (tmp_path / "code.py").write_text(text)
    mutation = Mutation(name="bug", file="code.py", find="a = 1", replace="a = 2", caught_by=("test",))

    with pytest.raises(DoesNotApplyError):
        mutation.apply(tmp_path)

    assert (tmp_path / "code.py").read_text() == text
