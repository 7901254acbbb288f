"""The condition of a deferred change, which PostgreSQL checks by a division."""

from contextlib import suppress
from typing import Any

from sqlalchemy import Dialect, select
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import CompileError

from app.models import TASKS
from app.sql import statement
from tests.support.routes import APP  # all modules with statements are imported

CONDITION = "FROM changed"
DIALECT: Dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]


def texts() -> list[str]:
    """Return the SQL of all statements, as PostgreSQL gets it."""
    with APP.app_context():
        for build in statement._preloads:
            build()
    found = []
    for made in list(statement._made):
        with suppress(CompileError):  # a statement for the other database
            found.append(made._compiler(DIALECT).string)
    return found


def others() -> list[str]:
    """Return the statements that divide without being a condition."""
    dividing = [text for text in texts() if "/" in text]
    assert dividing
    return [text for text in dividing if CONDITION not in text]


def test_no_other_statement_divides() -> None:
    assert others() == []


def test_statement_that_divides_is_noticed() -> None:
    half = statement.Statement[Any](select((TASKS.c.version / 2).label("half")))
    assert others() == [half._compiler(DIALECT).string]
