"""Modules that are imported at their first use, because most processes never use them.

Only an import that takes tens of milliseconds of CPU is worth it:

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
    """Return a stand-in for the module `name`. Each attribute is read from the module itself."""
    return _LazyModule(name)
