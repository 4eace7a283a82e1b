"""The quotas on the path, the rate of changes at which each is met, and what moves it. Pure."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from deploy_aws.costs.estimate import MIB, Estimate

# Data Firehose, direct put, of one delivery stream: records, calls and bytes a second in the regions us-east-1,
# us-west-2 and eu-west-1; elsewhere a fifth, half and a fifth. A raise moves the three together.
FIREHOSE_RECORDS: Final = 500_000
FIREHOSE_CALLS: Final = 2_000
FIREHOSE_BYTES: Final = 5 * MIB
OTHER_REGIONS_BYTES: Final = MIB
CALL_BYTES: Final = 4 * MIB
PARTITION_WRITES: Final = 1_000
LAMBDA_CONCURRENCY: Final = 1_000
LOADER_CONCURRENCY: Final = 5  # LoaderConcurrency of the templates
MOST_ACUS: Final = 256
S3_WRITES: Final = 3_500
_HIGHEST_RATE: Final = 10**9


class Quota(NamedTuple):
    """
    One limit of one *part*: *value* is where it stands by default, *met_at* the rate of changes that meets it.

    None where no rate meets it. *lever* says what moves it; *source* where the value comes from.
    """

    part: str
    value: str
    met_at: float | None
    lever: str
    source: str


def met_at(used: Callable[[Estimate], float], quota: float, estimate: Estimate) -> float | None:
    """Return the highest rate at which what is *used* stays within *quota*; None when every rate does."""
    low, high = 0, _HIGHEST_RATE
    if used(replace(estimate, rate=high)) <= quota:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if used(replace(estimate, rate=middle)) <= quota else (low, middle)
    return low


def calls(estimate: Estimate) -> float:
    """Return the calls to Firehose a second."""
    return estimate.batches * estimate.calls_a_batch


def bytes_put(estimate: Estimate) -> float:
    """Return the bytes that Firehose takes a second; its quota counts what is put, not what is billed."""
    return estimate.rate * estimate.measured.workload.change_bytes


def running(estimate: Estimate) -> dict[str, float]:
    """Return how many invocations of each function run at once, on average."""
    return {name: work.invocations * work.seconds for name, work in estimate.work().items()}


def fastest_shard(estimate: Estimate) -> float:
    """Return the changes a second that one shard passes on with one batch at a time."""
    full = replace(estimate, rate=float(PARTITION_WRITES))
    full = replace(full, assumed=replace(full.assumed, batch_window_seconds=_HIGHEST_RATE))
    return full.changes_a_batch / full.work()["stream-processor"].seconds


def quotas(estimate: Estimate) -> Iterator[Quota]:
    """Yield the quotas in the order of the path; the rate of *estimate* does not matter."""
    assumed = estimate.assumed
    shard = fastest_shard(estimate)
    yield Quota(
        "one item",
        f"{PARTITION_WRITES:,} writes/s of one partition",
        PARTITION_WRITES,
        "none: spread the writes over more keys. Its changes are one after the other in one shard",
        "from memory",
    )
    yield Quota(
        "event source mapping, one shard",
        "one batch at a time (ParallelizationFactor 1)",
        shard,
        f"ParallelizationFactor up to 10: {10 * shard:,.0f} changes/s. A shard brings {PARTITION_WRITES:,} at most, so "
        "it is needed only when calls to Firehose take ten times as long as supposed",
        "Lambda parameters for DynamoDB event source mappings",
    )
    yield Quota(
        "Data Firehose, records",
        f"{FIREHOSE_RECORDS:,} records/s a stream",
        met_at(lambda found: found.records, FIREHOSE_RECORDS, estimate),
        "packing: on, or a raise of the quota",
        "Amazon Data Firehose Quota",
    )
    yield Quota(
        "Data Firehose, calls",
        f"{FIREHOSE_CALLS:,} calls/s a stream",
        met_at(calls, FIREHOSE_CALLS, estimate),
        f"BatchWindowSeconds; packed, a call of {CALL_BYTES // MIB} MiB takes "
        f"{CALL_BYTES // estimate.measured.workload.change_bytes:,} changes, so BatchSize up to that",
        "Amazon Data Firehose Quota",
    )
    yield Quota(
        "Data Firehose, bytes",
        "5 MiB/s a stream in three regions",
        met_at(bytes_put, FIREHOSE_BYTES, estimate),
        "a raise of the quota; more delivery streams (below). Packing does not help: the bytes are the same",
        "Amazon Data Firehose Quota",
    )
    yield Quota(
        "Data Firehose, bytes",
        "1 MiB/s a stream in the other regions",
        met_at(bytes_put, OTHER_REGIONS_BYTES, estimate),
        "as above",
        "Amazon Data Firehose Quota",
    )
    yield Quota(
        "Lambda, all functions",
        f"{LAMBDA_CONCURRENCY:,} invocations at once an account",
        met_at(lambda found: sum(running(found).values()), LAMBDA_CONCURRENCY, estimate),
        "a raise of the quota; more memory, which brings more of a core, up to 1,769 MB",
        "Lambda quotas",
    )
    yield Quota(
        "aurora-loader",
        f"{LOADER_CONCURRENCY} loads at once (LoaderConcurrency)",
        met_at(lambda found: running(found)["aurora-loader"], LOADER_CONCURRENCY, estimate),
        f"LoaderConcurrency; BufferMegabytes above {assumed.buffer_bytes // MIB}, so that a load has more rows",
        "deploy/aws/root.yaml",
    )
    yield Quota(
        "S3, one prefix",
        f"{S3_WRITES:,} writes/s",
        met_at(lambda found: found.objects + found.backups, S3_WRITES, estimate),
        "the hour in the key makes new prefixes; larger buffers",
        "from memory",
    )
    yield Quota(
        "Aurora, one writer",
        f"{MOST_ACUS} ACUs",
        MOST_ACUS * estimate.rows_an_acu,
        "the largest provisioned class; then more clusters, each with a part of the keys (below)",
        "Aurora Serverless v2; rows/s measured on two cores and taken as proportional, which nobody has shown",
    )


def delivery_streams(rate: float, estimate: Estimate, *, bytes_a_second: float = FIREHOSE_BYTES) -> int:
    """Return how many delivery streams *rate* needs at the default quotas."""
    found = replace(estimate, rate=rate)
    needed = (
        bytes_put(found) / bytes_a_second,
        calls(found) / FIREHOSE_CALLS,
        found.records / FIREHOSE_RECORDS,
    )
    return math.ceil(max(needed))


def clusters(rate: float, estimate: Estimate) -> int:
    """Return how many clusters *rate* needs."""
    return math.ceil(rate / (MOST_ACUS * estimate.rows_an_acu))
