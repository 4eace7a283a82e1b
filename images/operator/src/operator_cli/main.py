"""
Where a process of the `ddb2aurora` command begins.

It imports nothing by itself: most of what a short command takes is imports, and Ctrl-C during them ends it as cleanly
as later.
"""

_EXIT_INTERRUPTED = 130  # `frame.EXIT_INTERRUPTED`, which is not there before what it takes to import


def main() -> None:
    """Run the command line."""
    try:
        from operator_cli.command_line import run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        raise SystemExit(_EXIT_INTERRUPTED) from None
