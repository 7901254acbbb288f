"""The application factory: the whole wiring of the service, on one page."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from flask import Flask

import config
from app import (
    admin,
    api,
    auth,
    cli,
    cors,
    door,
    error_handlers,
    extensions,
    identity,
    main,
    probes,
    ratelimit,
    request_bodies,
    security,
    settings as policy,
    sql,
)
from app.pages import required_factor, templating
from app.routing import IdConverter
from app.service import Service
from app.sql import engine


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The service, with `settings` as config.load() gives them (by default from the environment).

    Raises config.SettingsError.
    """
    app = Service(__name__, instance_path=str(config.INSTANCE))
    app.config.from_mapping(settings if settings is not None else config.load())
    app.url_map.converters["id"] = IdConverter

    policy.init_app(app)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine.options(app.config)
    extensions.init_app(app)
    sql.init_app(app)
    request_bodies.init_app(app)
    security.init_app(app)
    ratelimit.init_app(app)
    identity.init_app(app)
    door.init_app(app)
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
        import_module("app.metrics").init_app(app)  # 80 ms that others need not wait for
    return app
