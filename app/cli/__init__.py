"""Commands of `flask` for operators. They call the services as SYSTEM."""

from flask import Flask

from app.cli import demo, doctor, purge, secrets, tokens, users, worker
from app.cli.db import LazyMigrations


def init_app(app: Flask) -> None:
    commands = (demo.seed_demo, purge.purge, worker.worker, doctor.doctor)
    for command in (users.group, tokens.group, secrets.group, LazyMigrations(app), *commands):
        app.cli.add_command(command)
