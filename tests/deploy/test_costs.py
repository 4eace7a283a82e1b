"""What docs/cost.md reckons: formulas on easy numbers, and that what they rest on is so."""

import importlib.util
import re
import sys
from pathlib import Path

import msgspec
import pytest

from deploy_aws.costs.cost_page import RATES
from deploy_aws.costs.estimate import GB, HOURS, SECONDS, Assumptions, Estimate
from deploy_aws.costs.prices import Measured, Price, PriceFileError, Prices, read_measured, read_prices
from deploy_aws.costs.quotas import bytes_put, clusters, delivery_streams, fastest_shard, met_at, quotas, running

AWS = Path(__file__).parents[2] / "deploy" / "aws"
PRICES = read_prices(AWS / "prices.toml")
MEASURED = read_measured(AWS / "measured.toml")


def measured(**workload) -> Measured:
    """Return the measurements with other sizes."""
    return msgspec.structs.replace(MEASURED, workload=msgspec.structs.replace(MEASURED.workload, **workload))


def line(estimate: Estimate, part: str, price: str):
    [found] = [found for found in estimate.lines() if (found.part, found.price) == (part, price)]
    return found


def test_a_price_is_for_a_number_of_units():
    assert Price(usd=0.2, per=1_000_000, unit="", source="", confirmed=True).of(5_000_000) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rate", "shards", "changes_a_batch"), [(0.5, 1, 1), (1, 1, 1), (100, 1, 100), (700, 1, 500), (10_000, 10, 500)]
)
def test_a_batch_holds_what_a_shard_brings_in_a_window_up_to_its_size(rate, shards, changes_a_batch):
    estimate = Estimate(rate, packing=False, measured=MEASURED)

    assert (estimate.shards, estimate.changes_a_batch) == (shards, changes_a_batch)
    assert estimate.batches * changes_a_batch == pytest.approx(rate)


def test_without_packing_each_change_is_billed_as_5_kb():
    estimate = Estimate(100, packing=False, measured=measured(change_bytes=700))

    assert estimate.billed_bytes_a_second == 100 * 5120
    assert line(estimate, "Data Firehose", "firehose_gb").quantity == pytest.approx(100 * 5120 * SECONDS / GB)


def test_with_packing_a_batch_is_billed_by_its_records():
    # 51 changes of 1,000 bytes fill a record; 100 are two records of 51,000 and 49,000 bytes.
    estimate = Estimate(100, packing=True, measured=measured(change_bytes=1_000))

    assert estimate.billed_bytes_a_second == 51_200 + 51_200


@pytest.mark.parametrize(("packing", "calls"), [(False, 3), (True, 1)])
def test_a_call_takes_500_records(packing, calls):
    assumed = Assumptions(batch_size=1_001, batch_window_seconds=2)

    assert Estimate(1_000, packing, measured(change_bytes=100), assumed).calls_a_batch == calls


@pytest.mark.parametrize(
    ("rate", "objects"),
    [
        (0.001, 0.001),  # an object a change
        (1, 1 / 60),  # an object a minute
        (10_000, 10_000 * 200 / (5 * 2**20)),  # an object as soon as it is full
    ],
)
def test_an_object_is_written_when_it_is_full_or_its_time_is_over(rate, objects):
    assert Estimate(rate, packing=False, measured=measured(row_bytes=200)).objects == pytest.approx(objects)


def test_capacity_grows_in_halves_with_the_rate_and_never_falls_below_the_least():
    estimates = [Estimate(rate, packing=False, measured=MEASURED) for rate in (1, 5_000, 5_063)]
    a_row = 81_000 / 2 * 0.25 * 0.25 * 0.5

    assert estimates[0].rows_an_acu == pytest.approx(a_row)
    assert [found.acus for found in estimates] == [0.5, 4.0, 4.5]
    assert line(estimates[0], "Aurora", "aurora_acu_hour").quantity == 0.5 * 2 * HOURS


def test_a_function_with_less_than_a_core_takes_longer_and_one_with_more_does_not_take_less():
    def gigabyte_seconds(megabytes):
        estimate = Estimate(
            10_000, True, MEASURED, Assumptions(stream_processor_mb=megabytes, call_seconds=0, invocation_seconds=0)
        )
        return line(estimate, "stream-processor", "lambda_gb_second").quantity

    whole = 10_000 * SECONDS * MEASURED.times.stream_processor_microseconds / 1e6 * 1769 / 1024
    assert [gigabyte_seconds(512), gigabyte_seconds(1769)] == pytest.approx([whole, whole])
    assert gigabyte_seconds(3538) == pytest.approx(2 * whole)


def test_reads_of_the_stream_by_lambda_are_free():
    assert line(Estimate(10_000, True, MEASURED), "DynamoDB Streams", "lambda_request").usd(PRICES) == 0


def test_a_month_is_the_sum_of_its_lines_and_packing_is_never_dearer():
    for rate in RATES:
        alone, packed = (Estimate(rate, packing, MEASURED) for packing in (False, True))

        assert alone.usd(PRICES) == pytest.approx(sum(found.usd(PRICES) for found in alone.lines()))
        assert packed.usd(PRICES) <= alone.usd(PRICES)


def test_every_price_is_used_and_says_where_it_comes_from():
    used = {found.price for found in Estimate(1, True, MEASURED).lines()}

    assert used == set(PRICES.by_name)
    assert all(price.source and price.unit for price in PRICES.by_name.values())


def test_settings_are_those_of_the_templates():
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(AWS.glob("*.yaml")))
    assumed = Assumptions()
    wanted = {
        "BatchSize": assumed.batch_size,
        "BatchWindowSeconds": assumed.batch_window_seconds,
        "TransformBufferSeconds": assumed.transform_seconds,
        "BufferMegabytes": assumed.buffer_bytes // 2**20,
        "BufferSeconds": assumed.buffer_seconds,
        "BackupBufferSeconds": assumed.backup_seconds,
        "ProcessedDays": assumed.processed_days,
        "BackupDays": assumed.backup_days,
        "MinCapacity": assumed.least_acus,
        "Zones": assumed.zones,
    }

    found = {name: {float(value) for value in defaults_of(name, text)} for name in wanted}

    assert {name: value for name, value in wanted.items() if float(value) not in found[name]} == {}
    # Others are the bastion's, which is not made by default.
    interfaces = (AWS / "endpoints.yaml").read_text(encoding="utf-8").count("VpcEndpointType: Interface")
    assert interfaces == assumed.endpoints
    # Near enough: an alarm costs ten cents.
    assert text.count("Type: AWS::CloudWatch::Alarm") == pytest.approx(assumed.alarms, abs=10)


def defaults_of(name: str, text: str) -> list[str]:
    """Return what templates set as the default of a parameter, written in a block or in braces."""
    block = rf"^  {name}:\s*\n(?:    .*\n)*?    Default: \"?([\d.]+)\"?"
    braces = rf"^  {name}:\s*{{[^}}]*?Default: \"?([\d.]+)\"?"
    return re.findall(block, text, re.MULTILINE) + re.findall(braces, text, re.MULTILINE)


def test_the_workload_is_what_is_measured_again():
    script = AWS.parent / "measure.py"
    spec = importlib.util.spec_from_file_location("deploy_measure", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert msgspec.to_builtins(MEASURED.workload) == module.sizes(), f"run {sys.executable} {script}"


@pytest.mark.parametrize("text", ["", 'date = "x"', 'date = "x"\nregion = "y"\n[a]\nusd = 1', "=", None])
def test_a_file_that_holds_no_prices_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "prices.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(PriceFileError, match=r"prices\.toml: "):
        read_prices(path)


def test_a_file_without_measurements_is_refused_and_the_error_says_what_to_run(tmp_path):
    path = tmp_path / "measured.toml"
    path.write_text("[workload]\nitems = 1", encoding="utf-8")

    with pytest.raises(PriceFileError, match=r"run deploy/measure\.py"):
        read_measured(path)


def test_prices_are_of_a_date_and_a_region():
    assert isinstance(PRICES, Prices)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", PRICES.date)
    assert PRICES.region == "us-east-1"


def test_the_rate_that_meets_a_quota_is_the_last_that_stays_within_it():
    estimate = Estimate(1, packing=False, measured=measured(change_bytes=100))

    assert met_at(bytes_put, 5 * 2**20, estimate) == 52_428
    assert met_at(lambda found: found.records, 500_000, estimate) == 500_000
    assert met_at(lambda _: 1, 1, estimate) is None


def test_packing_moves_the_quota_of_records_and_not_that_of_bytes():
    alone, packed = (list(quotas(Estimate(1, packing, MEASURED))) for packing in (False, True))
    rates = {(one.part, one.value): (one.met_at, other.met_at) for one, other in zip(alone, packed, strict=True)}

    records, many = rates["Data Firehose, records", "500,000 records/s a stream"]
    assert many > 50 * records
    assert len(set(rates["Data Firehose, bytes", "5 MiB/s a stream in three regions"])) == 1


@pytest.mark.parametrize(("rate", "streams", "databases"), [(1_000, 1, 1), (10_000, 2, 1), (1_000_000, 140, 4)])
def test_a_rate_needs_so_many_delivery_streams_and_clusters(rate, streams, databases):
    estimate = Estimate(rate, packing=True, measured=measured(change_bytes=733))

    assert (delivery_streams(rate, estimate), clusters(rate, estimate)) == (streams, databases)


def test_a_shard_passes_on_a_batch_after_the_other():
    assumed = Assumptions(call_seconds=0.5, invocation_seconds=0, stream_processor_mb=1769)
    times = msgspec.structs.replace(MEASURED.times, stream_processor_microseconds=0)
    estimate = Estimate(1, packing=False, measured=msgspec.structs.replace(MEASURED, times=times), assumed=assumed)

    assert fastest_shard(estimate) == pytest.approx(1_000)


def test_invocations_at_once_are_their_number_times_their_length():
    estimate = Estimate(1_000, packing=True, measured=MEASURED)
    work = estimate.work()["stream-processor"]

    assert running(estimate)["stream-processor"] == pytest.approx(2 * work.seconds)
