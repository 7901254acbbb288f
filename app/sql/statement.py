"""Statements that are compiled once and run on a pooled DBAPI cursor.

SQLAlchemy's models describe the tables and its expressions the statements, without the work that
SQLAlchemy repeats for each execution: a read takes some 20 us of CPU, where the ORM takes 290
(docs/performance.md). SQLAlchemy's own type processors are looked up once for each statement, and
a test compares both ways.

Rows are named tuples, typed as the model whose columns they hold, so that mypy checks every name.
Rows are read-only; changes go through a statement.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from weakref import WeakSet

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from app.sql.prepared import Prepared, prepare
from app.sql.transaction import request_connection

T = TypeVar("T")
Processor = Callable[[Any], Any]
ROW_KEY: BindParameter[Any] = bindparam("key")  # finds the row of a statement
_named_tuple: Any = namedtuple  # untyped: the fields are known at run time only


def row_type(columns: Sequence[Any]) -> Any:
    """Return the named tuple of a row with `columns`."""
    return _named_tuple("Row", [column.key for column in columns])


_preloads: list[Callable[[], None]] = []
_made: "WeakSet[Statement[Any]]" = WeakSet()


@dataclass(slots=True, frozen=True)
class Plan(Generic[T]):
    """A statement, compiled for one dialect."""

    sql: str
    constants: Mapping[str, Any]
    bind: tuple[tuple[str, Processor], ...]
    prepared: Prepared | None
    row: Callable[[Any], T]

    def arguments(self, params: dict[str, Any]) -> dict[str, Any]:
        values = {**self.constants, **params}
        for name, process in self.bind:
            values[name] = process(values[name])
        return values


class Statement(Generic[T]):
    """A Core statement: `one`, `scalar`, `all` and `run` take its bind parameters by name.

    `prepared`: PostgreSQL keeps the plan, which must not depend on the values (app.sql.prepared).
    """

    def __init__(self, clause: Executable, *, prepared: bool = False) -> None:
        self.clause = clause
        self.prepared = prepared
        _made.add(self)
        self._plans: dict[str, Plan[T]] = {}

    def one(self, **params: Any) -> T | None:
        """Return the first row, or None."""
        cursor, plan = self._execute(params)
        values = cursor.fetchone()
        cursor.close()
        return None if values is None else plan.row(values)

    def scalar(self, **params: Any) -> Any:
        """Return the first column of the first row, or None if there is no row."""
        row: Any = self.one(**params)
        return None if row is None else row[0]

    def all(self, **params: Any) -> list[T]:
        cursor, plan = self._execute(params)
        rows = [plan.row(values) for values in cursor.fetchall()]
        cursor.close()
        return rows

    def run(self, **params: Any) -> int:
        """Return the number of affected rows."""
        cursor, _ = self._execute(params)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def defer(self, **params: Any) -> None:
        """Run with the next statement of the transaction, which raises the errors of both."""
        connection = request_connection()
        plan = self._plans.get(connection.dialect.name) or self._compile(connection.dialect, params)
        connection.defer(plan.sql, plan.arguments(params), plan.prepared)

    def _execute(self, params: dict[str, Any]) -> tuple[Any, Plan[T]]:
        connection = request_connection()
        plan = self._plans.get(connection.dialect.name) or self._compile(connection.dialect, params)
        return connection.execute(plan.sql, plan.arguments(params), plan.prepared), plan

    def compile_ahead(self, dialect: Dialect) -> None:
        """Compile as a first call would, unless a list's length is part of the statement."""
        compiled = self._compiler(dialect)
        required = {name: bind for bind, name in compiled.bind_names.items() if bind.required}
        if not any(bind.expanding for bind in required.values()):
            self._keep(compiled, dict.fromkeys(required))

    def _compiler(self, dialect: Dialect) -> SQLCompiler:
        compiled = cast(ClauseElement, self.clause).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        return compiled

    def _compile(self, dialect: Dialect, params: dict[str, Any]) -> Plan[T]:
        return self._keep(self._compiler(dialect), params)

    def _keep(self, compiled: SQLCompiler, params: dict[str, Any]) -> Plan[T]:
        dialect = compiled.dialect
        expanded = compiled.construct_expanded_state(params)
        columns = list(getattr(self.clause, "exported_columns", ()))
        bind = {**_bind_processors(compiled), **expanded.processors}
        constants = {
            name: bind[name](value) if name in bind else value
            for name, value in expanded.parameters.items()
            if name not in params
        }
        keeps = self.prepared and dialect.name == "postgresql"
        plan: Plan[T] = Plan(
            sql=expanded.statement,
            constants=constants,
            bind=tuple(each for each in bind.items() if each[0] not in constants),
            prepared=prepare(expanded.statement, constants) if keeps else None,
            row=_row_maker(columns, dialect),
        )
        self._plans[dialect.name] = plan
        return plan


def preload(build: Callable[[], None]) -> Callable[[], None]:
    """Register `build` for `compile_ahead`: builds statements, so that no request must."""
    _preloads.append(build)
    return build


def compile_ahead() -> None:
    """Compile all statements. Gunicorn's master does so before it forks: all workers share them."""
    for build in _preloads:
        build()
    for statement in list(_made):
        with suppress(CompileError):  # a statement for the other database
            statement.compile_ahead(request_connection().dialect)


def _row_maker(columns: Sequence[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """Return a function from the driver's row to a named tuple of processed values.

    Compiled, because a page of 20 tasks calls the function 20 times.
    """
    row = row_type(columns)
    kinds = [column.type.dialect_impl(dialect) for column in columns]
    processors = [kind.result_processor(dialect, None) for kind in kinds]
    if not any(processors):
        make: Callable[[Any], Any] = row._make
        return make
    cells = [f"p[{n}](v[{n}])" if process else f"v[{n}]" for n, process in enumerate(processors)]
    source = f"lambda v: new(row, ({', '.join(cells)},))"
    compiled: Callable[[Any], Any] = eval(  # noqa: S307 - the source holds numbers only
        source, {"new": tuple.__new__, "row": row, "p": processors}
    )
    return compiled


def _bind_processors(compiled: SQLCompiler) -> dict[str, Processor]:
    types = {name: bind.type for bind, name in compiled.bind_names.items() if not bind.expanding}
    processors = {
        name: kind.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
        for name, kind in types.items()
    }
    return {name: process for name, process in processors.items() if process is not None}
