"""The service with a model of machine learning: a forecast of when a task will be done."""

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask

import app as service
from task_forecast import api, commands, pages


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Return the service with the forecast of each task. Raises config.SettingsError."""
    app = service.create_app(settings)
    app.config["MODEL_FOLDER"] = os.environ.get("MODEL_FOLDER", f"{app.instance_path}/models")
    app.register_blueprint(api.bp, url_prefix="/api/v1")
    app.register_blueprint(pages.bp)
    app.cli.add_command(commands.train_forecast)
    return app
