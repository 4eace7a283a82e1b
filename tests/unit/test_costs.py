"""
The hot paths do not become dearer unnoticed, in figures that do not depend on the machine or on who else uses it.

When one does on purpose: `PYTHONPATH=tests/support .venv/bin/python -m costs` writes costs.json anew.
"""

import json

import pytest
from costs import FILE, PATHS, Cost, cost_of

KEPT = {path: Cost(**cost) for path, cost in json.loads(FILE.read_text()).items()}
TOLERANCE = 1.03


@pytest.mark.parametrize("path", PATHS)
def test_a_change_takes_no_more_instructions_and_calls_than_it_did(path):
    found = cost_of(path)

    assert found.instructions <= KEPT[path].instructions * TOLERANCE
    assert found.calls <= KEPT[path].calls * TOLERANCE


def test_every_path_is_kept_and_no_other():
    assert list(KEPT) == list(PATHS)
