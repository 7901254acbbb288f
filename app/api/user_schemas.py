"""Schemas of requests and responses for user accounts."""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from app.api.http.declaration import ListQuery
from app.api.openapi.examples import ID, MOMENT
from app.models.registry import RESOURCES
from app.models.user import EMAIL_MAX, PASSWORD_MAX, ROLES, USERNAME_MAX, USERNAME_MIN
from app.schemas.coded_fields import Length, List
from app.schemas.fields import Flag, Identifier, Moment, Password, Strict, Text, choice
from app.schemas.names import outside_names
from app.services.users.users import NAMES_MAX

# For the document only: the service checks these rules and reports faults by field.
_USERNAME = {
    "minLength": USERNAME_MIN,
    "maxLength": USERNAME_MAX,
    "pattern": "^[A-Za-z0-9._-]+$",
}
EMAIL = {"format": "email", "maxLength": EMAIL_MAX}


class NewPassword(Password):
    """A new password. Its minimum length is a setting, which the document adds when it is built."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, metadata={"format": "password", "maxLength": PASSWORD_MAX})


class UserOut(Schema):
    id = Identifier(required=True)
    username = Text(required=True)
    email = Text(required=True, metadata={"format": "email"})
    role = choice(ROLES, required=True)
    is_active = Flag(required=True)
    email_verified = Flag(required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    example: ClassVar[dict[str, Any]] = {
        "id": ID,
        "username": "ann",
        "email": "ann@example.com",
        "role": "user",
        "is_active": True,
        "email_verified": False,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }


_SHOWN = outside_names(UserOut())


class PublicUser(Schema):
    id = Identifier(required=True)
    username = Text(required=True)
    created_at = Moment(required=True)


class UserName(Schema):
    id = Identifier(required=True)
    username = Text(required=True)


class UserNamesOut(Schema):
    items = fields.List(fields.Nested(UserName), required=True)


class NamesQuery(Schema):
    id = List(
        Identifier(), validate=Length(max=NAMES_MAX), metadata={"description": "Any of these ids."}
    )


_LISTS = [each.plural for each in RESOURCES if each.is_exported]
AccountExport = Schema.from_dict(
    {
        "user": fields.Dict(required=True),
        **{name: fields.List(fields.Dict(), required=True) for name in _LISTS},
    },
    name="AccountExport",
)


class NewUser(Strict):
    resource_fields = _SHOWN
    username = Text(required=True, metadata=_USERNAME)
    email = Text(required=True, metadata=EMAIL)
    password = NewPassword(required=True)
    example: ClassVar[dict[str, Any]] = {
        "username": "ann",
        "email": "ann@example.com",
        "password": "seven plums and a pear",
    }


class NewInvitation(Strict):
    resource_fields = _SHOWN
    username = Text(required=True, metadata=_USERNAME)
    email = Text(required=True, metadata=EMAIL)
    role = choice(ROLES, load_default="user")
    example: ClassVar[dict[str, Any]] = {"username": "ann", "email": "ann@example.com"}


class MyChanges(Strict):
    resource_fields = _SHOWN
    username = Text(metadata=_USERNAME)
    email = Text(metadata=EMAIL)
    password = NewPassword()
    current_password = Password(
        metadata={"format": "password", "description": "Required to change email or password."}
    )
    rules: ClassVar[dict[str, Any]] = {
        "dependentRequired": {name: ["current_password"] for name in ("email", "password")}
    }
    example: ClassVar[dict[str, Any]] = {
        "email": "anna@example.com",
        "current_password": "seven plums and a pear",
    }


class UserChanges(Strict):
    resource_fields = _SHOWN
    username = Text(metadata=_USERNAME)
    email = Text(metadata=EMAIL)
    role = choice(ROLES)
    is_active = Flag()
    example: ClassVar[dict[str, Any]] = {"role": "admin"}


class UserQuery(ListQuery):
    q = Text(load_default=None, metadata={"description": "Part of the username or email."})
    role = choice(ROLES, load_default=None, metadata={"description": "Only users with this role."})
    is_active = Flag(
        load_default=None,
        metadata={"description": "Only active users, or only deactivated users."},
    )
