"""The extension objects, created unbound and attached to the app by the factory."""

from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from app.models.base import Base

db = SQLAlchemy(metadata=Base.metadata)
csrf = CSRFProtect()
login_manager = LoginManager()


def init_app(app: Flask) -> None:
    db.init_app(app)
    csrf.init_app(app)
    # Not LoginManager.init_app: its two hooks read the session at each request, for a remember
    # cookie that is not used here, and for each page, even while the database is unreachable.
    app.login_manager = login_manager  # type: ignore[attr-defined]
