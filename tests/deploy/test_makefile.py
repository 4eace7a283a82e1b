"""The Makefile is the only door: what is documented is there, and what is there is documented and short."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MAKEFILES = [REPOSITORY / "Makefile", *sorted(REPOSITORY.glob("deploy/*.mk"))]
RULE = re.compile(r"^([a-z][a-z -]*):(?!=)(.*)\n((?:\t.*\n?)*)", re.MULTILINE)
LONGEST_RECIPE = 3


def rules() -> dict[str, tuple[str, str]]:
    """Return what follows the colon and the recipe of every target."""
    return {
        target: (rest, recipe)
        for makefile in MAKEFILES
        for targets, rest, recipe in RULE.findall(makefile.read_text())
        for target in targets.split()
    }


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_make_alone_helps_and_lists_every_target_that_has_a_text():
    done = make()

    listed = re.findall(r"^  make (\S+) +\S", done.stdout, flags=re.MULTILINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(listed) == sorted(target for target, (rest, _) in rules().items() if "## " in rest)


def test_every_target_has_a_help_text_and_a_recipe_of_at_most_three_lines():
    found = rules()

    assert sorted(target for target, (rest, _) in found.items() if "## " not in rest) == []
    assert sorted(target for target, (_, recipe) in found.items() if len(recipe.splitlines()) > LONGEST_RECIPE) == []


def test_every_target_is_phony():
    phony = {
        target
        for makefile in MAKEFILES
        for line in re.findall(r"^\.PHONY: (.*)$", makefile.read_text(), flags=re.MULTILINE)
        for target in line.split()
    }

    assert set(rules()) - phony == set()


@pytest.mark.parametrize("page", ["README.md", ".ci/run"])
def test_every_target_that_a_page_names_is_there(page: str):
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", (REPOSITORY / page).read_text(), flags=re.MULTILINE))

    assert named - set(rules()) == set()
    assert "demo" in named


def test_nothing_deploys_without_being_asked():
    needs_deploy = [
        target for target, (rest, _) in rules().items() if {"deploy", "destroy"} & set(rest.split("##")[0].split())
    ]

    assert needs_deploy == []


def test_scripts_are_executable_and_stop_at_the_first_error():
    listed = subprocess.run(
        ["git", "ls-files", "*.sh", ".ci/run"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    scripts = [REPOSITORY / name for name in listed.stdout.split()]

    assert scripts != []
    # What is copied into an image and run there by its Dockerfile needs no bit here.
    called = [path for path in scripts if "offline-images" not in path.parent.parent.name]
    assert [str(path) for path in called if not path.stat().st_mode & 0o100] == []
    assert [
        str(path) for path in scripts if not re.search(r"^set -e?uo pipefail$", path.read_text(), re.MULTILINE)
    ] == []
