"""Facts about the database for admins: version, size and applied migration."""

from typing import Any

from sqlalchemy import func, literal_column, select, text

from app import sql
from app.services.operations import readiness
from app.services.shared.actor import Actor
from app.sql import Statement

_postgres = Statement[Any](
    select(
        func.current_setting("server_version").label("version"),
        func.pg_database_size(func.current_database()).label("size"),
    )
)
_sqlite = Statement[Any](
    select(
        func.sqlite_version().label("version"),
        (literal_column("page_count") * literal_column("page_size")).label("size"),
    ).select_from(text("pragma_page_count(), pragma_page_size()"))
)


def database(actor: Actor) -> dict[str, Any]:
    """Return facts for an admin: {"kind", "version", "host", "name", "size", "revision", "head"}.

    "size" is in bytes, "revision" the applied migration, "head" the newest one of the code.
    """
    actor.require_admin()
    connection = sql.request_connection()
    postgres = connection.dialect.name == "postgresql"
    measured = (_postgres if postgres else _sqlite).one()
    assert measured is not None
    return {
        "kind": "PostgreSQL" if postgres else "SQLite",
        "version": measured.version,
        "host": connection.engine.url.host or "this machine",
        "name": connection.engine.url.database,
        "size": measured.size,
        "revision": readiness.revision(),
        "head": readiness.head(),
    }
