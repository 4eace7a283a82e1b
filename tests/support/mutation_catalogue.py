"""The deliberate bugs of `tests/mutations/catalogue.toml`: what each changes, and which tests must fail for it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "tests" / "mutations" / "catalogue.toml"


class DoesNotApplyError(Exception):
    """The text that a mutation replaces is not found exactly once."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One bug: in *file*, *find* becomes *replace*; each test of *caught_by* must fail."""

    name: str
    file: str
    find: str
    replace: str
    caught_by: tuple[str, ...]

    @property
    def module(self) -> str:
        """The dotted name of the module that *file* is."""
        return self.file.partition("/src/")[2].removesuffix(".py").replace("/", ".")

    def apply(self, root: Path) -> None:
        """
        Put the bug into the tree under *root*.

        Raises:
            DoesNotApplyError: The text is not there, or there more than once.
        """
        path = root / self.file
        text = path.read_text() if path.is_file() else ""
        if text.count(self.find) != 1 or self.find == self.replace:
            raise DoesNotApplyError(f"{self.name}: its text is found {text.count(self.find)} times in {self.file}")
        path.write_text(text.replace(self.find, self.replace))


def read_catalogue(path: Path = CATALOGUE) -> tuple[Mutation, ...]:
    """Return all mutations, in the order of the file."""
    entries = tomllib.loads(path.read_text())["mutation"]
    return tuple(Mutation(**{**entry, "caught_by": tuple(entry["caught_by"])}) for entry in entries)
