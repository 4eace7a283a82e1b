"""How a command of this package ends: with a status, one clear text for what can go wrong, and nothing left behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ddb2aurora.errors import Ddb2AuroraError
from local_aws.services.errors import LocalServiceError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_FAILED: Final = 1


@contextmanager
def clear_ending(command: str) -> Iterator[None]:
    """
    End the program as a user of *command* expects, whatever happens inside.

    Ctrl-C and SIGTERM leave every `with` in order and give the status that shells give: 130 and 143. What can go wrong
    on a machine gives one text on the standard error, and the status 1. For the main thread only.

    Raises:
        SystemExit: The command was interrupted, or failed in a way that we foresaw.
    """
    before = {number: signal.signal(number, _end) for number in _SIGNALS}
    try:
        yield
    except (Ddb2AuroraError, LocalServiceError) as error:
        raise _failure(command, str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise _failure(command, f"the emulator did not take a call: {error}; start again") from error
    except OSError as error:
        raise _failure(
            command, f"{error}; name another folder, or mend this one (TMPDIR moves the temporary ones)"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failure(command: str, text: str) -> SystemExit:
    typer.echo(f"{command}: {text}", err=True)
    return SystemExit(_FAILED)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: a second signal would cut the clean-up short, which takes a second or two.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
