"""The deployed pipeline: an emulated account, what stands in beside it, and the project's own scripts that deploy."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pymysql
from containers import REPOSITORY, docker
from deployed_emulator import ACCOUNT, REGION, Account, Decision
from deployed_firehose import destination
from deployed_tables import template_of
from templates import template
from testcontainers.compose import DockerCompose

ENVIRONMENT = "emulator"
PROJECT = "ddb2aurora-deployed"
NETWORK = f"{PROJECT}_default"
ROOT_STACK = f"ddb2aurora-{ENVIRONMENT}"
BOOTSTRAP_STACK = f"{ROOT_STACK}-bootstrap"
NETWORK_STACK = f"{ROOT_STACK}-network"
HERE = REPOSITORY / "tests" / "system" / "deployed"
# Whose rights a stand-in uses: a user of IAM who gets the policies of the role, as no user may assume it.
SERVICES = {"aurora": ("Database", "LoadRole"), "firehose": ("Pipeline", "DeliveryRole")}
# As parameters.json says.
RESOURCE_ID = "cluster-STANDIN"
CREDENTIALS = {"username": "root", "password": "not-a-password"}


@dataclass(frozen=True)
class Resource:
    """A resource of a stack that is there."""

    stack: str
    logical: str
    type: str
    physical: str
    status: str


class Deployment:
    """An account with a pipeline in it, seen by its administrator."""

    def __init__(self, account: Account, compose: DockerCompose, checkout: Path) -> None:
        self.account = account
        self._compose = compose
        self._checkout = checkout
        self.cloudformation = account.client("cloudformation")
        self.dynamodb = account.client("dynamodb")
        self.functions = account.client("lambda")
        self.s3 = account.client("s3")
        self.sqs = account.client("sqs")

    def run_script(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m deploy_aws` as make does, on the checkout and in the account."""
        sources = [self._checkout / "deploy" / "aws" / "src", self._checkout / "images" / "common" / "src"]
        return subprocess.run(
            [sys.executable, "-m", "deploy_aws", command, ENVIRONMENT, *arguments],
            cwd=self._checkout,
            env={**self.account.environment, "PYTHONPATH": ":".join(map(str, sources)), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the root stack."""
        return self.outputs_of(ROOT_STACK)

    def outputs_of(self, stack: str) -> Mapping[str, str]:
        found = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def resources(self, stack: str) -> list[Resource]:
        found = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return [
            Resource(
                stack,
                each["LogicalResourceId"],
                each["ResourceType"],
                each.get("PhysicalResourceId", ""),
                each["ResourceStatus"],
            )
            for each in found
        ]

    def nested(self, stack: str = ROOT_STACK) -> Mapping[str, str]:
        """Return the stacks in a stack: names, or ids, by logical name."""
        found = self.resources(stack)
        return {each.logical: each.physical for each in found if each.type == "AWS::CloudFormation::Stack"}

    @cached_property
    def stacks(self) -> Mapping[str, list[str]]:
        """The stacks of each template; network.yaml has two, as its network is there before the pipeline."""
        found = {"bootstrap": [BOOTSTRAP_STACK], "network": [NETWORK_STACK]}
        todo = [("root", ROOT_STACK)]
        while todo:
            name, stack = todo.pop()
            found.setdefault(name, []).append(stack)
            declared = template(name)["Resources"]
            todo += [(template_of(declared[logical]), inner) for logical, inner in self.nested(stack).items()]
        return found

    @cached_property
    def made(self) -> Mapping[str, str]:
        """Every resource that is there, `template.LogicalName`, with its name or id."""
        return {
            f"{name}.{each.logical}": each.physical
            for name, stacks in self.stacks.items()
            for stack in stacks
            for each in self.resources(stack)
        }

    def decisions(self) -> list[Decision]:
        """
        Return what was asked of IAM, and what it would have been: the stand-ins take calls that IAM does not see.

        Who called them is in their logs, by access key; whether they might is asked of IAM afterwards.
        """
        iam = self.account.client("iam")
        found = self.account.decisions
        for role, action, resource in self._calls_of_stand_ins():
            arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
            answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource])
            allowed = answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
            found.append(Decision(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/function", action, resource, allowed))
        return found

    def _calls_of_stand_ins(self) -> Iterator[tuple[str, str, str]]:
        """Yield the role that called, the action and the resource."""
        roles = self._roles_by_access_key()
        stream = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{self.outputs['DeliveryStreamName']}"
        for operation, key in set(re.findall(r"firehose\.api:(Put\w+) by (\w+)", self.log("firehose"))):
            yield roles[key], f"firehose:{operation}", stream
        cluster = f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:{RESOURCE_ID}"
        for user, key in set(re.findall(r"door:login of (\w+) by (\w+)", self.log("aurora"))):
            yield roles[key], "rds-db:connect", f"{cluster}/{user}"

    def _roles_by_access_key(self) -> Mapping[str, str]:
        """Return the role of each access key that a function has been given."""
        found = {}
        for container in docker(
            "ps", "--quiet", "--filter", f"network={NETWORK}", "--filter", "label=ministack"
        ).split():
            inspected = json.loads(docker("inspect", container, "--format", "{{json .Config.Env}}"))
            variables = dict(each.split("=", 1) for each in inspected)
            name = variables["AWS_LAMBDA_FUNCTION_NAME"]
            role = self.functions.get_function_configuration(FunctionName=name)["Role"]
            found[variables["AWS_ACCESS_KEY_ID"]] = role.rpartition("/")[2]
        return found

    def call_operator(self, command: str, **options: Any) -> dict[str, Any]:
        """Run a command of the operator in its function and return its output."""
        answer = self.ask_operator(command, **options)
        assert "output" in answer, answer
        return answer["output"]

    def ask_operator(self, command: str, **options: Any) -> dict[str, Any]:
        """Run a command of the operator in its function and return the answer, or the error."""
        event = {"command": command, "options": options}
        answer = self.functions.invoke(FunctionName=self.outputs["OperatorFunction"], Payload=json.dumps(event))
        return json.load(answer["Payload"])

    @property
    def database_port(self) -> int:
        """Where the database is reached from here."""
        return self._port("aurora", 3306)

    def connect(self) -> "pymysql.connections.Connection[Any]":
        """Return a connection to the database, as its administrator, through its door."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.database_port,
            user=CREDENTIALS["username"],
            password=CREDENTIALS["password"],
            ssl_ca=str(self.account.authority.file),
            ssl_verify_identity=True,
            autocommit=True,
        )

    def listen_to(self, topic: str) -> str:
        """Subscribe a queue of the test's own to a topic, and return its URL."""
        queue = self.sqs.create_queue(QueueName="listener")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        let_in = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        self.account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return queue

    def log(self, service: str) -> str:
        """Return what a stand-in has said."""
        return "".join(self._compose.get_logs(service))

    def start_firehose(self) -> None:
        """Make the stack's delivery stream in the stand-in, with the rights of the stack's roles."""
        nested = self.nested()
        for user, (stack, role) in SERVICES.items():
            self._grant(user, self._identities(nested[stack])[role])
        values = self._identities(nested["Pipeline"]) | {
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
        }
        values["DeliveryRole.Arn"] = f"arn:aws:iam::{ACCOUNT}:role/{values['DeliveryRole']}"
        self.firehose.create_delivery_stream(
            DeliveryStreamName=self.outputs["DeliveryStreamName"],
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=destination("DeliveryStream", values=values),
        )

    @cached_property
    def firehose(self) -> Any:
        """A client of the stand-in for Data Firehose."""
        return self.account.client("firehose", url=f"http://127.0.0.1:{self._port('firehose', 4573)}")

    def _identities(self, stack: str) -> dict[str, str]:
        """Return what `Ref` stands for in a stack: parameters and resources."""
        found = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}
        return parameters | {each.logical: each.physical for each in self.resources(stack)}

    def _grant(self, user: str, role: str) -> None:
        iam = self.account.client("iam")
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(document))

    def _port(self, service: str, port: int) -> int:
        return int(self._compose.get_service_port(service, port) or 0)
