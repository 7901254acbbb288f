"""Comments on a task, for everybody who may see the task."""

from sqlalchemy import (
    and_,
    bindparam,
    delete as delete_,
    exists,
    insert,
    select,
    update as update_,
)

from app.errors import Forbidden
from app.models import COMMENTS, Comment, Task, User
from app.models.types import UTCDateTime, now, uuid7
from app.services.shared import audit, paging
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.shared.preconditions import Expect, check
from app.services.tasks import tasks, webhook_events
from app.sql import ROW_KEY, Statement, atomic

_one = and_(COMMENTS.c.id == ROW_KEY, Comment.task_id == bindparam("of_task"))
_get = Statement[Comment](select(*COMMENTS.c).where(_one))
OF_HOLDER = HolderRecord(
    list(COMMENTS.c),
    and_(
        COMMENTS.c.id == bindparam("comment_id"),
        Comment.task_id == bindparam("task_id"),
        exists().where(tasks.SEEN_BY_HOLDER).correlate(User),
    ),
)
_lock = Statement[Comment](select(*COMMENTS.c).where(_one).with_for_update())
_insert = Statement[Comment](insert(COMMENTS).returning(*COMMENTS.c))
_update = Statement[Comment](
    update_(Comment)
    .where(COMMENTS.c.id == ROW_KEY)
    .values(
        body=bindparam("new_body"),
        updated_at=bindparam("moment", type_=UTCDateTime()),
        version=COMMENTS.c.version + 1,
    )
    .returning(*COMMENTS.c)
)
_delete = Statement[Comment](delete_(Comment).where(COMMENTS.c.id == ROW_KEY))


def page(
    actor: Actor,
    task_id: str,
    request: PageRequest = FIRST_PAGE,
    *,
    task: Task | None = None,
) -> Page[Comment]:
    """Return a page of comments, the oldest first. `task` saves a read if the caller has the task.

    Raises NotFound for a task that the actor may not see.
    """
    task = task or tasks.get(actor, task_id)
    conditions = [Comment.task_id == task.id]
    return paging.read(Comment, conditions, request, descending=False)


def get(actor: Actor, task_id: str, comment_id: str) -> Comment:
    """Return the comment. Raises NotFound."""
    return require_found(_get.one(key=comment_id, of_task=tasks.get(actor, task_id).id), "comment")


def get_to_edit(actor: Actor, task_id: str, comment_id: str) -> Comment:
    """Return a comment that the actor may change. Raises NotFound, Forbidden."""
    comment = get(actor, task_id, comment_id)
    _require_author(actor, comment)
    return comment


@atomic
def create(actor: Actor, task_id: str, body: str) -> Comment:
    """Create a comment. Raises NotFound."""
    task = tasks.hold(actor, task_id)
    moment = now()
    comment = _insert.one(
        id=uuid7(),
        task_id=task.id,
        author_id=actor.id,
        body=body,
        created_at=moment,
        updated_at=moment,
        version=1,
    )
    assert comment is not None
    _record(actor, "comment.created", task, comment)
    return comment


@atomic
def update(
    actor: Actor,
    task_id: str,
    comment_id: str,
    body: str | None,
    expect: Expect = None,
) -> Comment:
    """Change a comment, as its author or an admin.

    Raises NotFound, Forbidden, PreconditionFailed.
    """
    task = tasks.hold(actor, task_id)
    comment = require_found(_lock.one(key=comment_id, of_task=task.id), "comment")
    _require_author(actor, comment)
    check(expect, comment.version)
    if body is None or body == comment.body:
        return comment
    changed = require_found(_update.one(key=comment.id, new_body=body, moment=now()), "comment")
    _record(actor, "comment.updated", task, changed)
    return changed


@atomic
def delete(actor: Actor, task_id: str, comment_id: str, expect: Expect = None) -> None:
    """Delete a comment, as its author, the task's owner or an admin.

    Raises NotFound, Forbidden, PreconditionFailed.
    """
    task = tasks.hold(actor, task_id)
    comment = require_found(_lock.one(key=comment_id, of_task=task.id), "comment")
    if not may_delete(actor, task, comment):
        raise Forbidden("Only its author or the task's owner may remove a comment.")
    check(expect, comment.version)
    _delete.run(key=comment.id)
    _record(actor, "comment.deleted", task, comment)


def may_edit(actor: Actor, comment: Comment) -> bool:
    return actor.is_admin or comment.author_id == actor.id


def may_delete(actor: Actor, task: Task, comment: Comment) -> bool:
    return may_edit(actor, comment) or task.owner_id == actor.id


def _require_author(actor: Actor, comment: Comment) -> None:
    if not may_edit(actor, comment):
        raise Forbidden("Only its author may change a comment.")


def _record(actor: Actor, action: str, task: Task, comment: Comment) -> None:
    """Record the action in the task's history, without the text of the comment."""
    audit.record(actor, action, task.id, {"comment_id": [comment.id, comment.id]})
    webhook_events.of_comment(actor, action, comment, task)
