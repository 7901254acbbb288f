"""The service with one more resource: the todos of the Todo-Backend contract."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

import app as service
from todo_backend import api, commands


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Return the service with /api/v1/todos. Raises config.SettingsError."""
    app = service.create_app(settings)
    app.register_blueprint(api.bp, url_prefix="/api/v1")
    app.cli.add_command(commands.create_todos)
    return app
