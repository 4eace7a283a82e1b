"""docs/scaling.md, made from quotas, measurements and formulas."""

from collections.abc import Iterator
from typing import Final

from deploy_aws.costs.estimate import Estimate
from deploy_aws.costs.prices import Measured
from deploy_aws.costs.quotas import (
    OTHER_REGIONS_BYTES,
    PARTITION_WRITES,
    clusters,
    delivery_streams,
    quotas,
    running,
)

RATES: Final = (1_000, 10_000, 100_000, 1_000_000)

_INTRODUCTION: Final = """\
# How far a pipeline scales

Made by `make docs` from `deploy_aws.costs.quotas`, `deploy_aws.costs.estimate` and `deploy/aws/measured.toml`.
On paper: nothing here has run on AWS. Rates are those of the demonstration's changes ({change_bytes} bytes, and
{row_bytes} for a row); other sizes move them in proportion. Quotas are the defaults of an account; assumptions
are those of [cost.md](cost.md).
"""

_PACKING: Final = """\
Packing divides the records by {packed:.0f} and leaves the bytes as they are, and bytes are the quota of
Firehose that is met first. So it saves money, not throughput; what it makes room for are records and calls,
which are far from their quotas."""

_STREAMS: Final = """\
## More than one delivery stream

*Not built.* One stream-processor writes to one delivery stream, so the bytes of one stream are the end of a
pipeline until the quota is raised. A raise comes first: it needs no code, and Firehose raises the limit itself
after sustained throttling. Beyond that, what would have to be added:

1. `DELIVERY_STREAM_NAME` takes several names, and the stream-processor picks one for each *call*. Any of them
   is right for any change: rows depend on the set of changes and not on their order, so no key has to stay with
   its stream. What a stream refuses may be sent again to another.
2. `pipeline.yaml` makes N delivery streams with the same prefixes, the same transformer and a role each; the
   alarms on Firehose once for each stream. Objects of all of them lie under one `processed/` prefix, so nothing
   after them changes.
3. `status`, the heartbeat and the dashboard ask all streams instead of one; `local_aws` and chaos run with two.

A test would hold that a change refused by one stream and accepted by another is one row.
"""

_AURORA: Final = """\
## What one Aurora cluster takes

All writes of a cluster go through one instance. {cores} cores of the measuring machine load {rows:,} rows/s
into an empty target; with a quarter of a core for an ACU, a quarter of that speed for a target beyond memory,
and a database busy by half, that is {an_acu:,.0f} rows/s for an ACU, and {most:,.0f} for 256. That the speed
grows with the cores is supposed and not shown: beyond some of them the redo log and locks on hot pages stand in
the way, so plan with less. Levers, in order: larger objects (fewer commits, and several changes of one item in
an object are one write), I/O-Optimized storage, a provisioned class, fewer secondary indexes in the target.

Beyond one cluster, keys have to be divided: N pipelines of one source table, each with a part of the keys and a
cluster of its own, and queries that go to all of them. *Not built:* the division (a filter on the mapping, or a
hash in the stream-processor), and anything that joins the parts again.
"""

_LAST: Final = """\
## When it falls behind

Nothing is lost while the path is slower than the table, for a day: a stream forgets after 24 hours, Firehose
after 24 hours without S3. What was missed is caught up at the difference of both rates. A loader that falls
behind leaves objects in S3, which wait as long as `ProcessedDays` and are swept; an event for it waits 6 hours
at most. So size each stage for twice the usual rate, and act on `IteratorAge` within hours.

The ledger grows by an entry an object ({entries:,.0f} a day at 10,000 changes/s), the tombstones by one a
deleted key until `purge` forgets them. Both are small beside the target.
"""


def scaling_page(measured: Measured) -> str:
    """Return docs/scaling.md."""
    alone = Estimate(10_000, packing=False, measured=measured)
    workload, load = measured.workload, measured.load
    return "\n".join(
        [
            _INTRODUCTION.format(change_bytes=workload.change_bytes, row_bytes=workload.row_bytes),
            *_quota_table(measured),
            "",
            _PACKING.format(packed=workload.changes / workload.records_packed),
            "",
            *_rates(measured),
            "",
            _STREAMS,
            _AURORA.format(
                cores=load.cores, rows=load.rows_per_second, an_acu=alone.rows_an_acu, most=256 * alone.rows_an_acu
            ),
            _LAST.format(entries=alone.objects * 86_400),
        ]
    )


def _quota_table(measured: Measured) -> Iterator[str]:
    both = [quotas(Estimate(1, packing, measured)) for packing in (False, True)]
    yield "## Each quota, the rate that meets it, and the lever"
    yield ""
    yield "| part | default | met at changes/s | packed | lever | source |"
    yield "|---|---|--:|--:|---|---|"
    for alone, packed in zip(*both, strict=True):
        met = f"{_rate(alone.met_at)} | {_rate(packed.met_at)}"
        yield f"| {alone.part} | {alone.value} | {met} | {alone.lever} | {alone.source} |"


def _rates(measured: Measured) -> Iterator[str]:
    estimates = [Estimate(rate, packing=True, measured=measured) for rate in RATES]
    yield "## Up to 1,000,000 changes a second"
    yield ""
    yield "With `packing: on`, at the default quotas and with the settings of the templates:"
    yield ""
    yield f"| changes/s | {' | '.join(f'{rate:,}' for rate in RATES)} |"
    yield f"|---|{'--:|' * len(RATES)}"
    for what, values in _needs(estimates):
        yield f"| {what} | {' | '.join(values)} |"
    yield ""
    yield f"A shard stands for {PARTITION_WRITES:,} writes a second: the table itself needs as many partitions, and"
    yield "keys that are spread over them. What is more than one delivery stream or one cluster is not built."


def _needs(estimates: list[Estimate]) -> Iterator[tuple[str, list[str]]]:
    yield "shards of the stream", [f"{found.shards:,}" for found in estimates]
    yield (
        "MiB/s into Firehose",
        [f"{found.rate * found.measured.workload.change_bytes / 2**20:,.1f}" for found in estimates],
    )
    yield "delivery streams", [f"{delivery_streams(found.rate, found):,}" for found in estimates]
    yield (
        "delivery streams in other regions",
        [f"{delivery_streams(found.rate, found, bytes_a_second=OTHER_REGIONS_BYTES):,}" for found in estimates],
    )
    for name in ("stream-processor", "firehose-transformer", "aurora-loader"):
        yield f"{name}s at once", [f"{running(found)[name]:,.1f}" for found in estimates]
    yield "objects a second", [f"{found.objects:,.2f}" for found in estimates]
    yield "ACUs", [f"{found.acus:,}" for found in estimates]
    yield "clusters of 256 ACUs", [f"{clusters(found.rate, found):,}" for found in estimates]


def _rate(rate: float | None) -> str:
    return "never" if rate is None else f"{rate:,.0f}"
