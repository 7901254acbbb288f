"""`flask purge`: deletion of expired data, for a daily timer."""

import click
from flask.cli import with_appcontext

from app.cli.base import Command
from app.services.operations import purge as service


@click.command("purge", cls=Command)
@with_appcontext
def purge() -> None:
    """Delete expired tokens, sessions and links, old records, and trash older than 30 days."""
    for kind, number in service.purge().items():
        click.echo(f"{number} {kind}")
