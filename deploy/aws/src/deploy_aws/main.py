"""`make deploy`, `make plan-deploy`, `make destroy`: one door to an environment on AWS."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final, Literal, TypeAlias

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ddb2aurora.errors import Ddb2AuroraError, HaltError
from ddb2aurora.settings import SettingsReader, process_environment
from deploy_aws.aws import Clients, make_clients, ours
from deploy_aws.deployment import Deployment, Options
from deploy_aws.destruction import Destruction, Kept
from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.parameters import Environment, read_environment
from deploy_aws.plan import Plan, StackPlan
from deploy_aws.plan_table import plan_table, warnings
from deploy_aws.screen import Screen
from deploy_aws.site import Folders, Site, read_site
from deploy_aws.supply import Push
from deploy_aws.waiting import Waiter

EXIT_FAILURES: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

EnvironmentName = Annotated[str, typer.Argument(metavar="ENV", help="The environment: parameters/<ENV>.json.")]
Region = Annotated[str | None, typer.Option("--region", help="AWS region, where the environment's file names none.")]
Data: TypeAlias = Literal["keep", "delete"]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document, for machines.")]

cli = typer.Typer(
    name="deploy_aws",
    help="Set ddb2aurora up on AWS, show what a deployment would change, take it down.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def deploy(
    env: EnvironmentName,
    *,
    region: Region = None,
    push: Annotated[Push, typer.Option(help="Push images: when they are missing or old, never, or always.")] = "auto",
    smoke: Annotated[bool, typer.Option(help="Send one item all the way to its row afterwards.")] = True,
    continue_rollback: Annotated[bool, typer.Option(help="Go on with a rollback that is stuck.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring an environment to what its files say, from whatever state it is in; safe to run again."""
    with ending() as screen:
        site, clients = _open(env, region)
        options = Options(push=push, smoke=smoke, continue_rollback=continue_rollback)
        outputs = Deployment(site, clients, screen=screen, waiter=Waiter(), options=options).run()
        _print(outputs, as_json=as_json)
        screen.say(f"{site.environment.stack} is deployed", kind="good")


@cli.command()
def plan(env: EnvironmentName, *, region: Region = None, as_json: AsJson = False) -> None:
    """Show what a deployment would change, and change nothing. Status 1 says that something would change."""
    with ending() as screen:
        site, clients = _open(env, region)
        plans = Plan(site, clients, screen=screen, waiter=Waiter()).run()
        if as_json:
            typer.echo(json.dumps([dict(found.as_json()) for found in plans], sort_keys=True))
        else:
            _show_plans(plans)
        for warning in (line for found in plans for line in warnings(found.changes)):
            screen.say(warning, kind="bad")
        if any(found.differs for found in plans):
            raise typer.Exit(EXIT_FAILURES)


@cli.command()
def destroy(
    env: EnvironmentName,
    *,
    region: Region = None,
    data: Annotated[Data, typer.Option(help="Keep what holds data, or delete that too, with every image.")] = "keep",
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    leave_failed: Annotated[bool, typer.Option("--leave-failed", help="Leave what cannot be deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take an environment down; what holds data stays, and is named, unless --data delete says otherwise."""
    with ending() as screen:
        environment = read_environment(env, folder=Folders().parameters)
        clients = _clients(environment, region)
        destruction = Destruction(
            environment, clients, screen=screen, waiter=Waiter(), confirm=(lambda _: True) if force else _typed
        )
        kept = destruction.run(data=data == "delete", leave_failed=leave_failed)
        if as_json:
            typer.echo(json.dumps(dict(kept.as_json()), sort_keys=True))
        else:
            _show_kept(kept)
        screen.say(f"{environment.stack} is taken down", kind="good")


def _typed(word: str) -> bool:
    if not sys.stdin.isatty():
        raise DeploymentSettingsError("nobody is there to confirm it: FORCE=yes (--force) goes on without asking")
    return str(typer.prompt(f"type {word} to go on", err=True, default="", show_default=False)) == word


def _show_plans(plans: tuple[StackPlan, ...]) -> None:
    console = Console(highlight=False)
    for found in plans:
        if found.changes:
            console.print(plan_table(found.changes, title=f"{'create' if found.creates else 'update'} {found.stack}"))
        else:
            typer.echo(f"{found.stack}: {'no resource changes, but the stack does' if found.differs else 'no changes'}")


def _show_kept(kept: Kept) -> None:
    for thing in kept.things:
        typer.echo(f"kept: {thing}")
    if kept.bootstrap:
        typer.echo(f"kept: stack {kept.bootstrap}, with the images and the templates")


@contextmanager
def ending() -> Iterator[Screen]:
    """Turn what we foresaw into one clear text and a status."""
    screen = Screen()
    try:
        yield screen
    except KeyboardInterrupt:
        _fail(f"interrupted; {screen.left_running or 'nothing goes on in AWS'}", EXIT_INTERRUPTED)
    except HaltError as error:
        _fail(str(error), EXIT_USAGE)
    except Ddb2AuroraError as error:
        _fail(str(error), EXIT_FAILURES)
    except (BotoCoreError, ClientError) as error:
        foreseen = ours(error)
        _fail(str(foreseen), EXIT_USAGE if isinstance(foreseen, HaltError) else EXIT_FAILURES)


def _fail(text: str, status: int) -> None:
    typer.echo(f"deploy: {text}", err=True)
    raise typer.Exit(status)


def _open(env: str, region: str | None) -> tuple[Site, Clients]:
    site = read_site(env, folders=Folders())
    return site, _clients(site.environment, region)


def _clients(environment: Environment, region: str | None) -> Clients:
    wanted = environment.region
    if wanted is not None and region is not None and wanted != region:
        raise typer.BadParameter(f"the file of {environment.name} says {wanted}, and --region says {region}")
    # The SDK reads AWS_DEFAULT_REGION only; Lambda and the CLI's newer versions made the other name common.
    spoken = SettingsReader(process_environment()).optional("AWS_REGION")
    return make_clients(wanted or region or spoken)


def _print(values: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(dict(values), sort_keys=True))
        return
    for name, value in sorted(values.items()):
        typer.echo(f"{name:<28} {value}")
