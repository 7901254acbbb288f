"""The application factory, which wires the whole service."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask

import config
from app import admin, api, auth, cli, extensions, main, settings as app_settings, sql
from app.lazy import lazy_import
from app.pages import required_factor, templating
from app.sql import engine
from app.web import (
    cors,
    current_user,
    error_handlers,
    health as probes,
    middleware,
    rate_limit,
    request_bodies,
    request_checks,
)
from app.web.application import Application
from app.web.routing import IdConverter

if TYPE_CHECKING:
    from app import metrics
else:
    metrics = lazy_import("app.metrics")  # reads what gunicorn.conf.py sets in the environment


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Return the service with `settings`, by default those of config.load().

    Raises config.SettingsError.
    """
    app = Application(__name__, instance_path=str(config.INSTANCE))
    app.config.from_mapping(settings if settings is not None else config.load())
    app.url_map.converters["id"] = IdConverter

    app_settings.init_app(app)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine.options(app.config)
    extensions.init_app(app)
    sql.init_app(app)
    request_bodies.init_app(app)
    middleware.init_app(app)
    rate_limit.init_app(app)
    current_user.init_app(app)
    request_checks.init_app(app)
    required_factor.init_app(app)
    cors.init_app(app)
    error_handlers.init_app(app)
    templating.init_app(app)
    cli.init_app(app)

    app.register_blueprint(auth.bp, url_prefix="/auth")
    app.register_blueprint(api.bp, url_prefix="/api/v1")
    app.register_blueprint(api.docs, url_prefix="/api")
    app.register_blueprint(main.bp)
    app.register_blueprint(admin.bp, url_prefix="/admin")
    app.register_blueprint(probes.bp)
    if app.config["METRICS_TOKEN"]:
        metrics.init_app(app)
    return app
