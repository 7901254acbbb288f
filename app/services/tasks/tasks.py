"""Tasks: owner and assignee see and change one, only the owner deletes or reassigns it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from sqlalchemy import and_, bindparam, insert, select, update as update_

from app import sql
from app.models import TASKS, Task
from app.models.task import LIVE, TRASHED
from app.models.types import now
from app.services.shared import audit, following, paging
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.shared.preconditions import Expect, check
from app.services.tasks import (
    access,
    filters as task_filters,
    page_queries,
    search,
    search_queries,
    values as task_values,
    webhook_events,
)
from app.services.tasks.page_queries import COLUMNS, Shape
from app.sql import ROW_KEY, Outdated, Statement, atomic, required

_by_id = and_(TASKS.c.id == ROW_KEY, access.SEEN)
_get = Statement[Task](select(*COLUMNS).where(_by_id, LIVE), prepared=True)
SEEN_BY_HOLDER = and_(TASKS.c.id == bindparam("task_id"), LIVE, access.SEEN_BY_HOLDER)
OF_HOLDER = HolderRecord(COLUMNS, SEEN_BY_HOLDER)
_hold = Statement[Task](
    select(*COLUMNS).where(_by_id, LIVE).with_for_update(read=True), prepared=True
)
_lock = Statement[Task](select(*COLUMNS).where(_by_id, LIVE).with_for_update(), prepared=True)
_lock_trashed = Statement[Task](select(*COLUMNS).where(_by_id, TRASHED).with_for_update())
# No RETURNING: the stored values are known, and a deferred write shares the round trip of COMMIT.
_insert = Statement[Task](insert(TASKS), prepared=True)
_stored = (*task_values.FIELDS, *task_values.KEPT, "label_keys", "deleted_at")


def _update_of(names: Sequence[str], search_version: Any) -> dict[bool, Statement[Task]]:
    """Return the UPDATE of a locked task (True), and of one that was read (False)."""
    values = {name: bindparam(f"new_{name}", type_=TASKS.c[name].type) for name in names}
    change = update_(Task).where(TASKS.c.id == ROW_KEY)
    change = change.values({**values, "search_version": search_version})
    read = required(change.where(TASKS.c.version == bindparam("read_version")))
    return {True: Statement(change, prepared=True), False: Statement(read, prepared=True)}


_of_values = _update_of(_stored, search.version_after(bindparam("new_version")))
_of_words = _update_of((*_stored, "search_words"), bindparam("new_version"))


def get(actor: Actor, task_id: str) -> Task:
    """Return the task. Raises NotFound, also for a task that the actor may not see."""
    return require_found(_get.one(key=task_id, **access.parameters(actor)), "task")


def hold(actor: Actor, task_id: str) -> Task:
    """Return the task like `get`, locked until the commit, so that nobody writes a comment after
    losing access to the task.
    """
    return require_found(_hold.one(key=task_id, **access.parameters(actor)), "task")


def page(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    filters: dict[str, Any] | None = None,
    sort: str = "-created_at",
    everyone: bool = False,
) -> Page[Task]:
    """Return the actor's tasks that match all `filters` (named as in the API), in keyset order.

    `sort` is one of page_queries.SORTS, descending with "-" before it. `everyone` is for admins.
    """
    if everyone:
        actor.require_admin()
    filters, after = filters or {}, request.after
    key = sort.removeprefix("-")
    followed = key == "updated_at" and "updated_after" in filters
    if followed:
        filters = {**filters, "updated_until": following.ANY_MOMENT}
    postgres = sql.request_connection().dialect.name == "postgresql"
    matching, values = task_filters.parameters(filters, postgres=postgres)
    values.update(size=request.limit + 1, actor_id=actor.id, moment=now())
    if after:
        at = after[0]
        values.update(at=paging.moment(at) if key.endswith("_at") else at, last_id=after[1])
    shape = Shape(
        postgres=postgres,
        everyone=everyone,
        filters=matching,
        sort=key,
        descending=sort.startswith("-"),
        resumed=bool(after),
        among_missing=bool(after) and after is not None and after[0] is None,
    )
    read = search_queries.read if "q" in filters else page_queries.read
    total: int | None = None

    def until(moment: datetime) -> list[Any]:
        nonlocal total
        rows, total = read(shape, {**values, "updated_until": moment}, counted=request.count)
        return rows

    rows = following.settled(until, "updated_at") if followed else until(following.ANY_MOMENT)
    return paging.cut(rows, request.limit, "sort_key", total)


@atomic
def create(actor: Actor, values: dict[str, Any]) -> Task:
    """Create a task of `values`: a title and any of FIELDS, validated.

    Raises Invalid for an unknown or inactive assignee.
    """
    access.require_assignee(values.get("assignee_id"))
    row = task_values.new(actor, values)
    _insert.defer(**row)
    audit.record(actor, "task.created", row["id"], task_values.changes_of_new(values))
    task = task_values.shown(row)
    webhook_events.of_task(actor, "task.created", task)
    return task


def update(
    actor: Actor,
    task_id: str,
    changes: dict[str, Any],
    expect: Expect = None,
    *,
    read: Task | None = None,
) -> Task:
    """Change the fields in `changes`.

    `expect` holds the versions that may be changed (None: any). `read` is the task as the request
    has read it with its token: while it is current, PostgreSQL needs no round trip for a lock.
    Raises NotFound, PreconditionFailed, Forbidden if the assignee changes the assignee, Invalid
    for a bad assignee.
    """
    connection = sql.request_connection()
    is_alone = connection.dialect.name == "postgresql" and not connection.in_transaction
    if read is not None and is_alone:
        with suppress(Outdated):
            return _update(actor, task_id, changes, expect, read)
    return _update(actor, task_id, changes, expect)


@atomic
def _update(
    actor: Actor, task_id: str, changes: dict[str, Any], expect: Expect, read: Task | None = None
) -> Task:
    task = read or require_found(_lock.one(key=task_id, **access.parameters(actor)), "task")
    news = {name: value for name, value in changes.items() if value != getattr(task, name)}
    if "assignee_id" in news:
        access.require_owner(actor, task, "change the assignee")
    check(expect, task.version)
    access.require_assignee(news.get("assignee_id"))
    if not news:
        return task
    return _write(actor, task, "task.updated", news, locked=read is None)


def replace(
    actor: Actor,
    task_id: str,
    values: dict[str, Any],
    expect: Expect = None,
    *,
    read: Task | None = None,
) -> Task:
    """Update the task, and reset the fields that `values` lacks (RFC 9110, 9.3.4)."""
    return update(actor, task_id, {**task_values.DEFAULTS, **values}, expect, read=read)


@atomic
def delete(actor: Actor, task_id: str, expect: Expect = None) -> None:
    """Move the task to the trash. Raises NotFound, Forbidden, PreconditionFailed."""
    task = require_found(_lock.one(key=task_id, **access.parameters(actor)), "task")
    access.require_owner(actor, task, "delete it")
    check(expect, task.version)
    _write(actor, task, "task.deleted", {}, deleted_at=now())


@atomic
def restore(actor: Actor, task_id: str, expect: Expect = None) -> Task:
    """Restore the task from the trash, or return it unchanged.

    Raises NotFound, PreconditionFailed.
    """
    task = _lock_trashed.one(key=task_id, **access.parameters(actor))
    if task is None or not access.owns(actor, task):
        return get(actor, task_id)
    check(expect, task.version)
    return _write(actor, task, "task.restored", {})


def _write(
    actor: Actor,
    task: Task,
    action: str,
    news: dict[str, Any],
    deleted_at: datetime | None = None,
    *,
    locked: bool = True,
) -> Task:
    """Store `news` over the task, which is locked, or else as it was read."""
    shown, hidden = task_values.changed(task, news, deleted_at)
    stored = {f"new_{name}": value for name, value in {**shown, **hidden}.items()}
    if not locked:
        stored["read_version"] = task.version
    update_of = _of_words if "search_words" in hidden else _of_values
    update_of[locked].defer(key=task.id, **stored)
    changes = {name: [getattr(task, name), value] for name, value in news.items()}
    audit.record(actor, action, task.id, changes)
    changed: Task = cast(Any, task)._replace(**shown)
    webhook_events.of_task(actor, action, changed, before=task)
    return changed
