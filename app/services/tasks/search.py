"""The search index of tasks: its conditions and its maintenance.

Both databases index the words of `search_words`: PostgreSQL as a tsvector with GIN, SQLite in an
FTS5 table that triggers fill from the column (both in the migrations). A task is stored together
with its words. During a rollout the earlier release stores tasks without search words; `catch_up`
finds these tasks by their version and indexes them.
"""

import time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from app.models import TASKS, Task
from app.models.task import NOT_INDEXED
from app.services.shared import search_words
from app.services.shared.search_words import Clause
from app.services.tasks import labels
from app.sql import ROW_KEY, Statement, atomic

BATCH = 200  # tasks that `catch_up` indexes in a transaction, which blocks their writers
PAUSE = 0.1  # seconds between two batches; writers poll SQLite's lock as often
PATTERNS = ("start", "other", "another")  # the alternatives of a clause

_behind = Statement[Task](
    select(TASKS.c.id, TASKS.c.title, TASKS.c.description, TASKS.c.labels)
    .where(NOT_INDEXED)
    .order_by(TASKS.c.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)  # another process may index the same tasks
)
_index = Statement[Task](
    update(Task)
    .where(TASKS.c.id == ROW_KEY)
    .values(
        search_words=bindparam("words", type_=TASKS.c.search_words.type),
        label_keys=bindparam("keys", type_=TASKS.c.label_keys.type),
        search_version=Task.version,
    )
)

# A row if SQLite's index has more than `few` hits in all users' tasks. SQLite reads the hits of a
# word one by one, but all hits of a prefix before it returns the first.
further = Statement[Any](
    text(
        "SELECT rowid FROM task_search WHERE task_search MATCH :query LIMIT 1 OFFSET :few"
    ).columns(column("rowid"))
)

# For whole words only: PostgreSQL often has no statistics of prefixes.
_estimate = Statement[Any](
    text(
        "EXPLAIN (FORMAT JSON) SELECT FROM tasks WHERE search_words @@ CAST(:query AS tsquery)"
    ).columns(column("plans"))
)


def version_after(version: Any) -> ColumnElement[int | None]:
    """Return `search_version` of a task that gets `version` and keeps its words."""
    return case((NOT_INDEXED, TASKS.c.search_version), else_=version)


def words_of(title: str, description: str) -> str:
    return search_words.indexed(f"{title}\n{description}")


def indexed(task: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a task with its search words."""
    words = words_of(task["title"], task["description"])
    return {**task, "search_words": words, "search_version": task["version"]}


def catch_up() -> int:
    """Index the tasks that lack an index entry, one commit for each batch. Return their number."""
    indexed = 0
    while number := _batch():
        indexed += number
        if number == BATCH:
            time.sleep(PAUSE)
    return indexed


@atomic
def _batch() -> int:
    tasks = _behind.all()
    for task in tasks:
        words = words_of(task.title, task.description)
        _index.defer(key=task.id, words=words, keys=labels.keys(task.labels))
    return len(tasks)


def parameters(query: str, *, postgres: bool) -> tuple[int, dict[str, str]]:
    """Return the number of conditions of `query` (0 matches no task) and the bind parameters."""
    clauses = search_words.clauses(query)
    if postgres:
        prefixes = " & ".join(_in_tsquery(clause, ":*") for clause in clauses)
        words = " & ".join(_in_tsquery(clause) for clause in clauses)
        return len(clauses), {"q": prefixes, "q_words": words}
    values = {
        "q": " AND ".join(_in_fts5(clause, "*") for clause in clauses),
        "q_words": " AND ".join(_in_fts5(clause) for clause in clauses),
    }
    for number, clause in enumerate(clauses):
        # Blanks around a word make it findable as a part of all indexed words.
        patterns = [f" {clause.start}", *(f" {word} " for word in clause.others)]
        patterns += patterns[:1] * (len(PATTERNS) - len(patterns))
        values.update({f"{name}_{number}": p for name, p in zip(PATTERNS, patterns, strict=True)})
    return len(clauses), values


def matches(*, postgres: bool) -> ColumnElement[bool]:
    """Return the condition of the tasks that meet all clauses, by the index."""
    if postgres:
        return TASKS.c.search_words.bool_op("@@")(cast(bindparam("q"), TSQUERY))
    condition = "tasks.search_id IN (SELECT rowid FROM task_search WHERE task_search MATCH :q)"
    return text(condition).bindparams(bindparam("q"))  # type: ignore[return-value]


def row_matches(clauses: int, *, postgres: bool) -> ColumnElement[bool]:
    """Return the same condition, by the row's own words."""
    if postgres:
        return matches(postgres=True)
    words = TASKS.c.search_words
    return and_(
        *(
            or_(*(func.instr(words, bindparam(f"{name}_{number}")) > 0 for name in PATTERNS))
            for number in range(clauses)
        )
    )


def estimated(query: str) -> int:
    """Return the number of all users' tasks that PostgreSQL's planner expects to match `query`."""
    rows: int = _estimate.scalar(query=query)[0]["Plan"]["Plan Rows"]
    return rows


def _in_tsquery(clause: Clause, beginning: str = "") -> str:
    """Return the clause as a tsquery. `beginning` is ":*" for a prefix match, "" for the word."""
    return (
        "|".join([f"('{clause.start}'{beginning}", *(f"'{word}'" for word in clause.others)]) + ")"
    )


def _in_fts5(clause: Clause, beginning: str = "") -> str:
    """Return the clause for FTS5. `beginning` is "*" for a prefix match, "" for the word."""
    words = [f'"{clause.start}" {beginning}', *(f'"{word}"' for word in clause.others)]
    return f"({' OR '.join(words)})"
