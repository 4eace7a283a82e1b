"""
MiniStack, as `python mended_ministack.py FILE`, with what this project's templates need of it beyond what it does.

- Each of its decisions on who may do what is written down. What its CloudTrail keeps does not tell one action on S3
  from another; what its IAM is asked does. A line of FILE is a JSON document.
- Its CloudFormation refuses a whole stack for an alarm on metric math. Such an alarm is made here, and never evaluated.
- Its CloudFormation forgets the attributes of what an update of a nested stack leaves as it is, and then cannot resolve
  them. Here they are remembered.
- It asks its IAM for some calls on everything, where AWS asks on what the call names. Here it asks on that.
- Deleting a stack, its CloudFormation deletes what nested stacks are told to retain. Here it is retained, and told of.
- A number of an event source mapping that an update brings as text, as parameters are, breaks its polling. Here it is
  made a number.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, provisioners, stacks


def record_decisions(file: Path) -> None:
    """Let every decision of IAM leave a line in *file*."""
    decide = iam_evaluator.enforce
    lines = file.open("a", encoding="utf-8", buffering=1)

    def deciding(access_key_id: str, iam_action: str, service: str, region: str, **asked: Any) -> Any:
        refusal = decide(access_key_id, iam_action, service, region, **asked)
        principal = iam_evaluator.resolve_principal(access_key_id or "", get_account_id())
        decision = {
            "who": getattr(principal, "arn", ""),
            "action": iam_action,
            "resource": asked.get("resource_arn", "*"),
            "allowed": refusal is None,
        }
        lines.write(json.dumps(decision) + "\n")
        return refusal

    # It is looked up by name at every request, as the functions below are.
    iam_evaluator.enforce = deciding


def ask_on_what_is_named() -> None:
    """Let IAM be asked on a stream for its description, and on alarms for alarms."""
    name = iam_actions.extract_resource_arn

    def naming(service: str, *request: Any) -> str:
        body, region, account = request[3], request[-2], request[-1]
        if service == "dynamodbstreams":
            return json.loads(body).get("StreamArn", "*")
        if service == "monitoring" and iam_actions.extract_iam_action(service, *request[:-2]).endswith(
            ":DescribeAlarms"
        ):
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:*"
        return name(service, *request)

    iam_actions.extract_resource_arn = naming


def keep_alarms_on_metric_math() -> None:
    """Let CloudFormation make alarms on metric math, as alarms on a metric that nobody writes."""
    make = provisioners._cw_metric_alarm_record

    def making(name: str, properties: dict[str, Any]) -> Any:
        if "Metrics" in properties:
            rest = {key: value for key, value in properties.items() if key != "Metrics"}
            properties = {**rest, "Namespace": "metric math", "MetricName": name}
        return make(name, properties)

    provisioners._cw_metric_alarm_record = making


def remember_attributes() -> None:
    """Let CloudFormation know the attributes of a resource for as long as it is there."""
    make, change = provisioners._provision_resource, provisioners._update_resource
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def making(kind: str, *rest: Any, **others: Any) -> Any:
        identity, attributes = make(kind, *rest, **others)
        known[kind, identity] = attributes
        return identity, attributes

    def changing(kind: str, *rest: Any, **others: Any) -> Any:
        identity, attributes = change(kind, *rest, **others)
        known[kind, identity] = {**known.get((kind, identity), {}), **attributes}
        return identity, known[kind, identity]

    provisioners._provision_resource, provisioners._update_resource = making, changing


def retain_what_is_nested() -> None:
    """Let CloudFormation keep what the template of a nested stack wants kept, and tell of it, as with other stacks."""
    delete, summarize = provisioners._delete_resource, handlers._stack_drift_information_xml

    def deleting(
        kind: str, identity: str, properties: Any, stack: str | None = None, logical: str | None = None
    ) -> Any:
        found = cloudformation._stacks.get(stack) or {}
        declared = (found.get("_template") or {}).get("Resources", {}).get(logical, {})
        if declared.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}:
            stacks._add_event(found["StackId"], stack, logical, kind, "DELETE_SKIPPED", physical_id=identity)
        else:
            delete(kind, identity, properties, stack, logical)

    def summarizing(stack: dict[str, Any]) -> str:
        root = f"<RootId>{stack['RootId']}</RootId>" if "RootId" in stack else ""
        return root + summarize(stack)

    provisioners._delete_resource, handlers._stack_drift_information_xml = deleting, summarizing


def take_numbers_as_text() -> None:
    """Let CloudFormation update an event source mapping with numbers that came as text."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    change = handlers["update"]

    def changing(identity: str, before: dict[str, Any], after: dict[str, Any], stack: str) -> Any:
        return change(identity, before, {name: _number(value) for name, value in after.items()}, stack)

    handlers["update"] = changing


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


if __name__ == "__main__":
    record_decisions(Path(sys.argv.pop(1)))
    ask_on_what_is_named()
    keep_alarms_on_metric_math()
    remember_attributes()
    retain_what_is_nested()
    take_numbers_as_text()
    main()
