"""Settings: read from the environment once, at start, every fault reported at once.

`.env.example` is the manual. Each setting may also be read from the file that `<NAME>_FILE` names,
as container secrets are.
"""

import os
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from dotenv import load_dotenv
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).parent
INSTANCE = ROOT / "instance"
SECRET_MIN_BYTES = 32
# Values that stand in examples, here and elsewhere: a secret that anybody can look up is none.
KNOWN_SECRETS = ("change-me", "changeme", "change_me", "secret", "example", "dev-only", "your-")
ORIGIN = "scheme and host alone, as https://example.org."
PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class SettingsError(Exception):
    """One or more settings are wrong: `faults` holds a line for each, with the mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The configuration of the app, from `environ` (the process's own and `.env` by default).

    Raises SettingsError, with every fault.
    """
    if environ is None:
        load_dotenv(ROOT / ".env")
        environ = os.environ
    reader = _Reader(environ)
    env = reader.choice("APP_ENV", "development", ("development", "testing", "production"))
    port = reader.integer("PORT", 8000, 1, 65535)
    threads = reader.integer("WEB_THREADS", 8, 1, 256)
    public_url = reader.url("PUBLIC_URL", f"http://localhost:{port}")
    https = public_url.startswith("https:")
    settings = {
        "APP_ENV": env,
        "TESTING": env == "testing",
        "SECRET_KEY": reader.secret_key(env),
        "SQLALCHEMY_DATABASE_URI": reader.database_url(env),
        "DATABASE_POOL_SIZE": reader.integer("DATABASE_POOL_SIZE", threads, 1, 1000),
        "BIND": reader.text("BIND", "127.0.0.1"),
        "PORT": port,
        "WEB_CONCURRENCY": reader.integer("WEB_CONCURRENCY", 2, 1, 256),
        "WEB_THREADS": threads,
        "PUBLIC_URL": public_url,
        "HTTPS": https,
        "KNOWN_HOSTS": LOOPBACK_HOSTS | {_host(public_url)} | reader.hosts("TRUSTED_HOSTS"),
        "PROXY_HOPS": reader.integer("PROXY_HOPS", 0, 0, 10),
        "REGISTRATION_OPEN": reader.choice("REGISTRATION", "open", ("open", "closed")) == "open",
        "REDIS_URL": reader.redis_url(),
        "RATELIMIT_ENABLED": reader.flag("RATELIMIT_ENABLED", default=True),
        "RATELIMIT_DEFAULT": reader.rate("RATELIMIT_DEFAULT", "1000 per minute"),
        "CORS_ORIGINS": reader.origins("CORS_ORIGINS"),
        "REQUIRE_IF_MATCH": reader.flag("REQUIRE_IF_MATCH", default=False),
        "PASSWORD_MIN_LENGTH": reader.integer("PASSWORD_MIN_LENGTH", 8, 8, 64),
        "LOG_LEVEL": reader.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        "LOG_FORMAT": reader.choice("LOG_FORMAT", "json", ("json", "console")),
        "MAX_CONTENT_LENGTH": 2**20,
        "MAX_FORM_MEMORY_SIZE": 2**20,
        "MAX_FORM_PARTS": 1000,
        "SESSION_COOKIE_NAME": "__Host-session" if https else "session",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "WTF_CSRF_CHECK_DEFAULT": False,  # app.identity asks for it, on the pages alone
        "WTF_CSRF_TIME_LIMIT": None,  # it lives as long as the session that it is bound to
        # Its Referer check refuses people whose browser sends none: app.identity asks for
        # Sec-Fetch-Site and Origin instead.
        "WTF_CSRF_SSL_STRICT": False,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),  # static links carry the content's hash
    }
    if reader.faults:
        raise SettingsError(reader.faults)
    return settings


class _Reader:
    """Reads single settings and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def fault(self, name: str, wrong: str, mend: str) -> None:
        self.faults.append(f"{name} {wrong}: {mend}")

    def text(self, name: str, default: str = "") -> str:
        path = self.environ.get(f"{name}_FILE", "")
        if not path:
            return self.environ.get(name, "").strip() or default
        if self.environ.get(name):
            self.fault(name, f"is set beside {name}_FILE", "keep one of the two.")
        try:
            return Path(path).read_text(encoding="utf-8").strip() or default
        except (OSError, UnicodeDecodeError) as error:
            self.fault(f"{name}_FILE", f"cannot be read ({error})", "name a readable text file.")
            return default

    def words(self, name: str) -> list[str]:
        return [word for part in self.text(name).split(",") if (word := part.strip())]

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        for choice in choices:
            if value.lower() == choice.lower():
                return choice
        self.fault(name, f"is {value!r}", f"set one of {', '.join(choices)}.")
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        return self.choice(name, "1" if default else "0", ("0", "1")) == "1"

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high:
            return int(value)
        self.fault(name, f"is {value!r}", f"set a whole number from {low} to {high}.")
        return default

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if origin := _origin(value):
            return origin
        self.fault(name, f"is {_public(value)!r}", f"set {ORIGIN}")
        return default

    def rate(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if re.fullmatch(r"[1-9]\d{0,8} per (second|minute|hour|day)", value, re.ASCII):
            return value
        self.fault(name, f"is {value!r}", "set it as 1000 per minute.")
        return default

    def origins(self, name: str) -> frozenset[str]:
        origins = {word: _origin(word) for word in self.words(name)}
        for word, origin in origins.items():
            if not origin:
                self.fault(name, f"has {_public(word)!r}", f"set {ORIGIN}")
        return frozenset(origins.values())

    def hosts(self, name: str) -> frozenset[str]:
        hosts = {host.lower() for host in self.words(name)}
        for host in hosts:
            if _host(f"//{host}") != host:
                self.fault(name, f"has {_public(host)!r}", "set names alone, as example.org.")
        return frozenset(hosts)

    def redis_url(self) -> str:
        value = self.text("REDIS_URL")
        if value and _split(value, "redis", "rediss") is None:
            self.fault("REDIS_URL", "is no Redis URL", "set redis://host:6379/0, or nothing.")
        return value

    def secret_key(self, env: str) -> str:
        value = self.text("SECRET_KEY")
        mend = "set 32 random bytes or more, as from: openssl rand -hex 32"
        if not value:
            if env != "production":
                return _kept_secret()
            self.fault("SECRET_KEY", "is missing", mend)
        elif len(value.encode()) < SECRET_MIN_BYTES:
            self.fault("SECRET_KEY", f"is shorter than {SECRET_MIN_BYTES} bytes", mend)
        elif len(set(value)) < 8 or any(known in value.lower() for known in KNOWN_SECRETS):
            self.fault("SECRET_KEY", "is a known sample", mend)
        return value

    def database_url(self, env: str) -> str:
        value = self.text("DATABASE_URL", f"sqlite:///{INSTANCE / 'flagstone.db'}")
        for scheme in ("postgres://", "postgresql://"):  # SQLAlchemy 2.1 reads neither as psycopg2
            if value.startswith(scheme):
                value = "postgresql+psycopg2://" + value.removeprefix(scheme)
        try:
            url = make_url(value)
            backend = url.get_backend_name()
        except (ArgumentError, ValueError):
            url, backend = None, ""
        if url is None or backend not in ("sqlite", "postgresql"):
            self.fault(
                "DATABASE_URL", "is no database URL", "set postgresql://... or sqlite:///..."
            )
        elif (
            not url.database or url.database == ":memory:"
        ):  # in memory, each connection has its own
            self.fault("DATABASE_URL", "names no database", "add it, as sqlite:////data/tasks.db.")
        elif (
            backend == "sqlite"
            and env == "production"
            and not self.flag("ALLOW_SQLITE", default=False)
        ):
            self.fault(
                "DATABASE_URL",
                "is SQLite in production",
                "set postgresql://..., or ALLOW_SQLITE=1.",
            )
        elif backend == "sqlite" and not url.database.startswith("file:"):
            self.sqlite_folder((INSTANCE / url.database).parent)
        return value

    def sqlite_folder(self, folder: Path) -> None:
        """Ours is made where it is missing; any other one is somebody's typing error."""
        if folder == INSTANCE:
            INSTANCE.mkdir(mode=0o700, exist_ok=True)
        elif not folder.is_dir():
            self.fault("DATABASE_URL", f"names no folder that is there ({folder})", "make it.")


def _split(url: str, *schemes: str) -> SplitResult | None:
    """The parts of a URL of one of `schemes`, None where it is none or names no sane host."""
    try:
        parts = urlsplit(url)
        sane = parts.scheme in schemes and parts.port != 0
    except ValueError:
        return None
    return parts if sane and HOST.fullmatch(parts.hostname or "") else None


def _origin(url: str) -> str:
    """Scheme, host and port as a browser spells them; "" where `url` is none or holds more."""
    parts = _split(url, *PORTS)
    if (
        parts is None
        or "@" in parts.netloc
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        return ""
    port = "" if parts.port in (None, PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{_host(url)}{port}"


def _host(url: str) -> str:
    """The host of a URL as a Host header spells it, without the port; "" for none."""
    parts = _split(url, "", *PORTS)
    name = parts.hostname or "" if parts else ""
    return f"[{name}]" if ":" in name else name


def _public(url: str) -> str:
    """What may be told of it: not the name and password before the host."""
    return re.sub(".*@", "...@", url)


def _kept_secret() -> str:
    """A secret made at random for this checkout and kept there, so that sessions survive a restart.

    Several processes may start at once: linking a whole file is atomic, the first one wins.
    """
    path = INSTANCE / "secret_key"
    if not path.exists():
        INSTANCE.mkdir(mode=0o700, exist_ok=True)
        draft = INSTANCE / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")
