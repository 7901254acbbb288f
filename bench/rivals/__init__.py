"""The same tasks on other stacks, written as their manuals suggest, for comparison.

Each rival has token, validation, ownership and paging with a count; no audit trail, log line, rate
limit or request id. `smorest` and `drf` use an ORM and send no ETag. `fast_api` and `lite_star` are
asynchronous and use no ORM; both send an ETag and compare it before a change.
`python -m bench.rivals.NAME TASKS` fills the database of DATABASE_URL and prints ids and tokens for
the client. The rivals have their own environment (requirements.txt here).
"""
