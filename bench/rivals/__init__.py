"""The same tasks as other stacks' manuals would have them written, to measure beside.

Each has token, validation, ownership and paging with a count; no audit trail, log line, rate limit
or request id. `smorest` and `drf` use an ORM and send no ETag. `fast_api` and `lite_star` are
asynchronous and use no ORM; they send an ETag and compare it before a change.
`python -m bench.rivals.NAME TASKS` fills the database that DATABASE_URL names and prints ids and
tokens for the client. They have an environment of their own (requirements.txt here).
"""
