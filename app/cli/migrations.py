"""Flask-Migrate on the app and its database. It reads folder and options from migrations/."""

from datetime import UTC, datetime

import click
from flask import Flask
from flask_migrate import Migrate
from flask_migrate.cli import db as commands

from app.extensions import db

for option in commands.commands["merge"].params:
    if option.name == "rev_id":  # any other revision is named by migrations/env.py
        option.default = lambda: datetime.now(UTC).strftime("%Y%m%d%H%M%S")


def init_app(app: Flask) -> click.Group:
    """Attach Flask-Migrate to `app` and return its commands."""
    Migrate(app, db)
    group: click.Group = commands
    return group
