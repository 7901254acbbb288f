"""`flask worker`: the process that sends mails and webhooks."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from app.cli.base import Command
from app.lazy import lazy_import

if TYPE_CHECKING:
    from app.worker import loop, senders
else:
    loop = lazy_import("app.worker.loop")
    senders = lazy_import("app.worker.senders")  # which need smtplib and email


@click.command("worker", cls=Command)
@click.option("--once", is_flag=True, help="Send all due jobs, then exit.")
@click.option("--beside", type=int, metavar="PID", help="Exit when the parent process PID exits.")
@click.option(
    "--heartbeat",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that the worker touches while it runs, for a health check.",
)
@with_appcontext
def worker(once: bool, beside: int | None, heartbeat: Path | None) -> None:
    """Send mails and webhooks, and purge expired data hourly, until SIGTERM or SIGINT."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    working = loop.Worker(app, senders.SENDERS, app.config["WORKER_THREADS"])
    if once:
        click.echo(f"{working.run_once()} sent or tried")
    else:
        working.run(beside, heartbeat)
