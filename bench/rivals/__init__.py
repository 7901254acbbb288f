"""The same tasks as other stacks' manuals would have them written, to measure beside.

Each has token, validation, ownership and paging with a count; no audit trail, log line, rate limit,
request id or ETag. `python -m bench.rivals.NAME TASKS` fills the database that DATABASE_URL names
and prints what to ask for. They have an environment of their own (requirements.txt here).
"""
