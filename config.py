"""The settings, read from the environment once at start, with all faults in one error.

`.env.example` explains them. `<NAME>_FILE` names a file with the value of any setting, for
container secrets.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from environment.openid import read_openid
from environment.reader import Reader
from environment.urls import LOOPBACK_HOSTS, host_of

ROOT = Path(__file__).parent
INSTANCE = ROOT / "instance"


class SettingsError(Exception):
    """Wrong settings: `faults` holds a line with the remedy for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the app's configuration from `environ`, by default the process's own and `.env`.

    Raises SettingsError with all faults.
    """
    if environ is None:
        load_dotenv(ROOT / ".env")
        environ = os.environ
    reader = Reader(environ, INSTANCE)
    env = reader.choice("APP_ENV", "development", ("development", "testing", "production"))
    port = reader.integer("PORT", 8000, 1, 65535)
    threads = reader.integer("WEB_THREADS", 8, 1, 256)
    public_url = reader.url("PUBLIC_URL", f"http://localhost:{port}")
    https = public_url.startswith("https:")
    secret_key = reader.secret_key(env)
    fallbacks = reader.words("SECRET_KEY_FALLBACKS")
    settings = {
        "APP_ENV": env,
        "TESTING": env == "testing",
        "SECRET_KEY": secret_key,
        "SECRET_KEY_FALLBACKS": fallbacks,
        "SQLALCHEMY_DATABASE_URI": reader.database_url(env),
        "DATABASE_POOL_SIZE": reader.integer("DATABASE_POOL_SIZE", threads, 1, 1000),
        "BIND": reader.text("BIND", "127.0.0.1"),
        "PORT": port,
        "WEB_CONCURRENCY": reader.integer("WEB_CONCURRENCY", 2, 1, 256),
        "WEB_THREADS": threads,
        "WEB_WORKER_CLASS": reader.choice("WEB_WORKER_CLASS", "app", ("app", "gthread")),
        "WORKER_THREADS": reader.integer("WORKER_THREADS", 4, 1, 64),
        "PUBLIC_URL": public_url,
        "HTTPS": https,
        "KNOWN_HOSTS": LOOPBACK_HOSTS | {host_of(public_url)} | reader.hosts("TRUSTED_HOSTS"),
        "PROXY_HOPS": reader.integer("PROXY_HOPS", 0, 0, 10),
        "REGISTRATION_OPEN": reader.choice("REGISTRATION", "open", ("open", "closed")) == "open",
        "REDIS_URL": reader.redis_url(),
        "PERSONAL_TOKEN_MAX_DAYS": reader.integer("PERSONAL_TOKEN_MAX_DAYS", 365, 0, 3650),
        "RATELIMIT_ENABLED": reader.flag("RATELIMIT_ENABLED", default=True),
        "RATELIMIT_DEFAULT": reader.rate("RATELIMIT_DEFAULT", "1000 per minute"),
        "CORS_ORIGINS": reader.origins("CORS_ORIGINS"),
        "REQUIRE_IF_MATCH": reader.flag("REQUIRE_IF_MATCH", default=False),
        "PASSWORD_MIN_LENGTH": reader.integer("PASSWORD_MIN_LENGTH", 8, 8, 64),
        "REQUIRE_MFA": reader.choice("REQUIRE_MFA", "no", ("no", "admins", "all")),
        "REQUIRE_ADMIN_MFA": reader.require_admin_mfa(public_url),
        "MAIL_URL": reader.mail_url(),
        "MAIL_FROM": reader.address("MAIL_FROM"),
        "WEBHOOK_ALLOW_PRIVATE": reader.flag("WEBHOOK_ALLOW_PRIVATE", default=False),
        "AUDIT_KEEP_DAYS": reader.integer("AUDIT_KEEP_DAYS", 0, 0, 36_500),
        "SECURITY_CONTACT": reader.contact("SECURITY_CONTACT"),
        "SUPPORT_CONTACT": reader.contact("SUPPORT_CONTACT"),
        **read_openid(reader),
        "METRICS_TOKEN": reader.text("METRICS_TOKEN"),
        "LOG_LEVEL": reader.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        "LOG_FORMAT": reader.choice("LOG_FORMAT", "json", ("json", "console")),
        "MAX_CONTENT_LENGTH": 2**20,
        "MAX_FORM_MEMORY_SIZE": 2**20,
        "MAX_FORM_PARTS": 1000,
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "WTF_CSRF_CHECK_DEFAULT": False,  # app.web.request_checks checks the pages alone
        # Accepts forms from before a change of SECRET_KEY. itsdangerous signs with the last key.
        "WTF_CSRF_SECRET_KEY": [*fallbacks, secret_key],
        "WTF_CSRF_TIME_LIMIT": None,  # the token expires with its session
        # Flask-WTF's check refuses browsers that send no Referer: app.web.request_checks checks
        # Sec-Fetch-Site and Origin instead.
        "WTF_CSRF_SSL_STRICT": False,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),  # static URLs hold the content's hash
    }
    if reader.faults:
        raise SettingsError(reader.faults)
    return settings
