"""`flask db`: the commands of Flask-Migrate, which are loaded when one of them is called."""

from typing import TYPE_CHECKING, Any

import click
from flask import Flask

from app.lazy import lazy_import

if TYPE_CHECKING:
    from app.cli import migrations
else:
    migrations = lazy_import("app.cli.migrations")  # which needs Alembic


class LazyMigrations(click.Group):
    """Loads the group of Flask-Migrate when click parses its arguments: Alembic is costly."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Perform database migrations.")
        self._app = app

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        return migrations.init_app(self._app).make_context(*args, **kwargs)
