"""What a stream counts."""

from dataclasses import asdict, dataclass

from local_aws.firehose.kinds import Kind


@dataclass(slots=True)
class Statistics:
    """
    Counts since the stream was made here.

    *records_in* were accepted and *refused* were not. *invocations* of the function, retries included, led to
    *transformed*, *failed* and *dropped* records. Objects and bytes are counted for delivered data, errors and backup.
    *store_failures* are attempts that S3 refused; *lost* records waited for S3 longer than Firehose keeps them.
    """

    records_in: int = 0
    bytes_in: int = 0
    refused: int = 0
    invocations: int = 0
    transformed: int = 0
    failed: int = 0
    dropped: int = 0
    data_objects: int = 0
    data_bytes: int = 0
    error_objects: int = 0
    error_bytes: int = 0
    backup_objects: int = 0
    backup_bytes: int = 0
    store_failures: int = 0
    lost: int = 0

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
