"""The connection that a request holds, and the transaction on it.

Every statement of a request runs on one connection, in autocommit: one round trip each. `atomic`
makes one commit of many.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, g
from sqlalchemy import exc
from sqlalchemy.pool import PoolProxiedConnection

from app import deadline
from app.errors import Unavailable
from app.extensions import db
from app.sql.errors import DRIVER_ERRORS, LostRace, translated

P = ParamSpec("P")
R = TypeVar("R")


class Link:
    """The one connection that an app context holds, taken from the pool when it is first needed."""

    def __init__(self) -> None:
        self.engine = db.engine
        self.dialect = self.engine.dialect
        self.pooled: PoolProxiedConnection | None = None
        self.in_transaction = False

    def execute(self, sql: str, params: Any = ()) -> Any:
        """A cursor that has run `sql`. Raises Duplicate, Dangling, Unavailable, Invalid."""
        try:
            return self._execute(sql, params)
        except DRIVER_ERRORS as error:
            # A pooled connection may have died unseen (a database restarted). Outside a transaction
            # nothing was done on it yet, so asking a fresh one is safe for what only reads.
            if (
                self.in_transaction
                or not self._lost(error)
                or not sql.startswith(("SELECT", "BEG"))
            ):
                raise translated(error) from error
        try:
            return self._execute(sql, params)
        except DRIVER_ERRORS as error:
            self._lost(error)
            raise translated(error) from error

    def _execute(self, sql: str, params: Any) -> Any:
        if self.pooled is None:
            self.pooled = self._connect()
        cursor = self.pooled.cursor()
        cursor.execute(sql, params)
        return cursor

    def _connect(self) -> PoolProxiedConnection:
        try:
            pooled = self.engine.raw_connection()
        except exc.SQLAlchemyError as error:  # the pool: no connection to be had
            raise Unavailable("The database cannot be reached.") from error
        if self.dialect.name == "postgresql":
            pooled.dbapi_connection.autocommit = True  # type: ignore[union-attr]
        return pooled

    def _lost(self, error: Exception) -> bool:
        """Whether the connection broke. If so, it and all that idle in the pool are let go."""
        if self.pooled is None:
            return False
        if not self.dialect.is_disconnect(cast(Any, error), self.pooled.dbapi_connection, None):
            return False
        self.pooled.invalidate()
        self.pooled = None
        self.engine.dispose()
        return True

    def release(self) -> None:
        if self.pooled is not None:
            if self.in_transaction:
                self.rollback()
            if self.pooled is not None:
                if self.dialect.name == "postgresql":
                    self.pooled.dbapi_connection.autocommit = False  # type: ignore[union-attr]
                self.pooled.close()
                self.pooled = None

    def begin(self) -> None:
        self.execute("BEGIN IMMEDIATE" if self.dialect.name == "sqlite" else "BEGIN").close()
        self.in_transaction = True

    def commit(self) -> None:
        cursor = self.execute("COMMIT")
        # PostgreSQL answers so, without an error, where a failed statement was caught and passed.
        if getattr(cursor, "statusmessage", "COMMIT") != "COMMIT":
            raise RuntimeError("The transaction had failed: nothing of it was stored.")
        cursor.close()
        self.in_transaction = False

    def rollback(self) -> None:
        self.in_transaction = False
        if self.pooled is not None:
            try:
                self._execute("ROLLBACK", ()).close()
            except DRIVER_ERRORS:
                self.pooled.invalidate()
                self.pooled = None


@contextmanager
def unhurried() -> Iterator[None]:
    """Within a transaction: let its statements take as long as they take."""
    if current().dialect.name == "postgresql":
        current().execute("SET LOCAL statement_timeout = 0").close()
    with deadline.within(None):
        yield


def init_app(app: Flask) -> None:
    app.teardown_appcontext(_release)


def _release(_error: BaseException | None) -> None:
    link: Link | None = g.pop("sql_link", None)
    if link is not None:
        link.release()


def current() -> Link:
    try:
        link: Link = g.sql_link
    except AttributeError:
        link = g.sql_link = Link()
    return link


def atomic(use_case: Callable[P, R]) -> Callable[P, R]:
    """Make one commit of all that `use_case` does, and nothing where it raises.

    Within another it joins that one. Where the database gave it up for another transaction
    (serialization failure, deadlock) it is tried once more, with the same arguments: hand it no
    iterator. An error of the database ends the transaction, also where it is caught.
    """

    @functools.wraps(use_case)
    def committed(*args: P.args, **kwargs: P.kwargs) -> R:
        link = current()
        if link.in_transaction:
            return use_case(*args, **kwargs)
        try:
            return _committed(link, use_case, *args, **kwargs)
        except LostRace:
            return _committed(link, use_case, *args, **kwargs)

    return committed


def _committed(link: Link, use_case: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    link.begin()
    try:
        result = use_case(*args, **kwargs)
        link.commit()
    except BaseException:
        link.rollback()
        raise
    return result
