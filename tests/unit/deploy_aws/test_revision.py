"""Whether images are those of the working tree, and how they are pushed."""

import subprocess

import pytest

from deploy_aws.revision import PushError, clean_commit, push_images, sources_changed


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with an image and a page."""
    git(tmp_path, "init", "--quiet")
    for file in ("images/a", "pipelines/b", "docs/c"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=1")
    return tmp_path


def commit(repository, file):
    (repository / file).write_text("2")
    git(repository, "commit", "--quiet", "--all", "--message=2")


@pytest.mark.parametrize(("file", "changed"), [("images/a", True), ("pipelines/b", True), ("docs/c", False)])
def test_only_what_images_are_built_from_needs_new_ones(repository, file, changed):
    pushed = git(repository, "rev-parse", "HEAD")

    commit(repository, file)

    assert sources_changed(pushed, repository=repository) is changed


def test_a_commit_that_is_not_known_counts_as_another(repository):
    assert sources_changed("0" * 40, repository=repository) is True


def test_the_same_commit_needs_no_new_images(repository):
    assert sources_changed(git(repository, "rev-parse", "HEAD"), repository=repository) is False


def test_the_commit_is_that_of_what_is_built(repository):
    assert clean_commit(repository=repository) == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize(("file", "clean"), [("images/a", False), ("pipelines/new", False), ("docs/c", True)])
def test_changes_of_what_is_built_have_no_commit_yet(repository, file, clean):
    (repository / file).write_text("3")

    assert (clean_commit(repository=repository) is not None) is clean


def test_without_a_repository_there_is_no_commit(tmp_path):
    assert clean_commit(repository=tmp_path) is None


def test_pushing_is_left_to_make_and_its_output_is_no_result(tmp_path, capfd):
    (tmp_path / "Makefile").write_text("push-images:\n\t@echo $(ENV) $(REGISTRY) $(ARCHITECTURE)\n")

    push_images(environment="dev", registry="host/shop", architecture="arm64", repository=tmp_path)

    assert capfd.readouterr() == ("", "dev host/shop arm64\n")


def test_a_push_that_fails_names_its_command(tmp_path):
    (tmp_path / "Makefile").write_text("push-images:\n\t@exit 3\n")

    with pytest.raises(
        PushError, match=r"^make push-images ENV=dev REGISTRY=host/shop ARCHITECTURE=arm64 failed, see abo"
    ):
        push_images(environment="dev", registry="host/shop", architecture="arm64", repository=tmp_path)
