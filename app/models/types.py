"""Column types that mean the same on PostgreSQL and SQLite, and the values that rows start with."""

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, SmallInteger, String, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.types import PGUuid  # else one of these takes our place
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models import clock

Processor = Callable[[Any], Any] | None
SEALED = {
    "sealed": True
}  # `info` of a column whose values app.services.shared.encryption has encrypted
now = clock.now


def uuid7() -> str:
    """A UUIDv7 as text (RFC 9562, 5.7 and 6.2, method 3).

    48 bits of Unix milliseconds, 12 of their fraction, so that ids made one after another sort so,
    and 62 of randomness.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    value = int.from_bytes(os.urandom(8), "big") & ~(0x3 << 62) | 0x2 << 62
    value |= milliseconds << 80 | 0x7 << 76 | fraction << 64
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _TextUUID(PGUuid[str]):
    """PostgreSQL's uuid that stays text in Python: the driver hands it over so (app.extensions)."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


# As text (RFC 9562, 4), in either case; kept and handed on in lower case.
ID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def canonical_id(text: str) -> str | None:
    """The id that `text` is, in lower case, or None where it is none."""
    return text.lower() if re.fullmatch(ID, text) else None


Id = String(36).with_variant(_TextUUID(as_uuid=False), "postgresql")
# Code point order on both, whatever the server's locale: its index survives an upgrade of libc.
PlainText = Text().with_variant(Text(collation="C"), "postgresql")
# The words of app.services.shared.search_words, with a blank around each: so a tsvector is read.
SearchWords = Text().with_variant(postgresql.TSVECTOR(), "postgresql")


# The types below say which function turns a value and not how each is turned, so that a value that
# the driver handles as it is (PostgreSQL's dates and arrays) costs nothing.


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite has none: there it is text of one width, which sorts."""

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
    """A JSON object whose keys are sorted when it is read: jsonb keeps no order (RFC 8259, 4)."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        plain = JSON() if dialect.name == "sqlite" else postgresql.JSONB()
        return dialect.type_descriptor(plain)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return _sorted(value)


class Ranked(TypeDecorator[str]):
    """One of a few words that have an order: their rank is stored, so that it sorts and indexes."""

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
