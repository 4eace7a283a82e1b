"""The script that gives a machine a database server, on machines made of a few fake programs."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy" / "local" / "ensure-database.sh"
REAL_PROGRAMS = ("bash", "env", "sort", "tail", "cat", "chmod", "touch")


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


class Machine:
    """A PATH that holds what a test puts there; every fake program writes its call to a list."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls_file = folder / "calls"
        self.calls_file.touch()
        for name in REAL_PROGRAMS:
            found = next(Path(place) / name for place in ("/bin", "/usr/bin") if (Path(place) / name).exists())
            (self.bin / name).symlink_to(found)
        self.add("id", "echo 1000")

    def add(self, name, body=""):
        program = self.bin / name
        program.write_text(f'#!/bin/bash\necho "{name} $*" >> {self.calls_file}\n{body}\n')
        program.chmod(0o755)

    def adds_server(self):
        """Return the body of a program that puts a server where packages put it."""
        sbin = self.folder / "root" / "usr" / "sbin"
        sbin.mkdir(parents=True)
        return f"touch {sbin}/mariadbd; chmod +x {sbin}/mariadbd"

    def run(self):
        return subprocess.run(
            ["/bin/bash", str(SCRIPT)],
            env={"PATH": str(self.bin), "SYSTEM_ROOT": str(self.folder / "root")},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self):
        return [line for line in self.calls_file.read_text().splitlines() if not line.startswith("id ")]


def test_a_machine_with_a_server_on_its_path_is_left_alone(machine):
    machine.add("mysqld")
    machine.add("apt-get")

    result = machine.run()

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert machine.calls == []


def test_a_server_outside_the_path_is_found(machine):
    place = machine.folder / "root" / "usr" / "libexec"
    place.mkdir(parents=True)
    (place / "mariadbd").touch(mode=0o755)

    result = machine.run()

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_apt_installs_the_packages_that_start_no_service(machine):
    machine.add("id", "echo 0")
    machine.add("apt-cache", "echo mariadb-server-core")
    machine.add("apt-get", machine.adds_server())

    result = machine.run()

    assert result.returncode == 0, result.stderr
    assert result.stdout == (
        "ensure-database: no MySQL or MariaDB server program here; installing one with apt-get (it is not started)\n"
    )
    assert machine.calls == [
        "apt-cache pkgnames mariadb-server-core",
        "apt-get -qq install -y --no-install-recommends mariadb-server-core mariadb-client-core",
    ]


def test_apt_reads_the_lists_of_packages_only_when_they_are_missing(machine):
    known = machine.folder / "known"
    machine.add("id", "echo 0")
    machine.add("apt-cache", f"if [ -e {known} ]; then echo mariadb-server-core-10.6; fi")
    machine.add("apt-get", f'if [ "$2" = update ]; then touch {known}; else {machine.adds_server()}; fi')

    result = machine.run()

    assert result.returncode == 0, result.stderr
    assert machine.calls == [
        "apt-cache pkgnames mariadb-server-core",
        "apt-get -qq update",
        "apt-cache pkgnames mariadb-server-core",
        "apt-get -qq install -y --no-install-recommends mariadb-server-core-10.6 mariadb-client-core-10.6",
    ]


def test_an_ordinary_user_with_a_free_sudo_installs_through_it(machine):
    machine.add("sudo", 'shift; exec "$@"')
    machine.add("true")
    machine.add("dnf", machine.adds_server())

    result = machine.run()

    assert result.returncode == 0, result.stderr
    assert machine.calls[-1] == "dnf -q -y --setopt=install_weak_deps=False install mariadb-server"


def test_homebrew_is_used_without_root(machine):
    machine.add("brew", machine.adds_server())

    result = machine.run()

    assert result.returncode == 0, result.stderr
    assert machine.calls == ["brew install --quiet mysql"]


@pytest.mark.parametrize("sudo", [None, "exit 1"], ids=["no sudo", "a sudo that asks for a password"])
def test_a_user_who_may_not_install_is_told_what_to_install(machine, sudo):
    machine.add("apt-get")
    if sudo:
        machine.add("sudo", sudo)

    result = machine.run()

    assert result.returncode == 1
    assert "sudo apt-get install mariadb-server" in result.stderr
    assert [call for call in machine.calls if call.startswith("apt-get")] == []


def test_the_output_of_a_failed_installation_is_shown(machine):
    machine.add("id", "echo 0")
    machine.add("apk", "echo no such package; exit 1")

    result = machine.run()

    assert result.returncode == 1
    assert result.stderr.startswith("no such package\nensure-database: apk could not install one\n")


def test_the_script_is_executable():
    assert os.access(SCRIPT, os.X_OK)
