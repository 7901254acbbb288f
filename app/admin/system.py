"""Admin page of the system: versions, database, queue and public settings."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from flask import Blueprint, current_app, render_template

from app.services.operations import database_info
from app.services.outbox import jobs
from app.web.current_user import page_user
from environment.urls import public

bp = Blueprint("system", __name__, url_prefix="/system")
PACKAGES = ("flask", "werkzeug", "sqlalchemy", "alembic", "psycopg2-binary", "gunicorn")
# An explicit list, so that a new setting stays hidden until it is added here.
SETTINGS = (
    "APP_ENV",
    "PUBLIC_URL",
    "PROXY_HOPS",
    "REGISTRATION_OPEN",
    "REQUIRE_MFA",
    "REQUIRE_ADMIN_MFA",
    "REQUIRE_IF_MATCH",
    "PASSWORD_MIN_LENGTH",
    "PERSONAL_TOKEN_MAX_DAYS",
    "RATELIMIT_ENABLED",
    "RATELIMIT_DEFAULT",
    "MAIL_FROM",
    "WEBHOOK_ALLOW_PRIVATE",
    "SECURITY_CONTACT",
    "SUPPORT_CONTACT",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "WEB_CONCURRENCY",
    "WEB_THREADS",
    "WEB_WORKER_CLASS",
    "WORKER_THREADS",
    "DATABASE_POOL_SIZE",
    "MAX_CONTENT_LENGTH",
    "SESSION_COOKIE_NAME",
)
# Secret settings: the page shows only whether they are set, and URLs without their password.
SECRETIVE = ("SECRET_KEY_FALLBACKS", "METRICS_TOKEN")
URLS = ("REDIS_URL", "MAIL_URL")


@bp.get("")
def index() -> str:
    actor = page_user()
    return render_template(
        "admin/system.html",
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        database=database_info.database(actor),
        queue=jobs.figures(actor),
        settings=_settings(current_app.config),
    )


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: config[name] for name in SETTINGS},
        "KNOWN_HOSTS": ", ".join(sorted(config["KNOWN_HOSTS"])),
        "CORS_ORIGINS": ", ".join(sorted(config["CORS_ORIGINS"])),
        "OIDC_PROVIDERS": ", ".join(f"{c.name} ({c.issuer})" for c in config["OIDC_PROVIDERS"]),
        **{name: public(config[name]).partition("?")[0] for name in URLS},
        **{name: "set" if config[name] else "not set" for name in SECRETIVE},
    }
