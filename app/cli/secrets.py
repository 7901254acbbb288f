"""`flask secrets`: what SECRET_KEY has sealed in the database."""

import click
from flask.cli import with_appcontext

from app.cli.base import Group
from app.services.shared import encrypted_columns
from app.services.shared.encryption import Sealed

group = Group("secrets", help="Manage the secrets that SECRET_KEY seals in the database.")


@group.command("rotate")
@with_appcontext
def rotate() -> None:
    """Seal anew, by SECRET_KEY, what a key in SECRET_KEY_FALLBACKS has sealed."""
    unreadable = 0
    for column in encrypted_columns.all_columns():
        found = column.rotate()
        unreadable += found.unreadable
        click.echo(
            f"{column.name}: {found.earlier} sealed anew, {found.present} under SECRET_KEY before,"
            f" {found.unreadable} unreadable"
        )
    if unreadable:
        raise click.ClickException(str(Sealed()))
