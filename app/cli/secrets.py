"""`flask secrets`: key rotation for the encrypted columns of the database."""

import click
from flask.cli import with_appcontext

from app.cli.base import Group
from app.services.shared import encrypted_columns
from app.services.shared.encryption import Sealed

group = Group("secrets", help="Manage the secrets that SECRET_KEY encrypts in the database.")


@group.command("rotate")
@with_appcontext
def rotate() -> None:
    """Re-encrypt with SECRET_KEY all secrets encrypted with a key of SECRET_KEY_FALLBACKS."""
    unreadable = 0
    for column in encrypted_columns.all_columns():
        found = column.rotate()
        unreadable += found.unreadable
        click.echo(
            f"{column.name}: {found.earlier} re-encrypted, {found.present} up to date,"
            f" {found.unreadable} unreadable"
        )
    if unreadable:
        raise click.ClickException(str(Sealed()))
