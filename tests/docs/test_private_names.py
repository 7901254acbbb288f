"""The check of private names finds each kind of use, and nothing else."""

import pytest
from werkzeug.routing import Rule

from tests.tools.check_private_names import overrides, uses


@pytest.mark.parametrize(
    "source",
    [
        "login_manager._update_remember_cookie",
        "app.after_request_funcs[None].remove(manager._hook)",
        "from flask.globals import _cv_app",
        "from flask._internal import name",
        "super()._compile_builder()",
        "request._get_current_object()._cached_json",
    ],
)
def test_use_of_a_private_name_is_found(source: str) -> None:
    assert list(uses(source))


@pytest.mark.parametrize(
    "source",
    [
        "self._name = 1",
        "cls._name()",
        "sys.orig_argv",
        "error.__cause__",
        "Kind._missing_",
        "_own = 1",
        "from app.models import _name",
        "request._get_current_object()",
        "row._replace(title='')",
    ],
)
def test_other_use_is_not_found(source: str) -> None:
    assert list(uses(source)) == []


def test_override_of_a_private_method_is_found() -> None:
    class Lazy(Rule):
        def _compile_builder(self, *_given: object) -> None: ...  # type: ignore[override]

        def _own(self) -> None: ...

    Lazy.__module__ = Lazy._compile_builder.__module__ = Lazy._own.__module__ = "app.example"
    assert [name.rpartition(".")[2] for name in overrides(Lazy)] == ["_compile_builder"]
