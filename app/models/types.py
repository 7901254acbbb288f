"""Column types with equal semantics on PostgreSQL and SQLite, and the ids and times of rows."""

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, SmallInteger, String, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.types import PGUuid  # the dialect would replace a UUID by it
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models import clock

Processor = Callable[[Any], Any] | None
SEALED = {
    "sealed": True
}  # `info` of a column whose values app.services.shared.encryption has encrypted
now = clock.now


def uuid7() -> str:
    """Return a UUIDv7 as text (RFC 9562, 5.7 and 6.2, method 3).

    It has 48 bits of Unix milliseconds and 12 of their fraction, so that ids sort by creation, and
    62 random bits.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    value = int.from_bytes(os.urandom(8), "big") & ~(0x3 << 62) | 0x2 << 62
    value |= milliseconds << 80 | 0x7 << 76 | fraction << 64
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _TextUUID(PGUuid[str]):
    """PostgreSQL's uuid as text in Python, as the driver returns it (app.sql.engine)."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


# As text (RFC 9562, 4), in either case; stored and returned in lower case.
ID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def canonical_id(text: str) -> str | None:
    """Return the id in lower case, or None if `text` is not a UUID."""
    return text.lower() if re.fullmatch(ID, text) else None


Id = String(36).with_variant(_TextUUID(as_uuid=False), "postgresql")
# Code point order on both, for any server locale, so that indexes survive an upgrade of libc.
PlainText = Text().with_variant(Text(collation="C"), "postgresql")
# The words of app.services.shared.search_words between spaces, as read from a tsvector.
SearchWords = Text().with_variant(postgresql.TSVECTOR(), "postgresql")


# The types below return converters instead of converting values, so that values that the driver
# handles itself (PostgreSQL's dates and arrays) cost nothing.


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. On SQLite it is text of fixed width, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        plain = String(27) if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(plain)

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _to_text if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _from_text if dialect.name == "sqlite" else None


class TextList(TypeDecorator[list[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        plain = JSON() if dialect.name == "sqlite" else postgresql.ARRAY(Text())
        return dialect.type_descriptor(plain)

    def bind_processor(self, dialect: Dialect) -> Processor:
        return super().bind_processor(dialect) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return super().result_processor(dialect, coltype) if dialect.name == "sqlite" else None


class Json(TypeDecorator[Any]):
    """A JSON object with sorted keys on read, because jsonb keeps no order (RFC 8259, 4)."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        plain = JSON() if dialect.name == "sqlite" else postgresql.JSONB()
        return dialect.type_descriptor(plain)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return _sorted(value)


class Ranked(TypeDecorator[str]):
    """One of a few ordered words, stored as its rank, so that the column sorts and indexes."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.words = words

    def bind_processor(self, dialect: Dialect) -> Processor:
        ranks: dict[str | None, int | None] = {word: n for n, word in enumerate(self.words)}
        return {**ranks, None: None}.__getitem__

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        words: dict[int | None, str | None] = dict(enumerate(self.words))
        return {**words, None: None}.__getitem__


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
