"""The security log of an account: its part of the audit trail (ASVS 5.0, 7.5.2 and 16.3).

The log shows the changes of the account and the owner's changes of tokens and webhooks. It does not
show the owner's changes of other accounts.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, literal_column, select, union_all

from app.models import AUDIT_EVENTS
from app.models.audit_event import OF_CREDENTIALS
from app.services.shared import paging
from app.services.shared.actor import Actor
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.sql import Statement

_user_id = bindparam("user_id", type_=AUDIT_EVENTS.c.target_id.type)
# Two branches, each sorted by its own index; with an OR the database would sort all rows.
_BRANCHES: tuple[tuple[ColumnElement[bool], ...], ...] = (
    (AUDIT_EVENTS.c.target_id == _user_id, AUDIT_EVENTS.c.target_type == "user"),
    (AUDIT_EVENTS.c.actor_id == _user_id, literal_column(OF_CREDENTIALS.text)),
)


def page(actor: Actor, request: PageRequest = FIRST_PAGE) -> Page[Any]:
    """Return the actor's events, the newest first.

    `address` is "" for the acts of another actor, because that address is their personal data.
    """
    branches = [_branch(conditions, request) for conditions in _BRANCHES]
    both = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    query = paging.ordered(select(both), both.c.created_at, both.c.id, True).limit(
        request.limit + 1
    )
    rows = Statement[Any](query).all(user_id=actor.id)
    found = paging.cut(rows, request.limit, "created_at")
    return Page([_shown(row, actor) for row in found.items], found.last)


def _branch(conditions: tuple[ColumnElement[bool], ...], request: PageRequest) -> Select[Any]:
    query = select(*AUDIT_EVENTS.c).where(*conditions)
    if request.after:
        key, last_id = request.after
        at = bindparam("at", paging.moment(key), type_=AUDIT_EVENTS.c.created_at.type)
        query = query.where(
            paging.behind(AUDIT_EVENTS.c.created_at, AUDIT_EVENTS.c.id, True, at, last_id)
        )
    return paging.ordered(query, AUDIT_EVENTS.c.created_at, AUDIT_EVENTS.c.id, True).limit(
        request.limit + 1
    )


def _shown(row: Any, actor: Actor) -> Any:
    return row if row.actor_id in (None, actor.id) else row._replace(address="")
