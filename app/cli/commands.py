"""From the parsed command line to the command, imported only when it is the one that was asked for.

Starting up is most of a short command's time.
"""

from __future__ import annotations

from argparse import Namespace

from app.cli.context import CommandContext


def run(options: Namespace, context: CommandContext) -> int:
    """The exit code. Raises `LakeDropError` for what should be told and ends the command."""
    if options.command == "upload":
        from app.cli.upload import upload

        return upload(options, context)
    if options.command == "retry":
        from app.cli.retry import retry

        return retry(options, context)
    if options.command == "receipt":
        from app.cli.receipt import receipt

        return receipt(options, context)
    if options.command == "verify":
        from app.cli.verify import verify

        return verify(options, context)
    if options.command == "limit":
        from app.cli.limit import limit

        return limit(options, context)
    if options.command == "jobs":
        from app.cli.listings import jobs

        return jobs(options, context)
    if options.command == "history":
        from app.cli.listings import history

        return history(options, context)
    if options.command == "demo":
        from app.cli.demo import demo

        return demo(options, context)
    from app.cli import connect

    actions = {
        "add": connect.add,
        "list": connect.listed,
        "test": connect.test,
        "remove": connect.remove,
    }
    return actions[options.action](options, context)
