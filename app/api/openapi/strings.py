"""The rule of the OpenAPI document that no string of a request contains a NUL character.

No database column stores NUL, so every body and query with NUL is refused with 422. The rule is
added to the finished document, to each string whose own rules would allow NUL.
"""

from collections.abc import Iterator

from app.api.openapi.components import Json

NO_NUL = r"^[^\u0000]*$"
_NARROWER = frozenset({"pattern", "enum", "const", "contentMediaType"})
_FORMATS = frozenset({"uuid", "date-time", "date", "binary"})  # these formats exclude NUL
_PARTS = ("items", "additionalProperties")
_LISTS = ("oneOf", "anyOf", "allOf")


def forbid_nul(document: Json) -> None:
    """Add the rule to the strings of every request body and query parameter."""
    for schema in request_strings(document):
        if _NARROWER.isdisjoint(schema) and schema.get("format") not in _FORMATS:
            schema["pattern"] = NO_NUL


def request_strings(document: Json) -> Iterator[Json]:
    """Yield the schema of each string that a client can send in a body or a query."""
    seen: set[int] = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter.get("in") == "query":
                    yield from _strings(document, parameter["schema"], seen)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from _strings(document, content["schema"], seen)


def _strings(document: Json, schema: Json, seen: set[int]) -> Iterator[Json]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if id(schema) in seen:
        return
    seen.add(id(schema))
    kind = schema.get("type", ())
    if "string" in ([kind] if isinstance(kind, str) else kind):
        yield schema
    inner = [*schema.get("properties", {}).values()]
    inner += [schema[name] for name in _PARTS if isinstance(schema.get(name), dict)]
    inner += [part for name in _LISTS for part in schema.get(name, ())]
    for part in inner:
        yield from _strings(document, part, seen)
