"""What an image holds, and above all what it does not."""

import json

import pytest
from containers import AURORA_LOADER, FIREHOSE_TRANSFORMER, OPERATOR, STAGES, STREAM_PROCESSOR, Stage, docker, in_image

PACKAGES = (
    "stream_processor",
    "firehose_transformer",
    "aurora_loader",
    "operator_cli",
    "local_aws",
    "boto3",
    "pymysql",
    "cryptography",
    "jsonschema",
    "yaml",
    "typer",
    "awslambdaric",
    "ddb2aurora",
    "pytest",
    "ministack",
    "samcli",
)
HOLDS = {
    STREAM_PROCESSOR: {"stream_processor", "boto3", "awslambdaric", "ddb2aurora"},
    FIREHOSE_TRANSFORMER: {"firehose_transformer", "boto3", "jsonschema", "awslambdaric", "ddb2aurora"},
    AURORA_LOADER: {"aurora_loader", "boto3", "pymysql", "cryptography", "awslambdaric", "ddb2aurora"},
    OPERATOR: {
        "operator_cli",
        "boto3",
        "pymysql",
        "cryptography",
        "jsonschema",
        "yaml",
        "typer",
        "awslambdaric",
        "ddb2aurora",
    },
}
every_image = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)


def configuration(stage: Stage) -> dict:
    return json.loads(docker("image", "inspect", "--format", "{{json .Config}}", stage.image))


def python(stage: Stage, program: str) -> str:
    return in_image(stage, "python3", "-c", program)


@every_image
def test_an_image_holds_its_own_code_and_drivers_and_no_others(stage: Stage):
    found = python(
        stage,
        f"import importlib.util as u; print(*(name for name in {PACKAGES!r} if u.find_spec(name) is not None))",
    )

    assert set(found.split()) == HOLDS[stage]


@every_image
def test_an_image_holds_no_emulator_compiler_or_secret(stage: Stage):
    names = ("aws-lambda-rie*", "gcc", "cc", "g++", "ld", "uv")
    wanted = " -o ".join(f"-name '{name}'" for name in names)

    found = in_image(
        stage,
        "bash",
        "-c",
        f"find / -xdev -type f \\( {wanted} \\) 2> /dev/null; ls -A /run/secrets 2> /dev/null; true",
    )

    assert found == ""


@every_image
def test_an_image_runs_as_a_numeric_user_who_is_not_root(stage: Stage):
    user = in_image(stage, "id", "-u").strip()

    assert (user, configuration(stage)["User"]) == ("65532", "65532:65532")


@every_image
def test_every_file_of_ours_is_readable_by_all_and_belongs_to_root(stage: Stage):
    found = in_image(stage, "find", "/opt/ddb2aurora", "(", "!", "-perm", "-o+r", "-o", "!", "-user", "0", ")")

    assert found == ""


@every_image
def test_all_python_is_compiled_with_bytecode_that_is_not_checked_again(stage: Stage):
    unchecked = python(
        stage,
        "import importlib.util as u, pathlib\n"
        "sources = pathlib.Path('/opt/ddb2aurora/python').rglob('*.py')\n"
        "missing = [s for s in sources if not (p := pathlib.Path(u.cache_from_source(str(s)))).is_file()\n"
        "           or p.read_bytes()[4:8] != b'\\x01\\0\\0\\0']\n"
        "print(*missing)",
    )

    assert unchecked.strip() == ""


@every_image
def test_every_pipeline_travels_compiled(stage: Stage):
    listed = in_image(stage, "ls", "/opt/ddb2aurora/pipelines")

    assert listed.split() == ["web_analytics.json"]


@every_image
def test_an_image_starts_lambda_s_runtime_or_the_command_line_without_a_shell(stage: Stage):
    config = configuration(stage)

    expected = (
        (["python3", "-m", "operator_cli"], ["--help"])
        if stage == OPERATOR
        else (["python3", "-m", "awslambdaric"], [stage.handler])
    )
    assert (config["Entrypoint"], config["Cmd"]) == expected


@every_image
def test_an_image_says_what_it_is_and_what_it_was_built_from(stage: Stage):
    labels = configuration(stage)["Labels"]

    assert labels["org.opencontainers.image.title"] == stage.name
    assert labels["org.opencontainers.image.description"].startswith(f"The {stage.name}: ")
    assert labels["org.opencontainers.image.revision"]


def test_the_operator_s_image_answers_a_command_without_network_or_writing():
    answer = docker("run", "--rm", "--network", "none", "--read-only", OPERATOR.image, "migrate", "--help")

    assert "Make the database and the tables of a pipeline" in answer
