"""The application factory: the whole wiring of the service, on one page."""

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import iscoroutinefunction, unwrap
from typing import Any

from flask import Flask, Response, request
from werkzeug.http import parse_date

import config
from app import (
    admin,
    api,
    auth,
    cli,
    cors,
    error_handlers,
    extensions,
    identity,
    main,
    policy,
    probes,
    ratelimit,
    security,
    sql,
    templating,
)
from app.converters import IdConverter
from app.services import passwords


class Service(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view here is a coroutine: asking each of them at every request is not needed."""
        return func

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        if view_func and iscoroutinefunction(unwrap(view_func)):
            raise TypeError(f"{view_func.__qualname__} is async: views here are plain functions.")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)

    def send_static_file(self, filename: str) -> Response:
        """Without a date that no calendar has, which is to be passed over (RFC 9110, 13.1.3)."""
        for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE"):
            try:
                parse_date(request.environ.get(name))
            except OverflowError:
                del request.environ[name]
        return super().send_static_file(filename)


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The service, with `settings` as config.load() gives them (by default from the environment).

    Raises config.SettingsError.
    """
    app = Service(__name__, instance_path=str(config.INSTANCE))
    app.config.from_mapping(settings if settings is not None else config.load())
    app.url_map.converters["id"] = IdConverter
    passwords.Policy.min_length = app.config["PASSWORD_MIN_LENGTH"]

    policy.init_app(app)
    extensions.init_app(app)
    sql.init_app(app)
    security.init_app(app)
    cors.init_app(app)
    ratelimit.init_app(app)
    identity.init_app(app)
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
