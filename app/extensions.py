"""The extension objects, created unbound and attached to the app by the factory."""

from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from app.lazy import lazy_import
from app.models.base import Base

if TYPE_CHECKING:
    import flask_migrate
else:
    flask_migrate = lazy_import("flask_migrate")

db = SQLAlchemy(metadata=Base.metadata)
csrf = CSRFProtect()
login_manager = LoginManager()


class Migrations:
    """Flask-Migrate, once a command asks for it: alembic takes 0.1 s of CPU to load, and 8 MB."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        options: dict[str, Any] = {"directory": "migrations", "render_as_batch": True}
        command = self._app.cli.commands["db"]
        # Flask-Migrate puts its own objects in the place of both.
        flask_migrate.Migrate(self._app, db, **options, compare_type=True)
        self._app.cli.add_command(command)
        return getattr(self._app.extensions["migrate"], name)


def init_app(app: Flask) -> None:
    db.init_app(app)
    app.extensions["migrate"] = Migrations(app)
    csrf.init_app(app)
    # In place of its init_app, whose two hooks read the session at each request, for a remember
    # cookie that is not used here, and at each page, that of a lost database included.
    app.login_manager = login_manager  # type: ignore[attr-defined]
