"""The changes of an OpenAPI document that break clients of the old document."""

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Compare = Callable[..., Iterator[str]]
METHODS = ("get", "post", "put", "patch", "delete")


def breaks(old: Json, new: Json) -> list[str]:
    """Return a line for each removed or narrowed part, an empty list for a compatible change."""
    return list(_documents(old, new))


def _documents(old: Json, new: Json) -> Iterator[str]:
    for path, item in old["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            place = f"{method.upper()} {path}"
            later = new["paths"].get(path, {}).get(method)
            if later is None:
                yield f"{place} is gone"
            else:
                yield from _operations(place, item[method], later, _Schemas(old), _Schemas(new))


class _Schemas:
    def __init__(self, document: Json) -> None:
        self.document = document

    def resolve(self, part: Json) -> Json:
        while "$ref" in part:
            found: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part


def _operations(place: str, old: Json, new: Json, was: _Schemas, is_: _Schemas) -> Iterator[str]:
    if not _admits_all(old["security"], new["security"]):
        yield f"{place}: other scopes are needed"
    yield from _parameters(place, old, new, was, is_)
    sent, takes = (part.get("requestBody", {}).get("content", {}) for part in (old, new))
    yield from _contents(f"{place} body", sent, takes, was, is_, _sent)
    for status, response in old["responses"].items():
        if status.startswith("2"):
            later = new["responses"].get(status)
            if later is None:
                yield f"{place}: no {status} any more"
            else:
                read, gives = (part.get("content", {}) for part in (response, later))
                yield from _contents(f"{place} answer", read, gives, was, is_, _received)


def _admits_all(old: list[Json], new: list[Json]) -> bool:
    """Return True if every token that was accepted is still accepted.

    No requirement admits everybody, and so does an empty one ({}) beside others.
    """
    if {} in new or not new:
        return True
    needs, needed = ([set(one["bearer"]) for one in each if one] for each in (new, old))
    return {} not in old and bool(needed) and all(any(n <= held for n in needs) for held in needed)


def _contents(
    place: str, old: Json, new: Json, was: _Schemas, is_: _Schemas, compare: Compare
) -> Iterator[str]:
    for kind, content in old.items():
        if kind in new:
            yield from compare(place, content["schema"], new[kind]["schema"], was, is_)
        else:
            yield f"{place}: no {kind} any more"


def _parameters(place: str, old: Json, new: Json, was: _Schemas, is_: _Schemas) -> Iterator[str]:
    before = {(each["in"], each["name"]): each for each in map(was.resolve, _listed(old))}
    after = {(each["in"], each["name"]): each for each in map(is_.resolve, _listed(new))}
    for key, parameter in before.items():
        where = f"{place} parameter {key[1]}"
        if key not in after:
            yield f"{where} is gone"
        else:
            yield from _sent(where, parameter["schema"], after[key]["schema"], was, is_)
    for key, parameter in after.items():
        was_required = before.get(key, {}).get("required", False)
        if parameter.get("required") and not was_required:
            yield f"{place} parameter {key[1]} is required now"


def _listed(operation: Json) -> list[Json]:
    found: list[Json] = operation.get("parameters", [])
    return found


def _sent(place: str, old: Json, new: Json, was: _Schemas, is_: _Schemas) -> Iterator[str]:
    """Yield the restrictions of a value that clients send."""
    old, new = was.resolve(old), is_.resolve(new)
    lost = _types(old) - _types(new)
    if "enum" in new:
        lost |= _words(old) - _words(new)
    if lost:
        yield f"{place}: no {', '.join(sorted(lost))} any more"
    for limit, tighter in (("maxLength", -1), ("maximum", -1), ("minLength", 1), ("minimum", 1)):
        if limit in new and (limit not in old or (new[limit] - old[limit]) * tighter > 0):
            yield f"{place}: {limit} is {new[limit]} now"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{place}: {name} is required now"
    yield from _inner(place, old, new, was, is_, _sent)


def _received(place: str, old: Json, new: Json, was: _Schemas, is_: _Schemas) -> Iterator[str]:
    """Yield the extensions and omissions of a value that clients read.

    An answer may get alternatives (`anyOf`) for callers who were refused, with the old one first.
    """
    old, new = was.resolve(old), is_.resolve(new)
    if "anyOf" in new and "anyOf" not in old:
        new = is_.resolve(new["anyOf"][0])
    if added := _types(new) - _types(old):
        yield f"{place}: may be {', '.join(sorted(added))} now"
    for name in set(old.get("required", ())) - set(new.get("required", ())):
        yield f"{place}: {name} may be missing now"
    yield from _inner(place, old, new, was, is_, _received)


def _inner(
    place: str, old: Json, new: Json, was: _Schemas, is_: _Schemas, compare: Compare
) -> Iterator[str]:
    for name, inner in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{place}: {name} is gone"
        else:
            yield from compare(f"{place} {name}", inner, new["properties"][name], was, is_)
    if "items" in old and "items" in new:
        yield from compare(f"{place} items", old["items"], new["items"], was, is_)


def _types(schema: Json) -> set[str]:
    kinds = schema.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _words(schema: Json) -> set[str]:
    return {str(word) for word in schema.get("enum", ())}
