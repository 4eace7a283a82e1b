"""Replay what failed from every place that a pipeline keeps failures in, one after the other."""

from collections.abc import Callable, Collection

from ddb2aurora.database.horizon import read_horizon
from operator_cli import aws
from operator_cli.invoking import InvokedFunction
from operator_cli.redriving.batches import Batches
from operator_cli.redriving.events import FailedEvents
from operator_cli.redriving.kept import KeptObjects
from operator_cli.redriving.places import Place
from operator_cli.redriving.records import FailedRecords
from operator_cli.redriving.rejects import RejectedRows
from operator_cli.redriving.tally import Circuit, Tally
from operator_cli.site import Database, Setting, Site


def redrive(
    site: Site, database: Database, *, places: Collection[Place], most_failing: float, dry: bool, limit: int | None
) -> tuple[tuple[Tally, ...], bool]:
    """
    Replay what failed in *places*; return the tally of each, and whether it was stopped.

    It stops when more than the share *most_failing* of what was tried fails again. In a *dry* run nothing is written,
    sent or invoked. *limit* bounds the objects, messages or reasons of each place.

    Raises:
        AwsSetUpError: A service cannot be used before someone acts.
        AwsCallError: It may work later.
        HorizonMissingError: The database was not migrated.
        pymysql.err.Error: The database did not answer.
    """
    horizon_ms = read_horizon(database.connection, database.tables) if database.tables.remembers_deletes else 0
    circuit = Circuit(most=most_failing)
    tallies = []
    for place in Place:
        if place in places:
            tally = Tally(place)
            tallies.append(tally)
            if not circuit.is_open:
                _way(place, site, database, horizon_ms)(tally, circuit, dry=dry, limit=limit)
    return tuple(tallies), circuit.is_open


def _way(place: Place, site: Site, database: Database, horizon_ms: int) -> Callable[..., None]:
    if place is Place.EVENTS:
        return FailedEvents(
            aws.sqs_client(),
            queue_url=site[Setting.LOADER_FAILURES],
            pipeline=site.pipeline,
            loader=InvokedFunction(aws.lambda_client(), name=site[Setting.LOADER]),
        ).redrive
    s3, bucket = aws.s3_client(), site[Setting.BUCKET]
    if place is Place.RECORDS:
        return FailedRecords(s3, bucket=bucket, pipeline=site.pipeline, horizon_ms=horizon_ms).redrive
    if place is Place.REJECTS:
        return RejectedRows(
            s3,
            bucket=bucket,
            pipeline=site.pipeline,
            database=database,
            loader=InvokedFunction(aws.lambda_client(), name=site[Setting.LOADER]),
            horizon_ms=horizon_ms,
        ).redrive
    batches = Batches(
        KeptObjects(s3, bucket=bucket),
        pipeline=site.pipeline,
        stream_processor=InvokedFunction(aws.lambda_client(), name=site[Setting.STREAM_PROCESSOR]),
    )
    return batches.redrive_batches if place is Place.BATCHES else batches.redrive_malformed
