"""What runs here: versions, the database, and the settings that are no secret."""

import platform
from importlib.metadata import version

from flask import Blueprint, current_app, render_template

from app.identity import page_user
from app.services import system

bp = Blueprint("system", __name__, url_prefix="/system")
PACKAGES = ("flask", "sqlalchemy", "werkzeug", "gunicorn")
# Named one by one, so that a new setting stays hidden until somebody has thought about it.
SETTINGS = (
    "APP_ENV",
    "PUBLIC_URL",
    "PROXY_HOPS",
    "REGISTRATION_OPEN",
    "REQUIRE_IF_MATCH",
    "PASSWORD_MIN_LENGTH",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "DATABASE_POOL_SIZE",
    "MAX_CONTENT_LENGTH",
    "SESSION_COOKIE_NAME",
)


@bp.get("")
def index() -> str:
    return render_template(
        "admin/system.html",
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        database=system.database(page_user()),
        settings={name: current_app.config[name] for name in SETTINGS},
        hosts=", ".join(sorted(current_app.config["KNOWN_HOSTS"])),
    )
