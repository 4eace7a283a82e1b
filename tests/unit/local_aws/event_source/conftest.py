import pytest

from local_aws.event_source.records import StreamRecord


@pytest.fixture
def a_record():
    """Build a record of a shard; its sequence number is its identity."""

    def build(sequence, *, item=0, created_at=0.0, size_bytes=100):
        number = f"{sequence:021d}"
        event = {"dynamodb": {"SequenceNumber": number}}
        return StreamRecord(
            sequence_number=number, item=item, created_at=created_at, size_bytes=size_bytes, event=event
        )

    return build
