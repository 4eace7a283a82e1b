"""A container that is killed in mid-stream costs time and no change."""

import contextlib

import pymysql
import pytest
from compose_stack import ComposeStack
from outside import Page, eventually

CHANGES = 60
# A database that was killed recovers first, and an event that failed is tried again after half a minute.
RECOVERY_SECONDS = 120

# The container of LocalStack is not among them: without an account it keeps nothing over a restart, as its makers say.
KILLED = ["stream-processor-1", "firehose-transformer-1", "aurora-loader-1", "local-aws-1", "aurora-1", "mysql-1"]


def rows_of(compose: ComposeStack, page_id: str) -> list[tuple[str, int]] | str:
    """Return the rows over a new connection, as the old one may have died with the container."""
    try:
        with contextlib.closing(compose.connect()) as connected:
            return Page(connected, page_id).rows()
    except pymysql.err.OperationalError as error:
        return f"no connection: {error}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("container", KILLED)
def test_no_change_is_lost_when_a_container_is_killed_in_mid_stream(compose: ComposeStack, page: Page, container: str):
    ats = [f"{number:03}" for number in range(CHANGES)]
    for at in ats[: CHANGES // 3]:
        page.put(at)
    compose.kill(container)
    for at in ats[CHANGES // 3 : 2 * CHANGES // 3]:
        page.put(at)
    compose.start(container)
    for at in ats[2 * CHANGES // 3 :]:
        page.put(at)
    page.delete(ats[0])

    eventually(lambda: rows_of(compose, page.page_id), [(at, 1) for at in ats[1:]], seconds=RECOVERY_SECONDS)
