"""What the lists share: filters in the query, and paging by cursor."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from flask import flash, request, url_for
from werkzeug.datastructures import MultiDict
from wtforms import DateTimeLocalField, StringField
from wtforms.validators import ValidationError

from app.cursors import seal, unseal
from app.errors import InvalidParameter
from app.forms import Form, stripped
from app.services import users
from app.services.paging import Page

T = TypeVar("T")
LIMIT = 25
Q_MAX = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Filters(Form):
    """A form that is sent by GET and keeps what it can read; the rest is told beside its field."""

    class Meta:
        csrf = False

    def __init__(self) -> None:
        given = request.args.items(multi=True)
        # No database column takes a NUL: nothing is found by it.
        super().__init__(formdata=MultiDict((name, text.replace("\0", "")) for name, text in given))
        self.validate()

    def given(self) -> dict[str, Any]:
        return {
            field.name: field.data
            for field in self
            if not field.errors and field.data not in (None, "", False, [])
        }


class MomentField(DateTimeLocalField):
    """A date, with a time or without, in UTC unless it names another offset."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            moment = datetime.fromisoformat(text)
            self.data = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise ValueError("Write a date, or a date and a time.") from None

    def _value(self) -> str:
        return f"{self.data:%Y-%m-%dT%H:%M}" if self.data else ""


class PersonField(StringField):
    """Somebody by username, email or id. `data` becomes the id, also of one who is gone."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, filters=[stripped], **options)

    def post_validate(self, _form: Any, _stopped: bool) -> None:
        self.typed = self.data or ""
        if not self.data or _ID.fullmatch(self.data.lower()):
            self.data = self.data and self.data.lower()
            return
        user = users.find(self.data)
        if user is None:
            raise ValidationError("There is no such user.")
        self.data = user.id

    def _value(self) -> str:
        return getattr(self, "typed", self.data) or ""


@dataclass(slots=True, frozen=True)
class Listed(Generic[T]):
    """A page of a list, with the links to the next one and back to the first."""

    page: Page[T]
    next_url: str
    first_url: str


def listed(form: Filters, read: Callable[..., Page[T]]) -> Listed[T]:
    """The page that the query asks for; the first one where its cursor does not do."""
    binding = [request.endpoint, form.given()]
    cursor = request.args.get("cursor")
    try:
        after = unseal(cursor, binding)
    except InvalidParameter:
        flash("That page of the list no longer exists. This is the first page.", "warning")
        cursor = after = None
    page = read(limit=LIMIT, after=after)
    following = seal(page.last, binding)
    return Listed(
        page,
        _here(form, following) if following else "",
        _here(form, None) if cursor else "",
    )


def _here(form: Filters, cursor: str | None) -> str:
    """This list, with its filters, at `cursor`."""
    kept: dict[str, Any] = {field.name: request.args.getlist(field.name) for field in form}
    return url_for(request.endpoint or "", **kept, cursor=cursor)
