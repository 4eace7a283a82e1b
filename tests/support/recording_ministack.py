"""
MiniStack, as `python recording_ministack.py FILE`, with each of its decisions on who may do what written down.

What its CloudTrail keeps does not tell one action on S3 from another; what its IAM is asked does. A line of FILE is a
JSON document: who asked (ARN), the action, the resource, and whether it was allowed.

Its CloudFormation refuses a whole stack for an alarm on metric math. Such an alarm is made here, and never evaluated.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services.cloudformation import provisioners


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

    # It is looked up by name at every request.
    iam_evaluator.enforce = deciding


def keep_alarms_on_metric_math() -> None:
    """Let CloudFormation make alarms on metric math, as alarms on a metric that nobody writes."""
    make = provisioners._cw_metric_alarm_record

    def making(name: str, properties: dict[str, Any]) -> Any:
        if "Metrics" in properties:
            rest = {key: value for key, value in properties.items() if key != "Metrics"}
            properties = {**rest, "Namespace": "metric math", "MetricName": name}
        return make(name, properties)

    provisioners._cw_metric_alarm_record = making


if __name__ == "__main__":
    record_decisions(Path(sys.argv.pop(1)))
    keep_alarms_on_metric_math()
    main()
