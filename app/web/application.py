"""The Flask application, which refuses coroutine views and ignores impossible dates of files."""

from collections.abc import Callable
from inspect import iscoroutinefunction, unwrap
from typing import Any

from flask import Flask, Response, request
from werkzeug.http import parse_date


class Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` itself, which is never a coroutine: saves Flask's check at each request."""
        return func

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a route. Raises TypeError for a coroutine."""
        if view_func and iscoroutinefunction(unwrap(view_func)):
            raise TypeError(f"{view_func.__qualname__} is async: views here are plain functions.")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)

    def send_static_file(self, filename: str) -> Response:
        """Send the file. Ignores a condition with an impossible date (RFC 9110, 13.1.3)."""
        for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE"):
            try:
                parse_date(request.environ.get(name))
            except OverflowError:
                del request.environ[name]
        return super().send_static_file(filename)
