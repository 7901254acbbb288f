"""What the routes are made of."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import BaseConverter, Rule

from app.models.types import ID


class IdConverter(BaseConverter):
    """A UUID, in either case. What is none is no route: a 404."""

    regex = ID

    def to_python(self, value: str) -> str:
        return value.lower()


class LazyRule(Rule):
    """A rule that compiles what `url_for` runs when it is first asked for.

    Werkzeug writes and compiles two functions for each rule at once: a twelfth of the app's start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        name = "_build_unknown" if append_unknown else "_build"
        compile_now = super()._compile_builder

        def build(rule: "LazyRule", /, **values: Any) -> tuple[str, str]:
            compiled = compile_now(append_unknown).__get__(rule)
            setattr(rule, name, compiled)
            built: tuple[str, str] = compiled(**values)
            return built

        return build
