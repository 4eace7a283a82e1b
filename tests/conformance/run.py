"""
Look at every rule of Firehose in our stand-in, in MiniStack and in LocalStack; print the table and write the page.

Exits with 1 when our stand-in breaks a rule: that the others do is what the page is for.

    python tests/conformance/run.py PAGE IMAGE-OF-LOCALSTACK
"""

import io
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from conformance.page import page, table
from conformance.rule import KEPT, Verdict
from conformance.rules import RULES
from conformance.subject import Subject
from conformance.subjects import local_aws_on, localstack, ministack_at

from local_aws.services.ministack import MiniStack

# Most of a look is waiting; more of them at once would make the emulators slow, and then the looks wrong.
_AT_ONCE = 4


def judged(subject: Subject) -> tuple[Subject, Sequence[Verdict]]:
    started = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        verdicts = list(pool.map(lambda rule: rule.judge(subject), RULES))
    print(f"{subject.title}: {len(RULES)} rules in {time.monotonic() - started:.0f} s", file=sys.stderr)  # noqa: T201 - progress
    return subject, verdicts


def main(to: str, image: str) -> int:
    with MiniStack() as emulator:
        # What a function raises is printed, as Lambda puts it into the log.
        with local_aws_on(emulator.url) as ours, redirect_stdout(io.StringIO()):
            columns = [judged(ours)]
        columns.append(judged(ministack_at(emulator)))
    try:
        with localstack(image) as theirs:
            columns.insert(1, judged(theirs))
    except RuntimeError as error:
        sys.exit(f"conformance: {error}")
    Path(to).write_text(page(RULES, columns, day=datetime.now(UTC).date()), encoding="utf-8")
    print(table(RULES, columns))  # noqa: T201 - the table is what this command is for
    return int(any(verdict.kind != KEPT for verdict in columns[0][1]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
