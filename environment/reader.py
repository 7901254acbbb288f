"""The reader of single settings by kind of value, which collects faults and their remedies."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from environment.urls import host_of, origin_of, passkey_origin, public, split

SECRET_MIN_BYTES = 32
# Values from examples, here and elsewhere: everybody can look up such a secret.
KNOWN_SECRETS = ("change-me", "changeme", "change_me", "secret", "example", "dev-only", "your-")
DIFFERENT_MIN = 8  # characters
ORIGIN = "scheme and host alone, as https://example.org."


def weakness(key: str) -> str:
    """Return the reason why the key can be guessed, "" for a strong key."""
    if len(key.encode()) < SECRET_MIN_BYTES:
        return f"is shorter than {SECRET_MIN_BYTES} bytes"
    for known in KNOWN_SECRETS:
        if known in key.lower():
            return f'is a known sample (it has "{known}" in it)'
    if (number := len(set(key))) < DIFFERENT_MIN:
        return f"has no more than {number} different character{'s' if number > 1 else ''}"
    return ""


class Reader:
    """A reader of single settings; `faults` lists the wrong ones."""

    def __init__(self, environ: Mapping[str, str], instance: Path) -> None:
        """Read from `environ`. `instance` is the folder of local data beside the code."""
        self.environ = environ
        self.instance = instance
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
        if origin := origin_of(value):
            return origin
        self.fault(name, f"is {public(value)!r}", f"set {ORIGIN}")
        return default

    def rate(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if re.fullmatch(r"[1-9]\d{0,8} per (second|minute|hour|day)", value, re.ASCII):
            return value
        self.fault(name, f"is {value!r}", "set it as 1000 per minute.")
        return default

    def origins(self, name: str) -> frozenset[str]:
        origins = {word: origin_of(word) for word in self.words(name)}
        for word, origin in origins.items():
            if not origin:
                self.fault(name, f"has {public(word)!r}", f"set {ORIGIN}")
        return frozenset(origins.values())

    def hosts(self, name: str) -> frozenset[str]:
        hosts = {host.lower() for host in self.words(name)}
        for host in hosts:
            if host_of(f"//{host}") != host:
                self.fault(name, f"has {public(host)!r}", "set names alone, as example.org.")
        return frozenset(hosts)

    def redis_url(self) -> str:
        value = self.text("REDIS_URL")
        if value and split(value, "redis", "rediss") is None:
            self.fault("REDIS_URL", "is no Redis URL", "set redis://host:6379/0, or nothing.")
        return value

    def mail_url(self) -> str:
        value = self.text("MAIL_URL")
        folder = value.removeprefix("file:")
        if value in ("", "console:") or split(value, "smtp", "smtps"):
            return value
        if not value.startswith("file:"):
            mend = "set smtp://user:password@host:587?starttls=1, smtps://..., console:, file:DIR."
            self.fault("MAIL_URL", "is no way to send mail", mend)
        elif not Path(folder).is_dir():
            self.fault("MAIL_URL", f"names no folder that is there ({folder})", "make it.")
        return value

    def address(self, name: str) -> str:
        value = self.text(name)
        if value and not re.fullmatch(r"[^@<>\r\n]*<?[^@\s<>]+@[^@\s<>]+>?", value):
            self.fault(name, f"is {value!r}", "set it as Tasks <tasks@example.org>.")
        return value

    def require_admin_mfa(self, site: str) -> str:
        value = self.choice("REQUIRE_ADMIN_MFA", "0", ("0", "1", "passkey"))
        if value == "passkey" and not passkey_origin(site):  # would lock every admin out
            mend = "set it to https:// with a host name, or to http://localhost."
            self.fault("REQUIRE_ADMIN_MFA", "is passkey, and PUBLIC_URL allows none", mend)
        return value

    def contact(self, name: str) -> str:
        """Return a URI: https:, or mailto: for an email address (RFC 9116, 2.5.3)."""
        value = self.text(name)
        if re.fullmatch(r"[^@\s:/]+@[^@\s]+", value):
            return f"mailto:{value}"
        if value and not re.fullmatch(r"(https://|mailto:)[!-~]+", value):
            self.fault(name, f"is {value!r}", "set an email address or an https:// page.")
        return value

    def secret_key(self, env: str) -> str:
        value = self.text("SECRET_KEY")
        mend = "set 32 random bytes or more, as from: openssl rand -hex 32"
        if not value:
            if env != "production":
                return _kept_secret(self.instance)
            self.fault("SECRET_KEY", "is missing", mend)
        elif weak := weakness(value):
            self.fault("SECRET_KEY", weak, mend)
        return value

    def database_url(self, env: str) -> str:
        value = self.text("DATABASE_URL", f"sqlite:///{_embedded_database(self.instance)}")
        for scheme in ("postgres://", "postgresql://"):  # not psycopg2 in SQLAlchemy 2.1
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
        ):  # each connection would have its own in-memory database
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
            self.sqlite_folder((self.instance / url.database).parent)
        return value

    def sqlite_folder(self, folder: Path) -> None:
        """Create a missing instance folder. Another missing folder is a fault, probably a typo."""
        if folder == self.instance:
            self.instance.mkdir(mode=0o700, exist_ok=True)
        elif not folder.is_dir():
            self.fault("DATABASE_URL", f"names no folder that is there ({folder})", "make it.")


def _kept_secret(instance: Path) -> str:
    """Return this checkout's random secret from its file, so that sessions survive a restart.

    Several processes may start at once: linking a complete file is atomic, the first one wins.
    """
    path = instance / "secret_key"
    if not path.exists():
        instance.mkdir(mode=0o700, exist_ok=True)
        draft = instance / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")


def _embedded_database(folder: Path) -> Path:
    """Return the SQLite file in `folder`, under the name of earlier releases if it exists."""
    earlier = folder / "flagstone.db"
    return earlier if earlier.exists() else folder / "service.db"
