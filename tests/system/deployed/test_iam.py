"""The rights of every role, set against what it did on a day in which everything was asked of it."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed_day import Day
from deployed_emulator import Decision
from deployed_pages import settle
from deployed_stack import SERVICES, Deployment
from deployed_tables import Grant, granted, table

pytestmark = pytest.mark.timeout(600)

PREFACE = """# Rights granted and used

Made by `make deployed-pages`. The templates are deployed into an emulated account (MiniStack, with IAM enforced), and a
day is lived there: two deployments, the demonstration's traffic, an outage of the database, a throttled transformer, a
change too large for Firehose, and the operator's commands. Each function has the credentials of its own role. The
stand-ins for Aurora and Data Firehose have the policies of the roles that those services use.

An action that no role used has its reason here; one that was used and not granted fails the test.
"""


@pytest.fixture(scope="module")
def decisions(day: Day) -> list[Decision]:
    return day.done.decisions()


@pytest.fixture(scope="module")
def used(day: Day, decisions: list[Decision]) -> set[Grant]:
    roles = roles_of(day.deployment)
    return {Grant(roles[role_in(each.who)], each.action) for each in decisions if role_in(each.who) in roles}


@pytest.fixture(scope="module")
def reasons() -> dict[Grant, str]:
    said: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "unused.yaml").read_text())
    return {
        Grant(role, action): reason for role, actions in said["roles"].items() for action, reason in actions.items()
    }


def roles_of(deployment: Deployment) -> dict[str, str]:
    """Return the roles, `template.LogicalName`, by their names, and by the users that stand for them."""
    roles = {role for role, _ in granted_roles()}
    made = {physical: name for name, physical in deployment.made.items() if name in roles}
    return made | {user: f"{stack.lower()}.{role}" for user, (stack, role) in SERVICES.items()}


def granted_roles() -> set[tuple[str, str]]:
    return {(each.role, each.action) for each in granted()}


def role_in(arn: str) -> str:
    """Return the name of the role or of the user in the ARN of whoever asked."""
    return [*arn.split("/"), ""][1]


def in_words(grants: Collection[Grant]) -> list[str]:
    return sorted(f"{each.role}: {each.action}" for each in grants)


def test_no_role_was_refused_anything(day: Day, decisions: list[Decision]):
    roles = roles_of(day.deployment)

    refused = {(roles[role_in(each.who)], each.action, each.resource) for each in decisions if not each.allowed}

    assert refused == set()


def test_what_a_role_used_its_template_grants(used: set[Grant]):
    assert in_words(used - granted()) == []


def test_a_right_that_nobody_used_has_its_reason(used: set[Grant], reasons: dict[Grant, str]):
    assert in_words(granted() - used - reasons.keys()) == []


def test_no_reason_is_given_for_what_was_used_or_is_not_granted(used: set[Grant], reasons: dict[Grant, str]):
    assert in_words(reasons.keys() & used) + in_words(reasons.keys() - granted()) == []


def test_the_page_says_what_was_found(used: set[Grant], reasons: dict[Grant, str]):
    settle("iam.md", page(used, reasons))


def page(used: set[Grant], reasons: dict[Grant, Any]) -> str:
    sections = [PREFACE]
    for role in sorted({each.role for each in granted()}):
        rows = [
            (f"`{each.action}`", "yes" if each in used else "no", "" if each in used else reasons.get(each, ""))
            for each in sorted(granted())
            if each.role == role
        ]
        name, logical = role.split(".")
        sections.append(f"## {logical} ({name}.yaml)\n\n{table(('action', 'used', 'why it is granted'), rows)}")
    return "\n".join(sections)
