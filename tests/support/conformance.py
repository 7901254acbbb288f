"""The strict comparison of an answer of the API with the OpenAPI document."""

import re
from collections.abc import Iterator
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker
from werkzeug.test import TestResponse

from tests.support.clients import Api

Json = dict[str, Any]
# Headers that HTTP and the middleware add.
GENERAL = {"Cache-Control", "Content-Length", "Content-Type", "Vary"}
SECURITY = {
    "Content-Security-Policy",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}
# An answer must have each of these headers that the document lists for it.
CERTAIN = {"Accept-Patch", "Content-Disposition", "ETag", "Location", "Retry-After", "X-Request-ID"}


class Conformance:
    """A checker. `seen` holds the operationId and the status of each checked answer."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.seen: set[tuple[str, int]] = set()
        templates = sorted(document["paths"], key=lambda path: path.count("{"))
        self.paths = [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in templates]

    def operation(self, method: str, path: str) -> Json:
        found = next(template for pattern, template in self.paths if pattern.fullmatch(path))
        operation: Json = self.document["paths"][found][method.lower()]
        return operation

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        operation = self.operation("GET" if method == "HEAD" else method, path.partition("?")[0])
        place = f"{operation['operationId']} {answer.status_code}"
        assert str(answer.status_code) in operation["responses"], f"{place}: {answer.text}"
        response = self.resolve(operation["responses"][str(answer.status_code)])
        self.check_headers(place, response["headers"], answer)
        if method != "HEAD":
            self.check_content(place, response.get("content", {}), answer)
        self.seen.add((operation["operationId"], answer.status_code))

    def check_headers(self, place: str, declared: Json, answer: TestResponse) -> None:
        given = set(answer.headers.keys()) - GENERAL - SECURITY
        assert given <= declared.keys(), f"{place}: {given - declared.keys()}"
        needed = CERTAIN & declared.keys()
        if answer.status_code == 409:  # only a running request with the same key ends by itself
            needed -= {"Retry-After"}
        assert answer.status_code != 401 or "WWW-Authenticate" in given, place
        assert given >= needed, f"{place}: {needed - given}"
        for name in given:
            header = self.resolve(declared[name])
            text: Any = answer.headers[name]
            value = int(text) if header["schema"]["type"] == "integer" else text
            self.validate(f"{place} {name}", header["schema"], value)

    def check_content(self, place: str, content: Json, answer: TestResponse) -> None:
        if not content:
            assert answer.data == b"", place
            assert "Content-Type" not in answer.headers, place
            return
        assert answer.mimetype in content, f"{place}: {answer.mimetype}"
        value = answer.get_json() if answer.is_json else answer.text
        self.validate(place, content[answer.mimetype]["schema"], value)

    def validate(self, place: str, schema: Json, value: Any) -> None:
        whole = {**schema, "components": self.document["components"]}  # the targets of $ref
        validator = OAS31Validator(whole, format_checker=oas31_format_checker)
        faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]
        assert faults == [], f"{place}: {faults}"

    def resolve(self, part: Json) -> Json:
        """Return `part`, or the target of its $ref."""
        found: Any = part
        if "$ref" in part:
            found = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
        resolved: Json = found
        return resolved

    def examples(self) -> Iterator[tuple[str, Json, Any]]:
        """Yield every example of a body with its place and its schema."""
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                place = f"{method} {path}"
                for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                    yield f"{place} {kind}", content["schema"], content["example"]
                for status, response in operation["responses"].items():
                    for content in self.resolve(response).get("content", {}).values():
                        for example in self.of_content(content):
                            yield f"{place} {status}", content["schema"], example

    def of_content(self, content: Json) -> list[Any]:
        named = content.get("examples", {}).values()
        return [self.resolve(example)["value"] for example in named] or [content["example"]]


class Checked(Api):
    """A client that checks every answer against the document."""

    def __init__(self, conformance: Conformance, api: Api) -> None:
        self.client, self.token, self.conformance = api.client, api.token, conformance

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        answer = super().call(method, path, **options)
        path = path if path.startswith("/api/") else f"/api/v1{path}"
        self.conformance.check(method, path, answer)
        return answer
