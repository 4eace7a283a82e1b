"""Folders, packages, requirement files and Makefile agree on the stages and on what each of them needs."""

import json
import re
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
IMAGES = REPOSITORY / "images"
STAGES = ("aurora-loader", "firehose-transformer", "operator", "stream-processor")
LOCKS = sorted([*IMAGES.glob("*/requirements.txt"), REPOSITORY / "requirements-dev.txt"])
# Installed apart. The checkers need not agree with the others; the benchmark does, but nothing else needs what it adds.
TEMPLATE_CHECKERS = REPOSITORY / "deploy" / "aws" / "checks" / "requirements.txt"
BENCH = REPOSITORY / "tests" / "bench" / "requirements.txt"
NODE_LOCK = REPOSITORY / "tests" / "bench" / "node" / "package-lock.json"
# A package of ours that is named otherwise than its folder.
PACKAGES = {"operator": "operator_cli"}
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\]+))? \\$", re.MULTILINE)


def locked(path: Path) -> dict[str, str]:
    """Return the version of every package that a requirements file names."""
    return {canonicalize_name(name): version for name, version, _ in PINNED.findall(path.read_text())}


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def needed(stage: str) -> set[str]:
    """Return every package that the stage needs, by what the packages themselves declare."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in project(IMAGES / stage)["dependencies"]]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name != "ddb2aurora":
            found.add(name)
        for wanted in ("", *sorted(requirement.extras)):
            waiting += [(inner, wanted) for inner in declared(name) if (inner, wanted) not in waiting]
    return found


@cache
def declared(name: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(text) for text in metadata.requires(name) or ())


def test_every_folder_of_images_but_common_is_a_stage_with_a_dockerfile():
    folders = sorted(path.name for path in IMAGES.iterdir() if path.is_dir())
    dockerfiles = sorted(path.parent.name for path in IMAGES.glob("*/Dockerfile"))

    assert folders == sorted([*STAGES, "common"])
    assert dockerfiles == sorted(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_package_whose_name_follows_from_its_folder(stage: str):
    package = PACKAGES.get(stage, stage.replace("-", "_"))

    assert [path.name for path in (IMAGES / stage / "src").iterdir() if path.is_dir()] == [package]
    assert project(IMAGES / stage)["name"].replace("-", "_") == package


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_locks_exactly_what_it_needs(stage: str):
    anywhere = {
        canonicalize_name(name)
        for name, _, marker in PINNED.findall((IMAGES / stage / "requirements.txt").read_text())
        if not marker  # the others are for other systems or other versions of Python
    }

    assert anywhere <= needed(stage) <= set(locked(IMAGES / stage / "requirements.txt"))


def test_only_the_stages_that_talk_to_the_database_have_a_driver_and_only_those_that_map_have_schemas():
    have = {
        name: sorted(stage for stage in STAGES if name in locked(IMAGES / stage / "requirements.txt"))
        for name in ("pymysql", "jsonschema", "typer", "ministack", "pytest")
    }

    assert have == {
        "pymysql": ["aurora-loader", "operator"],
        "jsonschema": ["firehose-transformer", "operator"],
        "typer": ["operator"],
        "ministack": [],
        "pytest": [],
    }


@pytest.mark.parametrize("lock", [*LOCKS, TEMPLATE_CHECKERS, BENCH], ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_lock_file_has_a_hash_for_every_package_and_names_no_host(lock: Path):
    text = lock.read_text()
    packages = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]

    assert [package for package in packages if "--hash=sha256:" not in package] == []
    assert len(packages) == len(PINNED.findall(text))
    assert re.findall(r"https?:|file:|--index-url|--extra-index-url|--find-links|--trusted-host| @ ", text) == []


def test_all_lock_files_agree_on_every_version():
    versions: dict[str, set[str]] = {}
    everything = locked(REPOSITORY / "requirements-dev.txt")
    shared = {name: version for name, version in locked(BENCH).items() if name in everything}
    for found in (*map(locked, LOCKS), shared):
        for name, version in found.items():
            versions.setdefault(name, set()).add(version)

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_every_install_takes_exactly_what_a_lock_names_and_resolves_nothing():
    """An older pip looks for `coverage[toml]` apart from the pinned `coverage`, and takes what was released since."""
    scripts = [
        *REPOSITORY.glob("deploy/**/*.sh"),
        *REPOSITORY.glob("tests/bench/*.sh"),
        *REPOSITORY.glob("*/*/Dockerfile"),
    ]
    installs = [
        command
        for script in scripts
        for command in re.sub(r"\\\n\s*", "", script.read_text()).splitlines()
        if re.search(r"\binstall\b.* -r ", command)
    ]

    assert len(installs) >= len(STAGES) + 3
    assert [command for command in installs if "--require-hashes" not in command or "--no-deps" not in command] == []


def test_there_is_no_lock_file_that_records_hosts():
    assert [*REPOSITORY.glob("uv.lock"), *IMAGES.glob("*/uv.lock"), *REPOSITORY.glob("deploy/**/uv.lock")] == []


def test_the_lock_file_of_node_pins_every_package_by_its_hash_and_names_no_registry():
    packages = {name: found for name, found in json.loads(NODE_LOCK.read_text())["packages"].items() if name}
    wanted = json.loads((NODE_LOCK.parent / "package.json").read_text())["dependencies"]

    assert [name for name, found in packages.items() if not found["integrity"].startswith("sha512-")] == []
    assert [name for name, found in packages.items() if "resolved" in found] == []
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_what_set_up_installs_holds_everything_that_any_stage_locks():
    everything = locked(REPOSITORY / "requirements-dev.txt")

    missing = {f"{lock.parent.name}: {name}" for lock in LOCKS for name in locked(lock) if name not in everything}
    assert missing == set()
