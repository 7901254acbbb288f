"""`make check`: outside app/server the project uses public names of other packages only.

A private name may change in any release of its package. The check finds two uses: reading or
importing a private name (`other._name`), and overriding a private method of another package.
"""

import ast
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import app
import config

PLACES = (
    "app",
    "bench",
    "examples",
    "migrations",
    "environment",
    "tools",
    "config.py",
    "gunicorn.conf.py",
    "run.py",
)
EXEMPT = config.ROOT / "app" / "server"
OWN = ("app", "bench", "config", "environment", "tools")  # the first part of a module's name
# Documented as public despite the underscore.
DOCUMENTED = {
    "_asdict": "namedtuple, SQLAlchemy's Row",
    "_fields": "namedtuple, SQLAlchemy's Row",
    "_make": "namedtuple",
    "_replace": "namedtuple",
    "_get_current_object": "Werkzeug: Context Locals",
    "_srcfile": "Python: Logging HOWTO, Optimization",
    "_deserialize": "marshmallow: Custom Fields",
    "_serialize": "marshmallow: Custom Fields",
    "_value": "WTForms: Custom Fields",
    "_typeshed": "typeshed: for type checkers alone",
}


def is_private(name: str) -> bool:
    """Return True for `_name`, not for `__name__` and `_name_`, which belong to the language."""
    return (
        len(name) > 1
        and name[0] == "_"
        and "_" not in (name[1], name[-1])
        and name not in DOCUMENTED
    )


def uses(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and private name of each use in the code of one file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls"):
                yield node.lineno, f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in OWN:
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from ((node.lineno, name) for name in names if is_private(name))


def overrides(owner: type) -> Iterator[str]:
    """Yield the methods of `owner` that replace a private one of another package."""
    theirs = [base for base in owner.__mro__ if base.__module__.split(".")[0] not in OWN]
    for name, value in vars(owner).items():
        if not inspect.isfunction(value) or value.__module__ != owner.__module__:
            continue
        if is_private(name) and any(name in vars(base) for base in theirs):
            yield f"{owner.__module__}.{owner.__qualname__}.{name}"


def classes() -> Iterator[type]:
    """Yield each class of the app outside the exempt folder."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.startswith("app.server"):
            for value in vars(import_module(module.name)).values():
                if inspect.isclass(value) and value.__module__ == module.name:
                    yield value


def files() -> Iterator[Path]:
    for place in PLACES:
        path = config.ROOT / place
        found = [path] if path.is_file() else sorted(path.rglob("*.py"))
        yield from (
            file for file in found if EXEMPT not in file.parents and ".venv" not in file.parts
        )


def main() -> int:
    lines = [
        f"{file.relative_to(config.ROOT)}:{line}: {name}"
        for file in files()
        for line, name in uses(file.read_text(encoding="utf-8"))
    ]
    lines.extend(name for owner in classes() for name in overrides(owner))
    if lines:
        print(*lines, "Use a public name: a private one may change in any release.", sep="\n")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
