"""`flask doctor`: a check of the installation."""

from importlib import import_module

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from app.cli.base import Command


@click.command("doctor", cls=Command)
@with_appcontext
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check settings, database, migrations, Redis and mail; exit status 1 on a fault."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    faulty = False
    for finding in import_module("app.doctor").examine(app):  # its imports would slow every command
        click.echo(str(finding))
        faulty |= finding.level == "fault"
    context.exit(int(faulty))
