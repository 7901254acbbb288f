"""The tests. What needs a database runs on SQLite and on PostgreSQL (tests/conftest.py)."""
