"""Statements that are compiled once and run on a pooled DBAPI cursor, and the transaction.

SQLAlchemy's models describe the tables and its expressions the statements; what is left out is the
work that it repeats for each execution. A read takes some 20 us of CPU so, where the ORM takes 290
(docs/performance.md). Types are processed as SQLAlchemy processes them: its own processors are
looked up once for each statement, and a test holds the two ways equal.

Rows are named tuples, typed as the model whose columns they carry, so that mypy checks every name.
They are read-only; changes go through a statement.

Every statement of a request runs on one connection, in autocommit: one round trip each. `atomic`
makes one commit of many.
"""

import functools
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, cast

import psycopg2
from flask import Flask, g
from sqlalchemy import BindParameter, bindparam, exc
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from app.errors import Conflict, Invalid, Unavailable
from app.extensions import db

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")
Processor = Callable[[Any], Any]
KEY: BindParameter[Any] = bindparam("key")  # what a statement finds its row by
_row_type: Any = namedtuple  # its fields are known at run time only
DRIVER_ERRORS = (psycopg2.Error, sqlite3.Error)
# What passes by itself: connection, read-only (a failover), serialization, deadlock, resources,
# lock and statement timeouts, shutdown. By SQLSTATE, for psycopg2's classes mix them with others.
PASSING = ("08", "25006", "40001", "40P01", "53", "55P03", "57014", "57P0", "58")
LOST_RACE = ("40001", "40P01")


class Duplicate(Exception):
    """A unique index refused the row. `index` is its name, or "table.column" on SQLite."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index


class Dangling(Conflict):
    """A foreign key points at a row that is not there (any more)."""

    def __init__(self) -> None:
        super().__init__("It refers to a record that is gone.")


class LostRace(Unavailable):
    """Two transactions got in each other's way and the database gave up this one."""


@dataclass(slots=True, frozen=True)
class Plan(Generic[T]):
    """A statement, compiled for one dialect."""

    sql: str
    constants: Mapping[str, Any]
    bind: tuple[tuple[str, Processor], ...]
    result: tuple[tuple[int, Processor], ...]
    make: Callable[[Any], T]

    def arguments(self, params: dict[str, Any]) -> dict[str, Any]:
        values = {**self.constants, **params}
        for name, process in self.bind:
            values[name] = process(values[name])
        return values

    def row(self, values: Any) -> T:
        if self.result:
            values = list(values)
            for index, process in self.result:
                values[index] = process(values[index])
        return self.make(values)


class Statement(Generic[T]):
    """A Core statement: `one`, `all` and `run` take its bind parameters by name."""

    def __init__(self, clause: Executable) -> None:
        self.clause = clause
        self._plans: dict[str, Plan[T]] = {}

    def one(self, **params: Any) -> T | None:
        """The first row, or None."""
        cursor, plan = self._execute(params)
        values = cursor.fetchone()
        cursor.close()
        return None if values is None else plan.row(values)

    def all(self, **params: Any) -> list[T]:
        cursor, plan = self._execute(params)
        rows = [plan.row(values) for values in cursor.fetchall()]
        cursor.close()
        return rows

    def run(self, **params: Any) -> int:
        """The number of rows that it touched."""
        cursor, _ = self._execute(params)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def _execute(self, params: dict[str, Any]) -> tuple[Any, Plan[T]]:
        link = current()
        plan = self._plans.get(link.dialect.name) or self._compile(link.dialect, params)
        return link.execute(plan.sql, plan.arguments(params)), plan

    def _compile(self, dialect: Dialect, params: dict[str, Any]) -> Plan[T]:
        compiled = cast(ClauseElement, self.clause).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        expanded = compiled.construct_expanded_state(params)
        columns = list(getattr(self.clause, "exported_columns", ()))
        row = _row_type("Row", [column.key for column in columns])
        plan: Plan[T] = Plan(
            sql=expanded.statement,
            constants={n: v for n, v in expanded.parameters.items() if n not in params},
            bind=tuple({**_bind_processors(compiled), **expanded.processors}.items()),
            result=tuple(
                (index, process)
                for index, column in enumerate(columns)
                if (process := column.type.dialect_impl(dialect).result_processor(dialect, None))
            ),
            make=row._make,
        )
        self._plans[dialect.name] = plan
        return plan


def _bind_processors(compiled: SQLCompiler) -> dict[str, Processor]:
    types = {name: bind.type for bind, name in compiled.bind_names.items() if not bind.expanding}
    found = {
        name: kind.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
        for name, kind in types.items()
    }
    return {name: process for name, process in found.items() if process is not None}


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
                raise _translated(error) from error
        try:
            return self._execute(sql, params)
        except DRIVER_ERRORS as error:
            self._lost(error)
            raise _translated(error) from error

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
        self.execute("COMMIT").close()
        self.in_transaction = False

    def rollback(self) -> None:
        self.in_transaction = False
        if self.pooled is not None:
            try:
                self._execute("ROLLBACK", ()).close()
            except DRIVER_ERRORS:
                self.pooled.invalidate()
                self.pooled = None


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
    (serialization failure, deadlock) it is tried once more.
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


def _translated(error: Exception) -> Exception:
    """What the driver says, in the words of the domain."""
    if isinstance(error, psycopg2.Error):
        state = error.pgcode or ("08" if isinstance(error, psycopg2.OperationalError) else "")
        name = error.diag.constraint_name or ""
    else:
        state, name = _sqlite_state(error)
    if state == "23505":
        return Duplicate(name)
    if state == "23503":
        return Dangling()
    if state.startswith(LOST_RACE):
        return LostRace("The database was busy with another change.")
    if state.startswith(PASSING):
        return Unavailable("The database cannot be reached.")
    if state.startswith("22"):  # a value that no column takes and no schema refused
        return Invalid("A value is out of range.")
    return error


def _sqlite_state(error: Exception) -> tuple[str, str]:
    message = str(error)
    if message.startswith("UNIQUE constraint failed: "):
        name = message.removeprefix("UNIQUE constraint failed: ")
        return "23505", name.removeprefix("index ").strip("'")
    if message.startswith("FOREIGN KEY"):
        return "23503", ""
    if isinstance(error, sqlite3.OperationalError) and (
        "locked" in message or "unable to open" in message or "disk" in message
    ):
        return "08", ""
    return "", ""
