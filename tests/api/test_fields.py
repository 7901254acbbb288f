"""The compiled dumper gives the same result as marshmallow."""

import json
from collections import namedtuple
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st
from marshmallow import Schema, fields

from app.schemas.dumping import compile_dump
from app.schemas.fields import Computed, Identifier, Moment
from tests.support.routes import OPERATIONS

TEXTS = st.text(st.characters(codec="utf-8"))
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.just(datetime(1, 1, 1, tzinfo=UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
KINDS: list[tuple[type[fields.Field[Any]], st.SearchStrategy[Any]]] = [
    (Identifier, st.uuids().map(str)),
    (Moment, MOMENTS),
    (fields.Date, st.dates()),
    (fields.Boolean, st.booleans()),
    (fields.Integer, st.integers(-(2**53), 2**53)),
    (fields.Dict, st.dictionaries(TEXTS, JSON, max_size=3)),
    (fields.String, TEXTS),
    (fields.Raw, JSON),
]
row_type: Any = namedtuple  # untyped: the fields are known at run time only
SCHEMAS = {
    type(route.operation.returns).__name__: route.operation.returns
    for route in OPERATIONS
    if route.operation and route.operation.returns
}


def values_of(field: Any) -> st.SearchStrategy[Any]:
    if isinstance(field, fields.List):
        made: st.SearchStrategy[Any] = st.lists(values_of(field.inner), max_size=3)
    elif isinstance(field, fields.Nested):
        made = rows_of(field.schema).map(lambda row: row._asdict())
    elif isinstance(field, fields.Dict) and field.value_field:
        made = st.dictionaries(TEXTS, values_of(field.value_field), max_size=3)
    else:
        made = next(values for kind, values in KINDS if isinstance(field, kind))
    return st.none() | made if field.allow_none else made


def rows_of(schema: Schema) -> st.SearchStrategy[Any]:
    """Return a strategy of named tuples, as the services return them."""
    row = row_type("row", list(schema.fields))
    return st.builds(row, **{name: values_of(field) for name, field in schema.fields.items()})


@pytest.mark.slow
@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_compiled_dump_writes_what_the_schema_writes(name: str, data: st.DataObject) -> None:
    schema = SCHEMAS[name]
    row = data.draw(rows_of(schema))
    written = orjson.dumps(compile_dump(schema)(row), option=orjson.OPT_UTC_Z)
    assert json.loads(written) == json.loads(json.dumps(schema.dump(row)))


class Part(Schema):
    unit_price = fields.Decimal(as_string=True, data_key="unitPrice")
    secret = fields.String(load_only=True)


class Whole(Schema):
    """Fields that a compiled dump must not pass on as they are."""

    id = Identifier(data_key="@id")
    owner = fields.String(attribute="person.name")
    label = Computed(lambda row: f"{row.id}!", fields.String())
    length = fields.Method("count", data_key="count")
    kind = fields.Constant("whole")
    size = fields.Integer(as_string=True)
    made_at = fields.DateTime()
    part = fields.Nested(Part)
    parts = fields.List(fields.Nested(Part))
    named = fields.Dict(keys=fields.String(), values=fields.Nested(Part))
    prices = fields.Pluck(Part, "unit_price", many=True)

    def count(self, row: Any) -> int:
        return len(row.parts)


ROW = SimpleNamespace(
    id="a",
    person=SimpleNamespace(name="ann"),
    size=3,
    made_at=datetime(2026, 1, 31, tzinfo=UTC),
    part={"unit_price": Decimal("1.50"), "secret": "x"},
    parts=[{"unit_price": Decimal(2)}],
    named={"one": {"unit_price": Decimal(3)}},
    prices=[{"unit_price": Decimal(4)}],
)


@pytest.mark.parametrize("name", list(Whole().fields))
def test_compiled_dump_writes_special_fields_as_the_schema_does(name: str) -> None:
    schema = Whole(only=[name])
    assert compile_dump(schema)(ROW) == schema.dump(ROW)


def test_compiled_dump_of_many_rows_is_a_list() -> None:
    schema = Whole(many=True)
    assert compile_dump(schema)([ROW, ROW]) == schema.dump([ROW, ROW])
