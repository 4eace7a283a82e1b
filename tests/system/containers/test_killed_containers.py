"""A container that is killed in mid-stream costs time and no change."""

import pytest
from compose_stack import ComposeStack
from outside import Page, eventually

CHANGES = 60

# The container of LocalStack is not among them: without an account it keeps nothing over a restart, as its makers say.
KILLED = ["stream-processor-1", "firehose-transformer-1", "aurora-loader-1", "local-aws-1", "aurora-1", "mysql-1"]


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

    connected = compose.connect()
    try:
        eventually(Page(connected, page.page_id).rows, [(at, 1) for at in ats[1:]])
    finally:
        connected.close()
