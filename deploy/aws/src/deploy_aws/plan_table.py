"""A plan as people read it: a row a resource, and a loud word about data that would be replaced or removed. Pure."""

from collections.abc import Iterable
from typing import Final

from rich.markup import escape
from rich.table import Table

from deploy_aws.change_sets import Change

# What holds something that cannot be made again.
DATA_STORES: Final = frozenset(
    {
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::RDS::DBCluster",
        "AWS::SQS::Queue",
        "AWS::ECR::Repository",
        "AWS::Logs::LogGroup",
        "AWS::KMS::Key",
    }
)
_STYLES: Final = {"Add": "green", "Modify": "yellow", "Remove": "red", "Import": "green"}
_MAYBE: Final = "Conditional"


def plan_table(changes: Iterable[Change], *, title: str) -> Table:
    """Return *changes* as a table."""
    table = Table(title=escape(title), title_justify="left")
    for name in ("action", "stack", "resource", "type", "replaced", "why"):
        table.add_column(name, overflow="fold")
    for change in changes:
        table.add_row(
            f"[{_STYLES.get(change.action, 'yellow')}]{change.action}[/]",
            *(escape(text) for text in (change.stack, change.resource, change.type)),
            {"True": "[bold red]yes[/]", _MAYBE: "[bold yellow]perhaps[/]", "False": "no"}.get(change.replacement, ""),
            escape(change.why),
        )
    return table


def warnings(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return a warning for each store of data that *changes* would remove or replace."""
    return tuple(filter(None, map(_warning, changes)))


def _warning(change: Change) -> str | None:
    if change.type not in DATA_STORES:
        return None
    name = f"{change.stack}/{change.resource} ({change.type}, {change.physical_id})"
    if change.action == "Remove":
        return f"DATA: {name} would leave the stack: it is deleted, or kept without a stack, as its policy says"
    if change.replacement == "True":
        return f"DATA: {name} would be REPLACED by an empty one"
    if change.replacement == _MAYBE:
        return f"DATA: {name} may be REPLACED by an empty one; CloudFormation cannot tell beforehand"
    return None
