"""The declaration of an API operation, from which its OpenAPI description is built as well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from app.api.http import request_parsing
from app.api.http.deprecation import Deprecation
from app.errors import AppError, InvalidParameter
from app.schemas.coded_fields import Range
from app.schemas.dumping import compile_dump
from app.schemas.fields import Flag, Number, Text
from app.schemas.names import fields_by_name, outside_path, renames
from app.services.access.bearer_tokens import HolderStatement
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import LIMIT_DEFAULT, LIMIT_MAX

Dump = Callable[[Any], Any]


class ListQuery(Schema):
    """The paging parameters of every list."""

    limit = Number(
        load_default=LIMIT_DEFAULT,
        validate=Range(1, LIMIT_MAX, error="Use {min} to {max}."),
        metadata={"description": "Maximum number of items."},
    )
    cursor = Text(
        load_default=None,
        metadata={"description": "The `next_cursor` of the previous page, with the same filters."},
    )
    count = Flag(
        load_default=False, metadata={"description": "True adds `total`, the number of matches."}
    )


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The declaration of an operation.

    `scopes`: the token needs one of them; () accepts any token, None needs no token.
    """

    id: str  # verb and resource: generated clients use it as a name ("listTasks")
    summary: str
    scopes: tuple[str, ...] | None
    before_factor: bool = False  # open to accounts that lack a required second factor
    token_optional: bool = False  # a request without a token is allowed: the actor is a stranger
    body: Schema | None = None
    body_types: tuple[str, ...] = (request_parsing.JSON,)
    query: Schema | None = None
    # An example by media type of a body that the view reads, and of a response that it writes.
    takes: Mapping[str, str] = field(default_factory=dict)
    takes_max: int = 0  # bytes of such a body, if above the general limit
    takes_file: str = ""  # form field that can contain such a body as a file
    returns: Schema | None = None  # with many=True: a JSON array of the rows that the view returns
    variants: Mapping[type, Schema] = field(default_factory=dict)  # schema by class of the row
    streams: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    location: str = ""  # URL of the created record: "/api/v1/tasks/{0.id}"
    etag: bool = False  # the response has an ETag
    reads: HolderRecord | None = None  # record by the URL's ids, read with the token's statement
    if_match: bool = False  # changes one record and accepts If-Match
    idempotent: bool = False  # accepts an Idempotency-Key
    errors: tuple[type[AppError], ...] = ()
    deprecated: Deprecation | None = None
    dump: Dump = field(init=False)
    is_list: bool = field(init=False)
    renames: bool = field(init=False)  # a field has another name outside than inside (`data_key`)
    reading: HolderStatement | None = field(init=False)

    def __post_init__(self) -> None:
        dump = compile_dump(self.returns) if self.returns else lambda row: row
        dumps = {kind: compile_dump(schema) for kind, schema in self.variants.items()}
        object.__setattr__(self, "dump", _dump_by_class(dumps, dump) if dumps else dump)
        reading = HolderStatement(self.reads) if self.reads is not None else None
        object.__setattr__(self, "reading", reading)
        object.__setattr__(self, "is_list", isinstance(self.query, ListQuery))
        renamed = [renames(schema) for schema in (self.body, self.query) if schema is not None]
        object.__setattr__(self, "renames", any(renamed))
        self._check()

    def _check(self) -> None:
        """Raise ValueError for a declaration that contradicts itself."""
        many = self.returns is not None and self.returns.many
        if many and (self.etag or self.is_list or self.variants):
            raise ValueError(f"{self.id}: an array has no etag, page or variants.")
        if self.is_list and not fields_by_name(self.query).keys() >= ListQuery().fields.keys():
            raise ValueError(f"{self.id}: limit, cursor and count have these names in every list.")
        if self.idempotent and self.scopes is None:
            raise ValueError(f"{self.id}: idempotent needs a token, because keys belong to a user.")

    def name_outside(self, error: AppError) -> None:
        """Give the fields of a service's error the names that clients use."""
        schema = self.query if isinstance(error, InvalidParameter) else self.body
        error.fields = {outside_path(schema, name): why for name, why in error.fields.items()}


def _dump_by_class(dumps: Mapping[type, Dump], default: Dump) -> Dump:
    return lambda row: dumps.get(type(row), default)(row)
