"""Indexes of tables in use: PostgreSQL makes and drops them while others write.

On PostgreSQL the transaction is committed before, as CONCURRENTLY demands. What the revision does
ahead of it has to be repeatable (IF NOT EXISTS): if the build fails, the revision starts again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

# Of a statement that waits for a busy table: whoever comes later waits behind it, readers too.
LOCK_TIMEOUT = "300ms"


def create(name: str, definition: str, *, unique: bool = False) -> None:
    """`definition` is what follows ON: the table, the columns and the condition."""
    index = "UNIQUE INDEX" if unique else "INDEX"
    if not _is_postgres():
        op.execute(f"CREATE {index} {name} ON {definition}")
        return
    with _without_transaction():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # invalid, of a build that failed
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
    """Nobody waits behind such a statement, so it may wait for transactions that began before."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
