"""An emulated account with all that a deployment needs to be there, from nothing to nothing."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from containers import REPOSITORY, docker
from deployed_emulator import Account, running_account
from deployed_images import LABEL, pushed_images
from deployed_stack import CREDENTIALS, ENVIRONMENT, NETWORK, NETWORK_STACK, PROJECT, SERVICES, Deployment
from testcontainers.compose import DockerCompose

HERE = REPOSITORY / "tests" / "system" / "deployed"


@contextlib.contextmanager
def running_deployment(folder: Path) -> Iterator[Deployment]:
    """Run an account with all that a deployment needs to be there: images, an Aurora cluster, a network."""
    certificates = folder / "account"
    certificates.mkdir()
    # Containers read the certificates under users of their own.
    certificates.chmod(0o755)
    variables = {
        "AWS_CA_BUNDLE": "/rie/ca.pem",
        # MiniStack's own Firehose delivers each record alone, keeps no backup and drops what fails.
        "AWS_ENDPOINT_URL_FIREHOSE": "http://firehose:4573",
    }
    remove_leftovers()
    with (
        running_account(certificates, network=NETWORK, function_variables=variables) as account,
        pushed_images(folder, trusted=account.authority.file) as images,
        stand_ins(folder, account) as compose,
    ):
        deployment = Deployment(account, compose, checkout(folder, images))
        given = {**make_network(deployment), "ExistingSecretArn": make_secret(account)}
        add_parameters(folder, given)
        yield deployment


def remove_leftovers() -> None:
    """Remove what a run has left that was killed; another one at the same time is not provided for."""
    for what in (f"label={LABEL}", f"network={NETWORK}", f"label=com.docker.compose.project={PROJECT}"):
        left = docker("ps", "--all", "--quiet", "--filter", what).split()
        if left:
            docker("rm", "--force", "--volumes", *left)
    for volume in docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}").split():
        docker("volume", "rm", volume)


def remove_functions() -> None:
    """Remove the containers of functions, without waiting for them."""
    found = docker("ps", "--all", "--quiet", "--filter", f"network={NETWORK}", "--filter", "label=ministack").split()
    if found:
        docker("rm", "--force", "--volumes", *found)


@contextlib.contextmanager
def stand_ins(folder: Path, account: Account) -> Iterator[DockerCompose]:
    """Run what stands in for Aurora and Data Firehose, each with an access key of its own."""
    account.authority.certify("aurora", ["aurora", "127.0.0.1"])
    settings = {"AWS_URL": account.url, "CERTIFICATES": str(account.folder), "MYSQL_PORT": "0"}
    iam = account.client("iam")
    for name in SERVICES:
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        settings[f"{name.upper()}_ACCESS_KEY_ID"] = key["AccessKeyId"]
        settings[f"{name.upper()}_SECRET_ACCESS_KEY"] = key["SecretAccessKey"]
    file = folder / "compose.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    files = [str(REPOSITORY / "images" / "bases.env"), str(file)]
    compose = DockerCompose(HERE, compose_file_name="compose.yaml", env_file=files, pull=False, build=False)
    try:
        with compose:
            try:
                yield compose
            finally:
                # Those that still run would keep the network from going.
                remove_functions()
    finally:
        compose.stop(down=True)


def checkout(folder: Path, images: Mapping[str, str]) -> Path:
    """Return a copy of what the scripts read, with the file that push-images writes."""
    place = folder / "checkout"
    for name in ("deploy/aws", "pipelines", "images"):
        shutil.copytree(REPOSITORY / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "parameters.json", place / "deploy" / "aws" / "parameters" / f"{ENVIRONMENT}.json")
    written = place / ".local" / ENVIRONMENT / "images.json"
    written.parent.mkdir(parents=True)
    document = {"commit": "0" * 40, "architecture": "x86_64", "images": dict(images)}
    written.write_text(json.dumps(document), encoding="utf-8")
    return place


def add_parameters(folder: Path, given: Mapping[str, str]) -> None:
    """Add to the environment's file what was found out."""
    file = folder / "checkout" / "deploy" / "aws" / "parameters" / f"{ENVIRONMENT}.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["parameters"].update(given)
    file.write_text(json.dumps(document), encoding="utf-8")


def make_network(deployment: Deployment) -> Mapping[str, str]:
    """Make the network of network.yaml, as one that is there already, and return what root.yaml wants to know of it."""
    client = deployment.cloudformation
    body = (REPOSITORY / "deploy" / "aws" / "network.yaml").read_text(encoding="utf-8")
    parameters = {"Project": "ddb2aurora", "Environment": ENVIRONMENT, "Zones": "3", "FlowLogDays": "0"}
    client.create_stack(
        StackName=NETWORK_STACK,
        TemplateBody=body,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    waiter = client.get_waiter("stack_create_complete")
    waiter.wait(StackName=NETWORK_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    outputs = deployment.outputs_of(NETWORK_STACK)
    return {
        "ExistingVpcId": outputs["VpcId"],
        "ExistingSubnetIds": outputs["SubnetIds"],
        "ExistingRouteTableIds": outputs["RouteTableIds"],
    }


def make_secret(account: Account) -> str:
    """Return the secret of the user of the existing cluster that may make tables and users."""
    secrets = account.client("secretsmanager")
    return secrets.create_secret(Name="stand-in", SecretString=json.dumps(CREDENTIALS))["ARN"]
