"""The services' access to the database: statements, transactions and their errors."""

from app.sql.bulk_insert import Batch
from app.sql.conditional import required
from app.sql.connection import RequestConnection
from app.sql.errors import (
    DRIVER_ERRORS,
    LostRace,
    MissingReference,
    Outdated,
    StillReferenced,
    UniqueViolation,
)
from app.sql.statement import ROW_KEY, Statement, compile_ahead, preload, row_type
from app.sql.transaction import atomic, init_app, request_connection, without_timeout

__all__ = [
    "DRIVER_ERRORS",
    "ROW_KEY",
    "Batch",
    "LostRace",
    "MissingReference",
    "Outdated",
    "RequestConnection",
    "Statement",
    "StillReferenced",
    "UniqueViolation",
    "atomic",
    "compile_ahead",
    "init_app",
    "preload",
    "request_connection",
    "required",
    "row_type",
    "without_timeout",
]
