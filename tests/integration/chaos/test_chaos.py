"""A short run of chaos, as a user starts it; `make chaos` is the long one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

COMMAND = Path(sys.executable).with_name("ddb2aurora")
ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(300)
def test_every_fault_strikes_and_every_change_is_loaded_or_rejected(tmp_path):
    arguments = ["chaos", "--minutes", "0.3", "--changes", "4000", "--seed", "11", "--folder", str(tmp_path)]

    run = subprocess.run(
        [COMMAND, *arguments, "--cache", str(ROOT / ".local" / "cache" / "databases")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    told = run.stdout + run.stderr
    assert "VERDICT: the promise holds" in told, told
    balance = r"^accounts: [\d,]+ changes in = [\d,]+ loaded \+ [\d,]+ rejected \+ 0 failed$"
    assert re.search(balance, told, re.MULTILINE)
    assert run.returncode == 0
    assert list(tmp_path.iterdir()) == []
