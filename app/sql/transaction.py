"""The transactions of a request: `atomic` makes one commit of many statements."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import ParamSpec, TypeVar

from flask import Flask, g

from app.extensions import db
from app.sql import engine, watchdog
from app.sql.connection import Link
from app.sql.errors import LostRace

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 3


@contextmanager
def unhurried() -> Iterator[None]:
    """Within a transaction: let its statements take as long as they take."""
    if current().dialect.name == "postgresql":
        current().execute("SET LOCAL statement_timeout = 0").close()
    with watchdog.within(None):
        yield


def init_app(app: Flask) -> None:
    with app.app_context():
        engine.init_app(db.engine)
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
    (serialization failure, deadlock), or had lost a statement that it should have kept
    (app.sql.prepared), it is tried again, with the same arguments: hand it no iterator. A try
    after the first holds followers back (app.services.shared.following) before it stamps anything,
    so that they cannot overtake it once more. An error of the database ends the transaction, also
    where it is caught.
    """

    @functools.wraps(use_case)
    def committed(*args: P.args, **kwargs: P.kwargs) -> R:
        link = current()
        if link.in_transaction:
            return use_case(*args, **kwargs)
        for holding in (False, *[True] * (TRIES - 2)):
            with suppress(LostRace):
                return _committed(link, holding, use_case, *args, **kwargs)
        return _committed(link, True, use_case, *args, **kwargs)

    return committed


def _committed(
    link: Link, holding: bool, use_case: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    link.begin()
    try:
        if holding:
            link.hold_followers()
        result = use_case(*args, **kwargs)
        link.commit()
    except BaseException:
        link.rollback()
        raise
    return result
