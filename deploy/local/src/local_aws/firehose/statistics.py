"""What a stream counts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from local_aws.firehose.answers import Verdict
from local_aws.firehose.bill import bill_of, lines_in
from local_aws.firehose.kinds import Kind
from local_aws.firehose.records import Record


@dataclass(slots=True)
class Statistics:
    """
    Counts since the stream was made here.

    *records_in* were accepted and *refused* were not. *invocations* of the function, retries included, led to
    *transformed*, *failed* and *dropped* records. Objects and bytes are counted for delivered data, errors and backup.
    *store_failures* are attempts that S3 refused; *lost* records waited for S3 longer than Firehose keeps them.

    A record may hold many lines. Of the *lines_in* accepted records, *lines_out* were delivered, *lines_failed* failed
    with their record, and the function took *lines_taken_out*: it kept them elsewhere, or dropped them. AWS would bill
    *billed_bytes*, or *billed_bytes_one_by_one* for a record a line, or *billed_bytes_packed* for lines that share one.
    """

    records_in: int = 0
    bytes_in: int = 0
    lines_in: int = 0
    billed_bytes: int = 0
    billed_bytes_one_by_one: int = 0
    billed_bytes_packed: int = 0
    refused: int = 0
    invocations: int = 0
    transformed: int = 0
    failed: int = 0
    dropped: int = 0
    lines_out: int = 0
    lines_failed: int = 0
    lines_taken_out: int = 0
    data_objects: int = 0
    data_bytes: int = 0
    error_objects: int = 0
    error_bytes: int = 0
    backup_objects: int = 0
    backup_bytes: int = 0
    store_failures: int = 0
    lost: int = 0

    def count_put(self, datas: Sequence[bytes], *, refused: int) -> None:
        """Count the records *datas* that one call brought, beside those that were *refused*."""
        bill = bill_of(datas)
        self.records_in += len(datas)
        self.bytes_in += sum(map(len, datas))
        self.lines_in += sum(map(lines_in, datas))
        self.billed_bytes += bill.as_put
        self.billed_bytes_one_by_one += bill.one_by_one
        self.billed_bytes_packed += bill.as_packed
        self.refused += refused

    def count_transformed(self, records: Sequence[Record], verdict: Verdict) -> None:
        """Count what became of *records*."""
        came = sum(lines_in(record.data) for record in records)
        left = sum(lines_in(part.data) for part in verdict.parts)
        failed = sum(lines_in(record.data) for record, _ in verdict.failed)
        self.transformed += len(verdict.parts)
        self.failed += len(verdict.failed)
        self.dropped += len(verdict.dropped)
        self.lines_out += left
        self.lines_failed += failed
        self.lines_taken_out += came - left - failed

    def count_object(self, kind: Kind, *, size: int) -> None:
        """Count an object of *kind* with *size* bytes."""
        if kind is Kind.DATA:
            self.data_objects += 1
            self.data_bytes += size
        elif kind is Kind.ERRORS:
            self.error_objects += 1
            self.error_bytes += size
        else:
            self.backup_objects += 1
            self.backup_bytes += size

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)
