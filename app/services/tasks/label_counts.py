"""The labels of an actor's visible tasks, with the number of tasks for each."""

from typing import Any

from sqlalchemy import Boolean, bindparam, column, text

from app import sql
from app.models.types import Id
from app.services.shared.actor import Actor
from app.sql import Statement

LABELS_MAX = 1000  # listed labels
# Spellings of one label are one entry, under the spelling that most tasks use.
_QUERY = """
SELECT label, total FROM (
  SELECT label, label_key,
    sum(number) OVER (PARTITION BY label_key) AS total,
    row_number() OVER (PARTITION BY label_key ORDER BY number DESC, label) AS place
  FROM (
    SELECT {label} AS label, {key} AS label_key, count(*) AS number
    FROM tasks, {pairs}
    WHERE (owner_id = :actor_id OR assignee_id = :actor_id OR :everyone) AND deleted_at IS NULL
    GROUP BY 1, 2
  ) AS spellings
) AS ranked
WHERE place = 1 ORDER BY total DESC, label_key LIMIT :size
"""
_POSTGRES = _QUERY.format(
    label='label COLLATE "C"',
    key='label_key COLLATE "C"',
    pairs="unnest(labels, label_keys) AS pair (label, label_key)",
)
_SQLITE = _QUERY.format(
    label="one.value",
    key="two.value",
    pairs="json_each(labels) AS one JOIN json_each(label_keys) AS two ON one.key = two.key",
)


def _statement(query: str) -> Statement[Any]:
    actor, everyone = bindparam("actor_id", type_=Id), bindparam("everyone", type_=Boolean)
    selected = text(query).bindparams(actor, everyone, bindparam("size"))
    return Statement(selected.columns(column("label"), column("total")))


_used = {"postgresql": _statement(_POSTGRES), "sqlite": _statement(_SQLITE)}


def used(actor: Actor, *, everyone: bool = False) -> list[Any]:
    """Return the labels outside the trash, the most used first; each has `label` and `total`.

    `everyone` is for admins.
    """
    if everyone:
        actor.require_admin()
    statement = _used[sql.request_connection().dialect.name]
    return statement.all(actor_id=actor.id, everyone=everyone, size=LABELS_MAX)
