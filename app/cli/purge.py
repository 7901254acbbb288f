"""`flask purge`: for a timer, once a day or so."""

import click
from flask.cli import with_appcontext

from app.cli.base import Command
from app.services.operations import purge as service


@click.command("purge", cls=Command)
@with_appcontext
def purge() -> None:
    """Remove expired tokens, sessions and links, old records, and the trash after 30 days."""
    for kind, number in service.purge().items():
        click.echo(f"{number} {kind}")
