"""The command line, with the real templates, as far as an emulator without images goes; every status it ends with."""

import json
import signal
import socket
import subprocess
import sys

import pytest
from command_line import DEPLOY, run_command

COMMAND = (sys.executable, "-m", "deploy_aws")


@pytest.fixture
def run(aws, tmp_path):
    """Run a command against the emulator; what a test left there is removed afterwards."""

    def run(*arguments, **environment):
        variables = {**aws.environment, "COLUMNS": "200", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environment}
        return run_command(arguments, variables, entry=DEPLOY)

    yield run
    assert run("destroy", "dev", "--data", "delete", "--force").returncode == 0


def stacks(aws):
    pages = aws.client("cloudformation").get_paginator("list_stacks").paginate()
    found = (stack for page in pages for stack in page["StackSummaries"])
    return {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}


def test_a_plan_for_an_empty_account_is_status_1_shows_all_and_changes_nothing(aws, run):
    ran = run("plan", "dev")

    assert ran.returncode == 1, ran.stderr
    assert "create ddb2aurora-dev-bootstrap" in ran.stdout
    assert "AuroraLoaderFunction" in ran.stdout
    assert stacks(aws) & {"ddb2aurora-dev-bootstrap", "ddb2aurora-dev"} == set()


def test_without_images_that_were_pushed_the_bootstrap_stack_is_made_and_the_next_command_named(aws, run):
    ran = run("deploy", "dev", "--push", "never")

    assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
    error = ran.stderr.splitlines()[-1]
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com/ddb2aurora-dev"
    assert error.endswith(f"run make push-images ENV=dev REGISTRY={registry} ARCHITECTURE=x86_64")
    assert stacks(aws) & {"ddb2aurora-dev-bootstrap", "ddb2aurora-dev"} == {"ddb2aurora-dev-bootstrap"}


def test_a_plan_of_the_real_root_stack_is_made_of_what_was_found_out(run):
    run("deploy", "dev", "--push", "never")

    ran = run("plan", "dev", "--json")

    bootstrap, root = json.loads(ran.stdout)
    assert (ran.returncode, bootstrap["differs"]) == (1, False), ran.stderr
    assert {"Database", "Functions", "Loader", "Network", "Operations", "Pipeline", "Storage"} <= {
        change["resource"] for change in root["changes"]
    }


def test_taking_down_says_what_is_kept_for_people_and_for_machines(run):
    run("deploy", "dev", "--push", "never")

    for_people, for_machines = run("destroy", "dev", "--force"), run("destroy", "dev", "--force", "--json")

    assert (for_people.returncode, for_machines.returncode) == (0, 0)
    assert for_people.stdout == "kept: stack ddb2aurora-dev-bootstrap, with the images and the templates\n"
    assert json.loads(for_machines.stdout) == {"bootstrap_stack": "ddb2aurora-dev-bootstrap", "kept": []}


def test_data_is_not_deleted_when_nobody_is_there_to_confirm_it(aws, run):
    run("deploy", "dev", "--push", "never")

    ran = run("destroy", "dev", "--data", "delete")

    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1] == (
        "deploy: nobody is there to confirm it: FORCE=yes (--force) goes on without asking"
    )
    assert "ddb2aurora-dev-bootstrap" in stacks(aws)


@pytest.mark.parametrize("command", ["deploy", "plan", "destroy"])
def test_an_environment_that_is_not_there_is_status_2(run, command):
    ran = run(command, "nowhere")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "nowhere.json is not there; write it, or name one of: " in ran.stderr


@pytest.mark.parametrize("command", ["deploy", "plan", "destroy"])
def test_without_a_region_it_is_status_2(run, command):
    ran = run(command, "dev", AWS_REGION="", AWS_DEFAULT_REGION="")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.endswith("write 'region' into the environment's file, give --region, or set AWS_REGION\n")


def test_an_option_that_is_not_there_is_status_2(run):
    assert run("deploy", "dev", "--push", "sometimes").returncode == 2


def test_ctrl_c_is_status_130_and_says_what_goes_on(aws):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {**aws.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        process = subprocess.Popen([*COMMAND, "plan", "dev"], env=variables, stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        connection.close()

    assert (process.returncode, error.splitlines()[-1]) == (130, "deploy: interrupted; nothing goes on in AWS")


def test_help_names_the_three_commands(run):
    ran = run("--help")

    assert ran.returncode == 0
    assert all(command in ran.stdout for command in ("deploy", "plan", "destroy"))
