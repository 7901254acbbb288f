"""Packages that are loaded when they are first used: most starts (commands, tests) never need them.

    if TYPE_CHECKING:
        import email_validator
    else:
        email_validator = lazy("email_validator", ahead=True)

What every web process will need sooner or later is loaded `ahead` by Gunicorn's master, before it
forks, so that all workers share it.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

_ahead: list[Callable[[], Any]] = []


class _Package:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


def lazy(name: str, *, ahead: bool = False) -> Any:
    """Stands for the package `name`; its submodules are its attributes once it has loaded them."""
    if ahead:
        by_master(partial(import_module, name))
    return _Package(name)


def by_master(function: Callable[[], Any]) -> Callable[[], Any]:
    """Have Gunicorn's master call `function`, which leaves behind what all workers will use."""
    _ahead.append(function)
    return function


def load_ahead() -> None:
    for function in _ahead:
        function()
