"""Commands of `flask`, for whoever holds the machine. They call the services, as SYSTEM."""

from flask import Flask

from app.cli import demo, purge, tokens, users, worker


def init_app(app: Flask) -> None:
    for command in (users.group, tokens.group, demo.seed_demo, purge.purge, worker.worker):
        app.cli.add_command(command)
