"""Statements, transactions and their errors: how the services talk to the database."""

from app.sql.bulk_insert import Batch
from app.sql.connection import Link
from app.sql.errors import DRIVER_ERRORS, Dangling, Duplicate, LostRace, StillReferenced
from app.sql.statement import KEY, Statement, compile_ahead, row_type
from app.sql.transaction import atomic, current, init_app, unhurried

__all__ = [
    "DRIVER_ERRORS",
    "KEY",
    "Batch",
    "Dangling",
    "Duplicate",
    "Link",
    "LostRace",
    "Statement",
    "StillReferenced",
    "atomic",
    "compile_ahead",
    "current",
    "init_app",
    "row_type",
    "unhurried",
]
