"""Column types that mean the same on PostgreSQL and SQLite, and the values that rows start with."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, SmallInteger, String, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


def now() -> datetime:
    """The moment, aware, in UTC."""
    return datetime.now(UTC)


def uuid7() -> str:
    """A UUIDv7 as text (RFC 9562, 5.7): 48 bits of Unix milliseconds, 74 of randomness."""
    value = int.from_bytes(os.urandom(10), "big") | time.time_ns() // 1_000_000 << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _TextUUID(postgresql.UUID[str]):
    """PostgreSQL's uuid that stays text in Python: the driver hands it over so (app.extensions)."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


Id = String(36).with_variant(_TextUUID(as_uuid=False), "postgresql")
Json = JSON().with_variant(postgresql.JSONB(), "postgresql")
# Code point order on both, whatever the server's locale: its index survives an upgrade of libc.
PlainText = Text().with_variant(Text(collation="C"), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite has none: there it is text of one width, which sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class TextList(TypeDecorator[list[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(Text()))
        return dialect.type_descriptor(JSON())


class Ranked(TypeDecorator[str]):
    """One of a few words that have an order: their rank is stored, so that it sorts and indexes."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:
        return None if value is None else self.words.index(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words[value]
