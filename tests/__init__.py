"""The tests. Tests with a database run on SQLite and on PostgreSQL (tests/conftest.py)."""
