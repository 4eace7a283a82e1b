"""The AWS emulator as a supervised child."""

import psutil

from local_aws.services.ministack import MiniStack


def test_the_emulator_listens_on_the_loopback_interface_only(ministack):
    sockets = psutil.Process(ministack.pid).net_connections("inet")

    listening = [f"http://{socket.laddr.ip}:{socket.laddr.port}" for socket in sockets if socket.status == "LISTEN"]

    assert listening == [ministack.url]


def test_the_environment_holds_nothing_but_the_endpoint_and_fakes(ministack):
    assert ministack.environment == {
        "AWS_ENDPOINT_URL": ministack.url,
        "AWS_ACCESS_KEY_ID": "fake-access-key-id",
        "AWS_SECRET_ACCESS_KEY": "fake-secret-access-key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_after_its_end_neither_process_nor_folder_is_left():
    with MiniStack() as emulator:
        process, folder = psutil.Process(emulator.pid), emulator._folder
        assert folder.is_dir()

    assert not process.is_running()
    assert not folder.exists()
