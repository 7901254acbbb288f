"""An encoded body is refused: the service decompresses nothing."""

import gzip
from typing import Any

import pytest

from tests.support.answers import MISSING, slug_of
from tests.support.clients import Api

TASK = b'{"title": "Water the plums"}'
JSON = "application/json"


def send(api: Api, method: str, path: str, encoding: str, data: bytes = TASK, **more: Any) -> Any:
    headers = {"Content-Encoding": encoding, **more}
    kind = "text/csv" if path.endswith("import") else JSON
    return api.call(method, path, data=data, content_type=kind, headers=headers)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip", "x", "*"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks"),
        ("POST", "/tasks/bulk"),
        ("POST", "/tasks/import"),
        ("PATCH", f"/tasks/{MISSING}"),
        ("PUT", f"/tasks/{MISSING}"),
        ("DELETE", f"/tasks/{MISSING}"),
        ("POST", "/auth/login"),
        ("POST", "/auth/logout"),
    ],
)
def test_encoded_body_is_refused(ann_api: Api, method: str, path: str, encoding: str) -> None:
    answer = send(ann_api, method, path, encoding, gzip.compress(TASK))
    assert slug_of(answer) == (415, "unsupported-media-type")
    assert answer.headers["Accept-Encoding"] == "identity"


def test_encoded_body_with_an_idempotency_key_is_refused(ann_api: Api) -> None:
    answer = send(
        ann_api, "POST", "/tasks", "gzip", gzip.compress(TASK), **{"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")


@pytest.mark.parametrize(
    "encoding", ["identity", "Identity", "", " identity ", "identity,identity"]
)
def test_body_as_it_is_is_taken(ann_api: Api, encoding: str) -> None:
    assert send(ann_api, "POST", "/tasks", encoding).status_code == 201


def test_request_without_a_body_is_answered_as_ever(ann_api: Api) -> None:
    assert ann_api.get("/tasks", headers={"Content-Encoding": "gzip"}).status_code == 200
    assert ann_api.post("/auth/logout", headers={"Content-Encoding": "gzip"}).status_code == 204


def test_other_type_of_body_says_nothing_of_encodings(ann_api: Api) -> None:
    answer = ann_api.call("POST", "/tasks", data=TASK, content_type="text/plain")
    assert (answer.status_code, "Accept-Encoding" in answer.headers) == (415, False)
