import subprocess
import sys
import textwrap

import pytest

SERVER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from local_aws.firehose import FirehoseServer

    class NoS3:
        def put_object(self, **arguments):
            raise ConnectionError("S3 is away")

    with FirehoseServer(s3=NoS3(), resolve_function=None, journal=Path(sys.argv[1])) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    """
)


@pytest.fixture
def process(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield process
        process.kill()


def test_accepted_records_survive_the_death_of_the_stand_in(make, process, tmp_path):
    client = make.client(process.stdout.readline().strip())
    client.create_delivery_stream(
        DeliveryStreamName="changes",
        ExtendedS3DestinationConfiguration=make.destination(seconds=0, S3BackupMode="Disabled"),
    )
    sent = [f"{number}\n".encode() for number in range(1000)]
    for start in range(0, 1000, 100):
        batch = [{"Data": data} for data in sent[start : start + 100]]
        client.put_record_batch(DeliveryStreamName="changes", Records=batch)

    process.kill()  # SIGKILL: nothing can be tidied up
    process.wait()
    s3 = make.s3()
    server = make.server(s3=s3, journal=tmp_path)
    waiting = server.waiting
    flushed = server.flush(timeout_seconds=20)

    assert (flushed, b"".join(s3.objects.values())) == (True, b"".join(sent)), waiting
    assert [path.name for path in tmp_path.iterdir()] == ["changes.stream.json"]


def test_delivered_records_are_not_delivered_again_after_a_crash(make, tmp_path):
    s3 = make.s3()
    first = make.server(s3=s3, journal=tmp_path)
    client = make.client(first.url)
    client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination())
    client.put_record_batch(DeliveryStreamName="changes", Records=[{"Data": b"one"}])
    first.flush(timeout_seconds=20)

    second = make.server(s3=s3, journal=tmp_path)

    assert (second.waiting, list(s3.objects.values())) == (0, [b"one"])
