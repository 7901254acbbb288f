"""`flask create-todos`: the table of the example, in a database that has the service's tables."""

import click
from flask.cli import with_appcontext

from app.extensions import db
from todo_backend.models import TODOS


@click.command("create-todos")
@with_appcontext
def create_todos() -> None:
    """Create the table of todos, if it is missing. A fork writes a migration in its place."""
    TODOS.create(db.engine, checkfirst=True)
