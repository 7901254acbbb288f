"""`flask db`: the commands of Flask-Migrate. They are loaded when one of them is called."""

from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from app.sql.errors import first_line, translated


class Db(click.Group):
    """An unreachable or busy database is one line and exit status 1, not a traceback."""

    def __init__(self) -> None:
        super().__init__("db", help="Perform database migrations.")

    @cached_property
    def _commands(self) -> click.Group:
        group: click.Group = import_module("flask_migrate.cli").db
        for option in group.commands["merge"].params:
            if option.name == "rev_id":  # any other revision is named by migrations/env.py
                option.default = lambda: datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        return group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._commands.list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._commands.get_command(ctx, cmd_name)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return self._commands.get_params(ctx)

    def invoke(self, ctx: click.Context) -> Any:
        self.callback = self._commands.callback
        try:
            return super().invoke(ctx)
        except OperationalError as error:
            cause: Any = error.orig
            line = f"{translated(cause)} ({first_line(cause)})"
            raise click.ClickException(line) from error
