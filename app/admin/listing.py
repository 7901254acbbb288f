"""Shared parts of the admin lists: filters in the query, and paging by cursor."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import request
from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.validators import ValidationError

from app.models.types import canonical_id
from app.pages import pagination
from app.pages.forms import Form, stripped
from app.pages.pagination import Listed
from app.services.shared import text_rules
from app.services.shared.paging import Page, PageRequest
from app.services.users import users

T = TypeVar("T")
LIMIT = 25
ORDER = "sort"  # the form field of the order


class Filters(Form):
    """A form that is sent by GET. An invalid value is reported beside its field."""

    class Meta:
        csrf = False

    def __init__(self) -> None:
        super().__init__(formdata=MultiDict(request.args.items(multi=True)))
        self.validate()

    @property
    def is_valid(self) -> bool:
        """Return True if all filters are valid. The order of a list is not a filter."""
        return not any(field.errors for field in self if field.name != ORDER)

    def given(self) -> dict[str, Any]:
        return {
            field.name: field.data
            for field in self
            if not field.errors and field.data not in (None, "", False, [])
        }


class PersonField(StringField):
    """A user by username, email or id. `data` becomes the id; an id may be of a deleted user."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, filters=[stripped], **options)

    def post_validate(self, _form: Any, _stopped: bool) -> None:
        self.typed = self.data or ""
        if not self.data:
            return
        if user_id := canonical_id(self.data):
            self.data = user_id
            return
        user = users.find(self.data)
        if user is None:
            raise ValidationError("There is no such user.")
        self.data = user.id

    def _value(self) -> str:
        return getattr(self, "typed", self.data) or ""


def listed(
    form: Filters, read: Callable[[PageRequest], Page[T]], *, count: bool = False
) -> Listed[T]:
    """Return the page that the query selects; an empty one if a filter is invalid."""
    if not form.is_valid:
        return Listed(Page([], total=0), "", "")
    kept: dict[str, Any] = {
        field.name: [text_rules.normal(text) for text in request.args.getlist(field.name)]
        for field in form
    }
    return pagination.listed(read, request.endpoint or "", limit=LIMIT, count=count, **kept)
