"""Forms sent after their session had ended, kept for a day for their author only.

A form is kept if a person typed something into it. Secrets and files are never kept.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Integer, bindparam, delete, insert, select

from app.errors import NotFound
from app.models import UNSENT_FORMS, UnsentForm
from app.models.types import UTCDateTime, now, uuid7
from app.models.unsent_form import LIFE, PATH_MAX, PER_USER_MAX, SIZE_MAX
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, MissingReference, Statement, atomic

SECRETS = frozenset({"password", "current_password", "otp", "credential"})
TOKEN, MARK = "csrf_token", "unsent_form"
# Fields filled in by the page: they are sent again, and nobody needs to read them.
FILLED_IN = frozenset({"form_id", "version", "next", "status", "op", "id", "take"})
TICKED = "y"  # the value of a ticked checkbox

Fields = list[tuple[str, str]]
_own = (UNSENT_FORMS.c.id == ROW_KEY, UnsentForm.user_id == bindparam("owner"))
_insert = Statement[UnsentForm](insert(UNSENT_FORMS))
_get = Statement[UnsentForm](
    select(*UNSENT_FORMS.c).where(
        *_own, UnsentForm.expires_at > bindparam("moment", type_=UTCDateTime())
    )
)
_delete = Statement[UnsentForm](delete(UnsentForm).where(*_own))
_newest = (
    select(UNSENT_FORMS.c.id)
    .where(UnsentForm.user_id == ROW_KEY)
    .order_by(UNSENT_FORMS.c.id.desc())
    .limit(bindparam("number", type_=Integer()))
)
_delete_older = Statement[UnsentForm](
    delete(UnsentForm).where(UnsentForm.user_id == ROW_KEY, UNSENT_FORMS.c.id.not_in(_newest))
)


def keep(user_id: str, path: str, sent: Iterable[tuple[str, str]]) -> str | None:
    """Keep a form that `user_id` filled in, and return its id. The account's newest five stay.

    Return None if nothing was typed, the form is too large, or the account does not exist any more.
    """
    dropped = SECRETS | {TOKEN, MARK}
    fields = [(name, value.replace("\0", "")) for name, value in sent if name not in dropped]
    size = sum(len(name) + len(value) for name, value in fields)
    if not typed(fields) or size > SIZE_MAX or len(path) > PATH_MAX:
        return None
    try:
        return _keep(user_id, path, fields)
    except MissingReference:
        return None


@atomic
def _keep(user_id: str, path: str, fields: Fields) -> str:
    _delete_older.run(key=user_id, number=PER_USER_MAX - 1)
    form_id, moment = uuid7(), now()
    _insert.run(
        id=form_id,
        user_id=user_id,
        path=path,
        content={"fields": fields},
        created_at=moment,
        expires_at=moment + LIFE,
    )
    return form_id


def typed(fields: Fields) -> Fields:
    """Return the fields with text that a person wrote."""
    return [
        (name, value)
        for name, value in fields
        if name not in FILLED_IN and value.strip() and value != TICKED
    ]


def get(actor: Actor, form_id: str) -> UnsentForm:
    """Return one of the actor's forms. Raises NotFound."""
    form = _get.one(key=form_id, owner=actor.id, moment=now())
    if form is None:
        raise NotFound("This text was sent or discarded, is too old, or belongs to another user.")
    return form


def fields_of(form: UnsentForm) -> Fields:
    """Return the names and values in their order."""
    pairs: list[Any] = form.content["fields"]
    return [(name, value) for name, value in pairs]


@atomic
def discard(actor: Actor, form_id: str) -> None:
    """Delete one of the actor's forms, if it still exists."""
    _delete.run(key=form_id, owner=actor.id)
