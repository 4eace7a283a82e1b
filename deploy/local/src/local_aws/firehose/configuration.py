"""
Read the configuration of a delivery stream's destination: buckets, prefixes, buffers, compression, processing, backup.

A configuration is kept as the caller gave it (a member of ExtendedS3DestinationConfiguration each), so that an update
can be merged into it, and is read from there. Whatever the stand-in does not do is refused. Role ARNs are accepted and
not evaluated: there is no IAM here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_aws.firehose import processing
from local_aws.firehose.buffers import Hints
from local_aws.firehose.errors import InvalidArgumentError
from local_aws.firehose.ids import Ids
from local_aws.firehose.naming import Moment, Prefix, data_prefix, error_prefix, object_name
from local_aws.firehose.processing import MIB, Processing

# AWS: 5 MiB and 300 seconds unless told.
DEFAULT_HINTS: Mapping[str, int] = {"SizeInMBs": 5, "IntervalInSeconds": 300}
DEFAULT_COMPRESSION = "UNCOMPRESSED"
NO_ENCRYPTION: Mapping[str, str] = {"NoEncryptionConfig": "NoEncryption"}
_COMPRESSIONS: Mapping[str, str] = {DEFAULT_COMPRESSION: "", "GZIP": ".gz"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects of one kind go, how they are named, and when they are due."""

    bucket: str
    prefix: Prefix
    hints: Hints
    compressed: bool
    extension: str
    zone: tzinfo

    def key(self, stream: str, *, version: int, arrival_ms: int, ids: Ids) -> str:
        """Return a new key for an object of *stream* whose oldest record arrived at *arrival_ms*."""
        moment = Moment(datetime.fromtimestamp(arrival_ms / 1000, self.zone), ids.random_string)
        name = object_name(stream, version=version, moment=moment, unique=ids.uuid(), extension=self.extension)
        return self.prefix.evaluated(moment) + name


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a delivery stream does with its records."""

    data: Place
    errors: Place
    backup: Place | None
    processing: Processing


def configuration_of(settings: Mapping[str, Any]) -> Configuration:
    """
    Return what the members of an ExtendedS3DestinationConfiguration, already valid one by one, ask for.

    Raises:
        InvalidArgumentError: They contradict each other or one of AWS's rules, or are not supported by the stand-in.
    """
    _refuse_unsupported(settings)
    zone = _zone(settings.get("CustomTimeZone") or "UTC")
    text = settings.get("Prefix") or ""
    failed = error_prefix(settings.get("ErrorOutputPrefix") or "", prefix=text)
    data = _place(settings, zone=zone, extension=settings.get("FileExtension") or "")
    # Error objects are lines of JSON that people and tools read: never compressed, and without an extension.
    errors = Place(data.bucket, failed, data.hints, compressed=False, extension="", zone=zone)
    backup: Place | None = None
    if settings.get("S3BackupMode") == "Enabled":
        backup_settings = settings.get("S3BackupConfiguration")
        if not backup_settings:
            raise InvalidArgumentError("S3BackupMode Enabled needs an S3BackupConfiguration")
        _refuse_unsupported(backup_settings)
        error_prefix(backup_settings.get("ErrorOutputPrefix") or "", prefix=backup_settings.get("Prefix") or "")
        backup = _place(backup_settings, zone=UTC, extension="")
    return Configuration(data, errors, backup, processing.processing_of(settings.get("ProcessingConfiguration") or {}))


def merged(settings: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return *settings* with the members of an ExtendedS3DestinationUpdate in place of the earlier ones.

    Raises:
        InvalidArgumentError: The update switches the backup off.
    """
    if settings.get("S3BackupMode") == "Enabled" and update.get("S3BackupMode") == "Disabled":
        raise InvalidArgumentError("S3BackupMode cannot be disabled once it is enabled")
    rest = {name: value for name, value in update.items() if name != "S3BackupUpdate"}
    result = {**settings, **rest}
    if update.get("S3BackupUpdate"):
        result["S3BackupConfiguration"] = {**settings.get("S3BackupConfiguration", {}), **update["S3BackupUpdate"]}
    return result


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ExtendedS3DestinationDescription of valid *settings*, with Firehose's defaults."""
    description = {**_described_place(settings), "S3BackupMode": settings.get("S3BackupMode") or "Disabled"}
    if settings.get("S3BackupConfiguration"):
        description["S3BackupDescription"] = _described_place(settings["S3BackupConfiguration"])
    if settings.get("ProcessingConfiguration"):
        description["ProcessingConfiguration"] = processing.described(settings["ProcessingConfiguration"])
    for name in ("FileExtension", "CustomTimeZone"):
        if settings.get(name):
            description[name] = settings[name]
    return description


def _described_place(settings: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix")
    return {
        **{name: settings[name] for name in plain if settings.get(name) is not None},
        "BufferingHints": settings.get("BufferingHints") or dict(DEFAULT_HINTS),
        "CompressionFormat": settings.get("CompressionFormat") or DEFAULT_COMPRESSION,
        "EncryptionConfiguration": dict(NO_ENCRYPTION),
        "CloudWatchLoggingOptions": {"Enabled": False},
    }


def _place(settings: Mapping[str, Any], *, zone: tzinfo, extension: str) -> Place:
    hints = settings.get("BufferingHints") or DEFAULT_HINTS
    if set(hints) != set(DEFAULT_HINTS):
        raise InvalidArgumentError("BufferingHints needs both SizeInMBs and IntervalInSeconds, or neither")
    compression = settings.get("CompressionFormat") or DEFAULT_COMPRESSION
    if compression not in _COMPRESSIONS:
        raise InvalidArgumentError(f"CompressionFormat {compression} is not supported by this stand-in")
    return Place(
        bucket=settings["BucketARN"].rpartition(":::")[2],
        prefix=data_prefix(settings.get("Prefix") or ""),
        hints=Hints(hints["SizeInMBs"] * MIB, hints["IntervalInSeconds"]),
        compressed=compression != DEFAULT_COMPRESSION,
        # AWS: a FileExtension overrides the one that the compression adds.
        extension=extension or _COMPRESSIONS[compression],
        zone=zone,
    )


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidArgumentError(f"CustomTimeZone {name!r} is not known on this machine") from error


def _refuse_unsupported(settings: Mapping[str, Any]) -> None:
    switches = {
        name: bool((settings.get(name) or {}).get("Enabled", default))
        for name, default in (
            ("CloudWatchLoggingOptions", False),
            ("DataFormatConversionConfiguration", True),
            ("DynamicPartitioningConfiguration", False),
        )
        if settings.get(name) is not None
    }
    for name, enabled in switches.items():
        if enabled:
            raise InvalidArgumentError(f"{name} is not supported by this stand-in")
    if (settings.get("EncryptionConfiguration") or NO_ENCRYPTION) != NO_ENCRYPTION:
        raise InvalidArgumentError("EncryptionConfiguration other than NoEncryption is not supported by this stand-in")
