"""The Flask application, which matches paths only and refuses coroutine views."""

from collections.abc import Callable
from inspect import iscoroutinefunction, unwrap
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.http import parse_date
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host


class Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` itself, which is never a coroutine: saves Flask's check at each request."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the adapter that matches the path of `request`.

        No route depends on the host, so the host is not split and encoded as Werkzeug's
        `bind_to_environ` does: a twentieth of a read.
        """
        environ = request.environ if request is not None else {}
        if request is None or not environ["PATH_INFO"] or "HTTP_UPGRADE" in environ:
            return super().create_url_adapter(request)
        request.host = host = get_host(environ)
        return MapAdapter(
            self.url_map,
            server_name=host.lower(),
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=request.path,
            default_method=request.method,
            query_args=request.query_string.decode(errors="replace"),
        )

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
