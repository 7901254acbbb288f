"""Imports that run at the first use of a module, because most processes never use the module.

Only for imports that take tens of milliseconds of CPU:

    if TYPE_CHECKING:
        import webauthn
    else:
        webauthn = lazy_import("webauthn")
"""

from importlib import import_module
from typing import Any


class _LazyModule:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


def lazy_import(name: str) -> Any:
    """Return a proxy of the module `name`, which is imported at the first access."""
    return _LazyModule(name)
