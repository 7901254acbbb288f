"""Indexes of tables in use, which PostgreSQL creates and drops without blocking writers.

On PostgreSQL the transaction is committed first, as CONCURRENTLY requires. Earlier statements of
the revision must be repeatable (IF NOT EXISTS): if the build fails, the revision starts again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

# For a statement that waits for a busy table: all later statements wait behind it, reads too.
LOCK_TIMEOUT = "300ms"


def create(name: str, definition: str, *, unique: bool = False) -> None:
    """Create an index. `definition` is the SQL after ON: table, columns and condition."""
    index = "UNIQUE INDEX" if unique else "INDEX"
    if not _is_postgres():
        op.execute(f"CREATE {index} {name} ON {definition}")
        return
    with _without_transaction():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # the remains of a failed build
        op.execute(f"CREATE {index} CONCURRENTLY IF NOT EXISTS {name} ON {definition}")


def drop(name: str) -> None:
    if not _is_postgres():
        op.execute(f"DROP INDEX {name}")
        return
    with _without_transaction():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def _is_postgres() -> bool:
    return op.get_context().dialect.name == "postgresql"


@contextmanager
def _without_transaction() -> Iterator[None]:
    """Leave the transaction, and let a statement that blocks nobody wait for older transactions."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
