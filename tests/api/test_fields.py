"""The compiled dumper gives the same result as marshmallow."""

import json
from collections import namedtuple
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st
from marshmallow import Schema, fields

from app.schemas.fields import Identifier, Moment, compile_dump
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
