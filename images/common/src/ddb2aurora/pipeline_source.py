"""
The text of a pipeline file as plain values, with the line of each, and the mistakes that are found in it.

YAML is read as text, numbers, booleans, null, lists and mappings, and nothing else: what another reader of YAML would
take differently (a key twice, a merge key, a tag) is a mistake here.
"""

import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from ddb2aurora.errors import HaltError

Place = tuple[str | int, ...]

_MAX_VALUES: Final = 20_000  # aliases of aliases grow without bounds
_MAX_DEPTH: Final = 50
_YAML_S_OWN: Final = "tag:yaml.org,2002:"


class Problem(NamedTuple):
    """One mistake in a pipeline file; *line* counts from 1."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class PipelineFileError(HaltError):
    """A pipeline file has mistakes; the text lists them all, one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        """Report *problems* in the order of their lines."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class PipelineSource:
    """The parsed file: its *value*, the line of every place in it, and the *problems* found so far."""

    def __init__(self, path: Path) -> None:
        """
        Read the file at *path*.

        Raises:
            PipelineFileError: It cannot be read or is not YAML.
        """
        self.path = path
        self.problems: list[Problem] = []
        self._lines: dict[Place, int] = {(): 1}
        self._values_left = _MAX_VALUES
        node = _compose(path)
        self.value: Any = None if node is None else self._value(node, ())

    def report(self, place: Place, text: str) -> None:
        """Note a mistake at *place*, or at the nearest place around it that the file has."""
        while place not in self._lines:
            place = place[:-1]
        self.problems.append(Problem(self.path, self._lines[place], text))

    def _value(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - whatever the file holds
        self._lines.setdefault(place, node.start_mark.line + 1)
        self._values_left -= 1
        if self._values_left < 0 or len(place) > _MAX_DEPTH:
            raise PipelineFileError([Problem(self.path, self._lines[place], "its aliases make it too large")])
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        tag = _tag(node)
        if tag not in ("map", "seq"):
            self.report(place, f"the tag {tag} has no meaning here")
        if isinstance(node, yaml.SequenceNode):
            return [self._value(inner, (*place, index)) for index, inner in enumerate(node.value)]
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            self._lines.setdefault((*place, str(key_node.value)), key_node.start_mark.line + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.report(place, "a key must be plain text")
            elif _tag(key_node) == "merge":
                self.report((*place, key_node.value), "merge keys (<<) are not read here; write the entries out")
            elif key_node.value in found:
                text = f"{key_node.value!r} stands here twice, in line {key_node.start_mark.line + 1} again"
                self.report((*place, key_node.value), text)
            else:
                found[key_node.value] = self._value(value_node, (*place, key_node.value))
        return found

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:  # noqa: ANN401 - whatever the file holds
        try:
            value = yaml.SafeLoader("").construct_object(node)
            str(value).encode()
        except UnicodeEncodeError:
            self.report(place, "half of a surrogate pair is no character")
        except (yaml.YAMLError, ValueError, OverflowError):
            self.report(place, f"{node.value!r} cannot be read as {_tag(node)}")
        else:
            if not isinstance(value, float) or math.isfinite(value):
                return value
            self.report(place, f"{node.value!r} is no number to reckon with")
        return None


def _tag(node: yaml.Node) -> str:
    return str(node.tag).removeprefix(_YAML_S_OWN)


def _compose(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = Problem(path, line, f"not YAML: {error.problem}")
    except yaml.reader.ReaderError as error:
        text = path.read_text(encoding="utf-8-sig")
        problem = Problem(path, text.count("\n", 0, error.position) + 1, f"not YAML: {error.reason}")
    except RecursionError:
        problem = Problem(path, 1, "nested too deeply")
    except OSError as error:
        problem = Problem(path, 1, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        problem = Problem(path, error.object.count(b"\n", 0, error.start) + 1, "not UTF-8")
    raise PipelineFileError([problem])
