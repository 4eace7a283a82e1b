"""Write the catalogue of the scenarios: `python -m scenarios_catalogue`, from this folder."""

from collections.abc import Iterable
from pathlib import Path

from scenarios import FOLDER, Scenario, read_scenarios

CATALOGUE = FOLDER / "README.md"
_HEAD = """\
# Scenarios

One behaviour a file, as data. Each case runs on the plain-dict model, through the loader into a real database in both
load modes, and through the whole path from DynamoDB or from `processed/` to the table. To add a behaviour, add a file:

```yaml
about: A delete is newer than an update that arrives after it.
changes:
  - {at: 10, put: {id: a, n: 1}}
  - {at: 30, delete: {id: a}}
  - {at: 20, put: {id: a, n: 2}}
rows: []
stack: objects
```

`scenario.schema.json` says what else a case may hold, and what it means; a word that it does not know is an error.
Beside YAML's own text, whole numbers, `true`, `false`, `null` and `!!binary` there are `!n "1.50"` (a number, exactly),
`!ss`, `!ns` and `!bs` (sets), `!repeat ["text", times]`, and `!dynamodb {N: "1E3"}` (an attribute as a stream carries
it). This page is written by `python -m scenarios_catalogue` in `tests/support`.

| case | behaviour | on the stack |
|---|---|---|
"""


def catalogue(cases: Iterable[Scenario]) -> str:
    """Return the text of the catalogue of *cases*."""
    lines = [f"| [{case.name}]({case.name}.yaml) | {case.about} | {_on_the_stack(case)} |\n" for case in cases]
    return _HEAD + "".join(lines)


def _on_the_stack(case: Scenario) -> str:
    if case.refused:
        return "the pipeline file is refused"
    return f"no: {case.why_no_stack}" if case.why_no_stack else case.stack


def main(path: Path = CATALOGUE) -> None:
    path.write_text(catalogue(read_scenarios()), encoding="utf-8")


if __name__ == "__main__":
    main()
