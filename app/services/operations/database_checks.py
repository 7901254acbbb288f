"""Database checks of `flask doctor`, beside the check of the connection."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, func, literal_column, select

from app.models import USERS, User
from app.models.types import now
from app.sql import Statement

_clock = Statement[Any](select(func.clock_timestamp(type_=DateTime(timezone=True)).label("moment")))
_role = Statement[Any](
    select(
        literal_column("(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)").label(
            "superuser"
        ),
        literal_column("has_schema_privilege(current_schema(), 'CREATE')").label("creates"),
        literal_column(
            "EXISTS (SELECT 1 FROM pg_tables"
            " WHERE schemaname = current_schema() AND tableowner = current_user)"
        ).label("owns"),
    )
)
_max_connections = Statement[Any](
    select(literal_column("current_setting('max_connections')::int").label("number"))
)
_admin = Statement[Any](select(USERS.c.id).where(User.role == "admin", User.is_active).limit(1))


def clock_lead() -> timedelta:
    """Return the lead of the local clock over the clock of the PostgreSQL server."""
    moment: datetime = _clock.scalar()
    return now() - moment


def powers() -> list[str]:
    """Return the rights of the PostgreSQL role that serving does not need (ASVS 5.0, 13.2.2)."""
    row = _role.one()
    assert row is not None
    found = {
        "is a superuser": row.superuser,
        "may create tables": row.creates,
        "owns tables": row.owns,
    }
    return [power for power, held in found.items() if held]


def connections_max() -> int:
    """Return PostgreSQL's limit of connections."""
    return int(_max_connections.scalar())


def has_admin() -> bool:
    """Return True if the database has an active admin."""
    return _admin.one() is not None
