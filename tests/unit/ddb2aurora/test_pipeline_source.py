import pytest

from ddb2aurora.pipeline_source import PipelineFileError, PipelineSource


@pytest.fixture
def read(tmp_path):
    """Give a function that reads a text as a pipeline file."""

    def read(text):
        path = tmp_path / "things.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return PipelineSource(path)

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("a: {b: [1, 2.5, true, null, text, '5']}", {"a": {"b": [1, 2.5, True, None, "text", "5"]}}),
        ("\ufeffa: 1", {"a": 1}),
        ("1: a\ntrue: b\nnull: c\n~: d", {"1": "a", "true": "b", "null": "c", "~": "d"}),
        ("a: &x {n: 1}\nb: *x\nc: [*x]", {"a": {"n": 1}, "b": {"n": 1}, "c": [{"n": 1}]}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("just text", "just text"),
    ],
)
def test_yaml_is_plain_values_whose_keys_are_texts(read, text, value):
    source = read(text)

    assert (source.value, source.problems) == (value, [])


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: 1\nb: 2\na: 3", [(1, "'a' stands here twice, in line 3 again")]),
        ("x:\n  <<: {a: 1}", [(2, "merge keys (<<) are not read here; write the entries out")]),
        ("x:\n  ? [a]\n  : 1", [(1, "a key must be plain text")]),
        ("a: 1\nb: !foo {}", [(2, "the tag !foo has no meaning here")]),
        ("a: !!set {x}", [(1, "the tag set has no meaning here")]),
        ("a: !foo x", [(1, "'x' cannot be read as !foo")]),
        ("a: !!python/name:os.system x", [(1, "'x' cannot be read as python/name:os.system")]),
        ("a:\n- 2024-13-45", [(2, "'2024-13-45' cannot be read as timestamp")]),
        (f"a: {'1' * 5000}", [(1, f"'{'1' * 5000}' cannot be read as int")]),
        ("a: .nan\nb: .inf", [(1, "'.nan' is no number to reckon with"), (2, "'.inf' is no number to reckon with")]),
        ('a: "\\ud800"', [(1, "half of a surrogate pair is no character")]),
    ],
)
def test_what_readers_of_yaml_take_differently_is_a_mistake(read, text, problems):
    source = read(text)

    assert [(problem.line, problem.text) for problem in source.problems] == problems


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\n\tb: 2", 2, "not YAML: found character '\\t' that cannot start any token"),
        ("a: [1", 1, "not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n---\nb: 2", 2, "not YAML: but found another document"),
        ("a: *nothing", 1, "not YAML: found undefined alias 'nothing'"),
        ("a: 1\nb: x\0", 2, "not YAML: special characters are not allowed"),
        (b"a: 1\nb: \xff", 2, "not UTF-8"),
        ("[" * 5000, 1, "nested too deeply"),
        ("a: &a [*a]", 1, "its aliases make it too large"),
        ("[" * 60 + "]" * 60, 1, "its aliases make it too large"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "\n".join(
                f"{name}: &{name} [{','.join([f'*{last}'] * 10)}]"
                for last, name in zip("abcdef", "bcdefg", strict=True)
            ),
            1,
            "its aliases make it too large",
        ),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(read, text, line, problem):
    with pytest.raises(PipelineFileError) as caught:
        read(text)

    [found] = caught.value.problems
    assert (found.line, found.text) == (line, problem)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PipelineFileError) as caught:
        PipelineSource(tmp_path / "nowhere.yaml")

    assert str(caught.value) == f"{tmp_path}/nowhere.yaml:1: cannot be read: No such file or directory"


def test_a_mistake_at_a_place_that_is_not_there_is_reported_around_it(read):
    source = read("a:\n  b:\n    c: 1\n")

    source.report(("a", "b", "missing", 5), "x")
    source.report(("elsewhere",), "y")

    assert [(problem.line, problem.text) for problem in source.problems] == [(2, "x"), (1, "y")]
