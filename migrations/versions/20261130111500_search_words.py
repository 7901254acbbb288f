"""Search words of tasks, and an index of them.

Revision ID: 20261130111500
Revises: 20261130091944
Create Date: 2026-11-30

The words are made by app/services/shared/search_words.py, so that no statement of the database can
make them. Both columns may be null and no row is rewritten here: `flask db upgrade` indexes the
tasks when the migrations are done, in batches, and `flask worker` those that older code stores
while it is being replaced (app/services/tasks/search.py). Older code works on: it searches by the
column `search`, which a later release takes away. Its index goes now, for each task would be
written into two; until it is replaced, older code looks through the tasks of the user who searches.

On SQLite the index is an FTS5 table. It holds no text: triggers keep it in step with the column, by
an integer that stays the same when tables are rebuilt or vacuumed, which a rowid does not.
"""

import sqlalchemy as sa
from alembic import op

from migrations import indexes

revision = "20261130111500"
down_revision = "20261130091944"
branch_labels = None
depends_on = None

# Words hold letters and digits, "." and "=" (app/services/shared/search_words.py).
INDEX = """
CREATE VIRTUAL TABLE task_search USING fts5(
  words, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '.='"
)
"""
FREE_ID = "(SELECT coalesce(max(search_id), 0) + 1 FROM tasks)"
ADD = """
  INSERT INTO task_search (rowid, words)
    SELECT search_id, search_words FROM tasks WHERE id = NEW.id AND search_words IS NOT NULL;
"""
REMOVE = """
  INSERT INTO task_search (task_search, rowid, words)
    SELECT 'delete', OLD.search_id, OLD.search_words WHERE OLD.search_words IS NOT NULL;
"""
TRIGGERS = {
    "tasks_search_insert": f"""AFTER INSERT ON tasks WHEN NEW.search_words IS NOT NULL BEGIN
  UPDATE tasks SET search_id = {FREE_ID} WHERE id = NEW.id;{ADD}END""",
    "tasks_search_update": f"""AFTER UPDATE OF search_words ON tasks
WHEN OLD.search_words IS NOT NEW.search_words BEGIN{REMOVE}
  UPDATE tasks SET search_id = coalesce(search_id, {FREE_ID}) WHERE id = NEW.id;{ADD}END""",
    "tasks_search_delete": f"AFTER DELETE ON tasks BEGIN{REMOVE}END",
}


# Rows that writers have added since are looked at by each search, in a list of this size (kB).
WORDS = "USING gin (search_words) WITH (gin_pending_list_limit = 1024)"
NOT_INDEXED = "(id) WHERE search_version IS DISTINCT FROM version"


def upgrade():
    if op.get_context().dialect.name == "sqlite":
        upgrade_sqlite()
        return
    op.execute(
        "ALTER TABLE tasks ADD COLUMN IF NOT EXISTS search_words tsvector,"
        " ADD COLUMN IF NOT EXISTS search_version integer"
    )
    indexes.create("ix_tasks_search_words", f"tasks {WORDS}")
    indexes.create("ix_tasks_not_indexed", f"tasks {NOT_INDEXED}")
    indexes.drop("ix_tasks_search")


def upgrade_sqlite():
    for name, kind in (
        ("search_words", sa.Text()),
        ("search_version", sa.Integer()),
        ("search_id", sa.Integer()),
    ):
        op.add_column("tasks", sa.Column(name, kind))
    op.create_index("uq_tasks_search_id", "tasks", ["search_id"], unique=True)
    stale = sa.text("search_version IS NOT version")
    op.create_index("ix_tasks_not_indexed", "tasks", ["id"], sqlite_where=stale)
    op.execute(INDEX)
    for name, body in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {body}")


def downgrade():
    if op.get_context().dialect.name == "sqlite":
        downgrade_sqlite()
        return
    indexes.create("ix_tasks_search", "tasks USING gin (search)")
    indexes.drop("ix_tasks_search_words")
    indexes.drop("ix_tasks_not_indexed")
    op.drop_column("tasks", "search_version")
    op.drop_column("tasks", "search_words")


def downgrade_sqlite():
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    op.execute("DROP TABLE task_search")
    for name in ("ix_tasks_not_indexed", "uq_tasks_search_id"):
        op.drop_index(name, "tasks")
    for name in ("search_id", "search_version", "search_words"):
        op.drop_column("tasks", name)
