"""All routes, known before the first test runs, for tests that are generated from them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from werkzeug.routing import Rule

from app.api.http.declaration import Operation
from app.api.openapi import document as openapi
from tests.support.answers import MISSING
from tests.support.databases import make_app

# Serves no request: the database does not exist.
APP = make_app("sqlite:////dev")
_VARIABLE = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """A rule of the URL map with one of its methods. As text "GET /api/v1/tasks"."""

    method: str
    rule: str
    endpoint: str
    operation: Operation | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def in_api(self) -> bool:
        return self.rule.startswith("/api/")

    def path(self, values: Mapping[str, str] | None = None) -> str:
        """Return a path of this route, with `values` for its variables, else ids of no record."""

        def value(match: re.Match[str]) -> str:
            kind, choices, name = match.groups()
            made = MISSING if kind == "id" else "nothing"
            return (values or {}).get(name) or (choices or made).partition(",")[0].strip("'\" ")

        return _VARIABLE.sub(value, self.rule)


def _routes(rule: Rule) -> Iterator[Route]:
    operation = getattr(APP.view_functions[rule.endpoint], "operation", None)
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        yield Route(method, rule.rule, rule.endpoint, operation)


ROUTES = sorted((r for rule in APP.url_map.iter_rules() for r in _routes(rule)), key=str)
API_ROUTES = [route for route in ROUTES if route.rule.startswith("/api/v1/")]
PAGE_ROUTES = [route for route in ROUTES if not route.in_api]
OPERATIONS = [route for route in API_ROUTES if route.operation is not None]
DOCUMENT = openapi.build(APP)
