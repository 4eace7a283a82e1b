"""A backfill on a whole stack, killed twice while its table changes, and compared at the end."""

import random
from pathlib import Path

import pytest

from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.drill.run import Drill, run_drill

pytestmark = pytest.mark.long

_REPOSITORY = Path(__file__).parents[3]
# Twelve segments, so that there are twelve checkpoints and more; slow enough to be killed between them.
_OPTIONS = ("--segments=12", "--threads=2", "--read-units=4")


def test_killed_twice_at_random_while_the_table_changes_it_ends_equal():
    seed = random.SystemRandom().randrange(2**31)
    print(f"repeat these items, changes and kills: seed {seed}")  # noqa: T201 - pytest shows it when this fails

    outcome = run_drill(
        Drill(items=3000, seed=seed, changes_a_second=40, options=_OPTIONS),
        read_pipeline_file(_REPOSITORY / "pipelines" / "web_analytics.yaml"),
        cache=_REPOSITORY / ".local" / "cache" / "databases",
        pipelines=_REPOSITORY / "pipelines",
        say=print,
    )

    last = outcome.attempts[-1].output
    assert [found.status for found in outcome.attempts] == [-9, -9, 1 if last["rejected"] else 0]
    assert (last["complete"], last["resumed"], outcome.verified.output["found"]) == (True, True, {})
    assert outcome.holds
