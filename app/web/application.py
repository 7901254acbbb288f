"""The Flask application, with a shorter way to what has no session: the API and the probes.

For each request Flask builds a URL adapter, walks its tree of routes, opens a session, looks up the
hooks of each blueprint and sends six signals. What of that cannot change between two requests is
worked out once here: it saves a fifth of the CPU that a call spends outside the database. Pages,
errors of routing and OPTIONS go Flask's own way, and a test holds the two equal.
"""

import re
from collections.abc import Callable
from functools import cached_property
from inspect import iscoroutinefunction, unwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, Response, request, signals
from flask.ctx import AppContext, RequestContext
from flask.globals import _cv_app, _cv_request, request_ctx
from flask.sessions import NullSession
from werkzeug.http import parse_date
from werkzeug.routing import MapAdapter, Rule

from app.models.types import ID
from app.web.routing import LazyRule

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PART = re.compile(f"/({ID})(?=/|$)")
SHORT = ("api.", "probes.")  # endpoints without a session
_ARGUMENT = re.compile(r"<id:(\w+)>")
_LISTENERS = [
    signal.receivers
    for signal in (
        signals.request_started,
        signals.request_finished,
        signals.request_tearing_down,
        signals.appcontext_pushed,
        signals.appcontext_popped,
        signals.appcontext_tearing_down,
    )
]


class Route(NamedTuple):
    """A view, and all that Flask would look up about it."""

    rule: Rule
    arguments: list[str]
    view: Callable[..., Any]
    before: list[Callable[[], Any]]
    after: list[Callable[[Response], Response]]


class Call(RequestContext):
    """The context of a request whose route is known; there is no session in it."""

    _no_session = NullSession()

    def __init__(self, app: "Service", environ: "WSGIEnvironment", route: Route, ids: list[str]):
        self.app: Service = app
        self.route = route
        self.request = found = app.request_class(environ)
        found.json_module = app.json
        found.url_rule = route.rule
        self.arguments = found.view_args = dict(zip(route.arguments, ids, strict=True))
        self.flashes = None
        self._session = self._no_session
        self._after_request_functions = []
        self._cv_tokens = []

    @cached_property
    def url_adapter(self) -> MapAdapter | None:  # type: ignore[override]
        """For url_for."""
        return self.app.create_url_adapter(self.request)

    def copy(self) -> "Call":
        ids = list(self.arguments.values())
        copied = Call(self.app, self.request.environ, self.route, ids)
        copied.request = self.request
        return copied

    def push(self) -> None:
        """Flask's own, without a session to open and a route to find."""
        context: AppContext | None = _cv_app.get(None)
        if context is None or context.app is not self.app:
            context = self.app.app_context()
            context.push()
        else:
            context = None
        self._cv_tokens.append((_cv_request.set(self), context))


class Service(Flask):
    url_rule_class = LazyRule

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

    @cached_property
    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path, with * for each id. Not before all are registered."""
        found = {}
        for rule in self.url_map.iter_rules():
            path = _ARGUMENT.sub("*", rule.rule)
            if "<" not in path and rule.endpoint.startswith(SHORT):
                route = self._route(rule)
                for method in (rule.methods or set()) - {"OPTIONS"}:
                    found[method, path] = route
        return found

    def _route(self, rule: Rule) -> Route:
        parts = rule.endpoint.split(".")[:-1]
        inner = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
        for unused in (self.url_value_preprocessors, self.teardown_request_funcs):
            assert unused.keys().isdisjoint({None, *inner}), "A Call does not run such a hook."  # noqa: S101
        before, after = self.before_request_funcs, self.after_request_funcs
        return Route(
            rule=rule,
            arguments=_ARGUMENT.findall(rule.rule),
            view=self.view_functions[rule.endpoint],
            before=[hook for name in (None, *reversed(inner)) for hook in before.get(name, ())],
            after=[hook for name in (*inner, None) for hook in reversed(after.get(name, ()))],
        )

    def request_context(self, environ: "WSGIEnvironment") -> RequestContext:
        parts = _PART.split(environ["PATH_INFO"])
        ids = parts[1::2]
        route = self.routes.get((environ["REQUEST_METHOD"], "/*".join(parts[::2])))
        if (
            route is None
            or len(ids) != len(route.arguments)
            or any(_LISTENERS)  # it sends no signals
        ):
            return super().request_context(environ)
        return Call(self, environ, route, [each.lower() for each in ids])

    def full_dispatch_request(self) -> Response:
        call = request_ctx._get_current_object()  # type: ignore[attr-defined]
        if not isinstance(call, Call):
            return super().full_dispatch_request()
        self._got_first_request = True
        try:
            for ask in call.route.before:
                if (answer := ask()) is not None:
                    return self.finalize_request(answer)
            response = call.route.view(**call.arguments)
        except Exception as error:
            return self.finalize_request(self.handle_user_exception(error))
        if not isinstance(response, Response) or call._after_request_functions:
            return self.finalize_request(response)
        for change in call.route.after:
            response = change(response)
        return response

    def do_teardown_request(self, *given: Any) -> None:
        if not isinstance(request_ctx._get_current_object(), Call):  # type: ignore[attr-defined]
            super().do_teardown_request(*given)
