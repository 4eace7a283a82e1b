"""docs/cost.md, made from prices, measurements and formulas."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from deploy_aws.costs.estimate import SECONDS, Assumptions, Estimate
from deploy_aws.costs.prices import Measured, Prices

RATES: Final = (1, 100, 10_000)
_MEGABYTE: Final = 1_000_000

# What each assumption means, in the order of the page.
_SETTINGS: Final[Mapping[str, str]] = {
    "batch_size": "changes in a batch of the stream, at most",
    "batch_window_seconds": "seconds that the stream gathers a batch",
    "transform_bytes": "bytes that Firehose gathers for the transformer",
    "transform_seconds": "seconds that it waits for them, at most",
    "buffer_bytes": "bytes of rows in an object",
    "buffer_seconds": "seconds until an object is written, at most",
    "backup_seconds": "the same for objects of source records",
    "stream_processor_mb": "MB of memory of the stream-processor",
    "transformer_mb": "MB of memory of the firehose-transformer",
    "loader_mb": "MB of memory of the aurora-loader",
    "processed_days": "days that objects of rows are kept",
    "backup_days": "days that source records are kept",
    "zones": "availability zones with interface endpoints",
    "endpoints": "interface endpoints of the default options; three with OperatorEndpoints=false",
    "instances": "instances of the cluster: a writer and a reader that keeps up",
    "least_acus": "least capacity of each instance, in ACUs",
    "alarms": "alarms of the templates",
    "custom_metrics": "metrics that the functions declare",
    "secrets": "secrets: that of the master user",
}
_SUPPOSED: Final[Mapping[str, str]] = {
    "call_seconds": "seconds that a call to Firehose takes",
    "invocation_seconds": "seconds of an invocation beside its work and its calls",
    "load_seconds": "seconds of a load beside the time for its rows",
    "cores_an_acu": "cores that come with one ACU",
    "full_target_share": "speed of a load into a target that is larger than memory, as a share of the measured one",
    "busy_share": "share of its capacity at which the database runs",
    "ios_a_row": "I/O requests that Aurora bills for a row",
    "target_gb": "GB in the database",
    "log_bytes": "bytes that an invocation logs",
}


def cost_page(prices: Prices, measured: Measured) -> str:
    """Return docs/cost.md."""
    return "\n".join(
        [
            "# What a pipeline costs",
            "",
            "Made by `make docs` from `deploy/aws/prices.toml`, `deploy/aws/measured.toml` and the formulas in",
            "`deploy_aws.costs.estimate`. Not yet compared with a bill: nothing here has run on AWS. Prices are",
            f"those of {prices.region}, of {prices.date}, in US dollars a month of 730 hours, on demand, without a",
            "free tier.",
            "",
            *_rounding(prices, measured),
            "",
            *_months(prices, measured),
            "",
            *_assumptions(measured),
            "",
            *_price_table(prices),
            "",
            *_left_out(),
            "",
        ]
    )


def _rounding(prices: Prices, measured: Measured) -> Iterator[str]:
    workload = measured.workload
    rows = (
        ("as they are", workload.changes, workload.raw_bytes),
        ("a change a record (`packing: off`)", workload.changes, workload.billed_bytes_one_by_one),
        ("many changes a record (`packing: on`)", workload.records_packed, workload.billed_bytes_packed),
    )
    yield "## What Firehose rounds up"
    yield ""
    size, items = workload.change_bytes, f"{workload.items:,} items, seed {workload.seed}"
    yield "Firehose bills each record rounded up to the next 5 KB (5,120 bytes). The workload of the demonstration has"
    yield f"{workload.changes:,} changes ({items}) of {size} bytes on average. In batches of 500, from the sizes of the"
    yield "very records that the stream-processor makes of them:"
    yield ""
    yield "| records | count | billed | for 100 million such changes |"
    yield "|---|--:|--:|--:|"
    for what, count, billed_bytes in rows:
        usd = prices["firehose_gb"].of(billed_bytes / workload.changes * 1e8 / 2**30)
        billed = "–" if what == "as they are" else f"${usd:,.0f}"
        yield f"| {what} | {count:,} | {billed_bytes / _MEGABYTE:,.2f} MB | {billed} |"
    factor = workload.billed_bytes_one_by_one / workload.billed_bytes_packed
    over = workload.billed_bytes_packed / workload.raw_bytes - 1
    yield ""
    yield f"Packing divides what Firehose bills by {factor:.1f}; what is still rounded up is {over:.1%}."
    yield "`make demo` prints both figures for its run, from the records that the stand-in for Firehose received. A"
    yield "batch of few changes packs few: at one change a second a window of one second leaves nothing to pack."


def _months(prices: Prices, measured: Measured) -> Iterator[str]:
    estimates = [Estimate(rate, packing, measured) for rate in RATES for packing in (False, True)]
    titles = [f"{found.rate:,}/s{', packed' if found.packing else ''}" for found in estimates]
    yield "## A month at a steady rate"
    yield ""
    yield f"| part | {' | '.join(titles)} |"
    yield f"|---|{'--:|' * len(titles)}"
    bills = [_by_part(found, prices) for found in estimates]
    for part in bills[0]:
        yield f"| {part} | {' | '.join(_usd(bill[part]) for bill in bills)} |"
    totals = [found.usd(prices) for found in estimates]
    yield f"| **all** | {' | '.join(f'**{_usd(total)}**' for total in totals)} |"
    millions = [found.rate * SECONDS / 1e6 for found in estimates]
    per_million = [_usd(total / many, exact=True) for total, many in zip(totals, millions, strict=True)]
    yield f"| for a million changes | {' | '.join(per_million)} |"
    yield ""
    yield "What these come from:"
    yield ""
    yield f"| | {' | '.join(titles)} |"
    yield f"|---|{'--:|' * len(titles)}"
    for what, values in _quantities(estimates):
        yield f"| {what} | {' | '.join(values)} |"
    yield ""
    yield "At low rates the database and what stands still (endpoints, alarms, metrics) are most of the bill; at high"
    yield "rates it is Firehose without packing, and the database with it. Reads of the stream by Lambda are free."


def _by_part(found: Estimate, prices: Prices) -> dict[str, float]:
    grouped = groupby(found.lines(), key=lambda line: line.part)
    return {part: sum(line.usd(prices) for line in lines) for part, lines in grouped}


def _quantities(estimates: Sequence[Estimate]) -> Iterator[tuple[str, list[str]]]:
    yield "changes a batch of the stream", [f"{found.changes_a_batch:,}" for found in estimates]
    yield "batches a second", [_number(found.batches) for found in estimates]
    yield (
        "GB a month that Firehose bills",
        [_number(found.billed_bytes_a_second * SECONDS / 2**30) for found in estimates],
    )
    yield "transforms a second", [_number(found.transforms) for found in estimates]
    yield "objects loaded a minute", [_number(found.objects * 60) for found in estimates]
    yield "ACUs of each instance", [_number(found.acus) for found in estimates]


def _assumptions(measured: Measured) -> Iterator[str]:
    values = asdict(Assumptions())
    times, load = measured.times, measured.load
    yield "## Assumptions"
    yield ""
    yield "Settings, as the templates have them by default:"
    yield ""
    yield from _table(_SETTINGS, values)
    yield ""
    yield "Measured (`deploy/measure.py`; the loads on MySQL 9.7 with 500,000 rows):"
    yield ""
    yield "| what | value |"
    yield "|---|--:|"
    yield f"| bytes of a change, of a row | {measured.workload.change_bytes}, {measured.workload.row_bytes} |"
    yield f"| µs of a core for a change in the stream-processor | {times.stream_processor_microseconds} |"
    yield f"| µs of a core for a change in the firehose-transformer | {times.transformer_microseconds} |"
    yield f"| share of its bytes that gzip leaves of a change | {times.gzip_share} |"
    yield f"| rows a second that {load.cores} cores load into an empty target | {load.rows_per_second:,} |"
    yield ""
    yield "Supposed, from memory and unconfirmed; replace them by what your account shows:"
    yield ""
    yield from _table(_SUPPOSED, values)
    yield ""
    yield "A shard of the stream carries 1,000 writes a second of items up to 1 KB, as a partition of the table does."
    yield "A function has one whole core at 1,769 MB, and less below."


def _table(meanings: Mapping[str, str], values: Mapping[str, float]) -> Iterator[str]:
    yield "| what | value |"
    yield "|---|--:|"
    for name, meaning in meanings.items():
        yield f"| {meaning} | {values[name]:,} |"


def _price_table(prices: Prices) -> Iterator[str]:
    yield "## Prices"
    yield ""
    yield "| price | for | page | |"
    yield "|--:|---|---|---|"
    for price in prices.by_name.values():
        unit = price.unit if price.per == 1 else f"{price.per:,} {price.unit}"
        seen = "" if price.confirmed else "from memory, unconfirmed"
        yield f"| ${price.usd:.10f}".rstrip("0").rstrip(".") + f" | {unit} | {price.source} | {seen} |"


def _left_out() -> Iterator[str]:
    yield "## Not counted"
    yield ""
    yield "The source table (writes, storage, backups), which is there anyway; data transfer between zones, and bytes"
    yield "through interface endpoints; KMS keys of your own; Aurora backups beyond the size of the cluster; ECR"
    yield "storage; flow logs; the operator's scheduled invocations; what fails and is redriven. Volume tiers and"
    yield "savings plans would lower, other regions raise it. At high rates compare Aurora I/O-Optimized, which has no"
    yield "price for I/O."


def _usd(amount: float, *, exact: bool = False) -> str:
    return f"${amount:,.2f}" if exact or amount < 100 else f"${amount:,.0f}"  # noqa: PLR2004 - cents of little


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"  # noqa: PLR2004 - three digits
