"""The transactions of a request: `atomic` commits many statements at once."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ParamSpec, TypeVar

from flask import Flask, g

from app.extensions import db
from app.sql import engine, watchdog
from app.sql.connection import RequestConnection
from app.sql.errors import LostRace

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 3


@contextmanager
def without_timeout() -> Iterator[None]:
    """Run the transaction's statements without a timeout."""
    if request_connection().dialect.name == "postgresql":
        request_connection().execute("SET LOCAL statement_timeout = 0").close()
    with watchdog.statement_timeout(None):
        yield


def init_app(app: Flask) -> None:
    with app.app_context():
        engine.init_app(db.engine)
    app.teardown_appcontext(_release)


def _release(_error: BaseException | None) -> None:
    connection: RequestConnection | None = g.pop("sql_connection", None)
    if connection is not None:
        connection.release()


def request_connection() -> RequestConnection:
    context: Any = g._get_current_object()  # once, not at each use
    try:
        connection: RequestConnection = context.sql_connection
    except AttributeError:
        connection = context.sql_connection = RequestConnection()
    return connection


def atomic(use_case: Callable[P, R]) -> Callable[P, R]:
    """Run `use_case` in a transaction: commit at its end, roll back if it raises.

    A nested call joins the outer transaction. If the database cancels the transaction for another
    one (serialization failure, deadlock) or refuses a prepared statement (app.sql.prepared),
    `use_case` runs again with the same arguments: pass no iterator. A retry holds followers back
    (app.services.shared.following) before any row is stamped, so that they cannot overtake the
    transaction again. A database error ends the transaction even if the error is caught.
    """

    @functools.wraps(use_case)
    def committed(*args: P.args, **kwargs: P.kwargs) -> R:
        connection = request_connection()
        if connection.in_transaction:
            return use_case(*args, **kwargs)
        for holding in (False, *[True] * (TRIES - 2)):
            with suppress(LostRace):
                return _committed(connection, holding, use_case, *args, **kwargs)
        return _committed(connection, True, use_case, *args, **kwargs)

    return committed


def _committed(
    connection: RequestConnection,
    holding: bool,
    use_case: Callable[P, R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    connection.begin()
    try:
        if holding:
            connection.hold_followers()
        result = use_case(*args, **kwargs)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return result
