"""Base classes of the commands: an expected error is one line and exit status 1."""

from typing import Any

import click
from flask.cli import AppGroup

from app.errors import AppError
from app.models import User
from app.services.operations import readiness
from app.services.users import users
from app.sql import DRIVER_ERRORS


class Command(click.Command):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AppError as error:
            raise click.ClickException(_message(error)) from error
        except UnicodeError as error:
            raise click.ClickException("The input is not valid UTF-8.") from error
        except DRIVER_ERRORS as error:
            explained = readiness.explained(error)
            if explained is error:
                raise
            raise click.ClickException(str(explained)) from error


class Group(AppGroup):
    command_class = Command


def find_user(identifier: str) -> User:
    """Return the account with this email, username or id. Raises ClickException."""
    user = users.find(identifier)
    if user is None:
        raise click.ClickException(f"There is no user {identifier!r}.")
    return user


def _message(error: AppError) -> str:
    """Return the message of the error, with the faulty fields."""
    details = [f"{name}: {why}" for name, why in error.fields.items() if why != error.message]
    return " ".join([error.message, *details])
