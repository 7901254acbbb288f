"""The API of a resource on the records layer, each answer checked against its document."""

import json
from typing import Any

import pytest
from flask import Flask

from app.api.openapi import document as openapi
from app.services.shared.actor import Actor
from tests.conftest import KeepApp, signed_in_api
from tests.specimen import api as specimens_api
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.conformance import Checked, Conformance
from tests.support.databases import make_app

PATH = "/specimens"
QUARTZ = {"name": "Quartz", "rank": "high", "words": ["clear"], "due_at": "2026-05-01T09:00:00Z"}


def build(url: str) -> Flask:
    app = make_app(url)
    app.register_blueprint(specimens_api.bp, url_prefix="/api/v1/specimens")
    return app


@pytest.fixture
def service(kept_app: KeepApp) -> Flask:
    """The app with the specimens."""
    return kept_app(build)


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    app = build("sqlite:////dev")  # no request is served
    return Conformance(json.loads(json.dumps(openapi.build(app))))


@pytest.fixture
def ann_api(service: Flask, conformance: Conformance, ann: Actor) -> Api:
    return Checked(conformance, signed_in_api(service, ann))


@pytest.fixture
def bob_api(service: Flask, conformance: Conformance, bob: Actor) -> Api:
    return Checked(conformance, signed_in_api(service, bob))


def test_created_record_is_at_its_location(ann_api: Api) -> None:
    made = ann_api.post(PATH, QUARTZ)
    assert {name: made.get_json()[name] for name in QUARTZ} == QUARTZ
    found = ann_api.get(made.headers["Location"])
    assert (found.get_json(), found.headers["ETag"]) == (made.get_json(), made.headers["ETag"])


def test_unchanged_record_is_not_sent_again(ann_api: Api) -> None:
    made = ann_api.post(PATH, QUARTZ)
    same = {"If-None-Match": made.headers["ETag"]}
    assert ann_api.get(made.headers["Location"], headers=same).status_code == 304
    ann_api.patch(made.headers["Location"], {"pieces": 2})
    assert ann_api.get(made.headers["Location"], headers=same).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_change_of_a_stale_version_is_refused(ann_api: Api, method: str) -> None:
    made = ann_api.post(PATH, QUARTZ)
    place, stale = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    changed = ann_api.patch(place, {"pieces": 2}).get_json()
    body = {"pieces": 3} if method == "PATCH" else None
    assert ann_api.call(method, place, json=body, headers=stale).status_code == 412
    assert ann_api.get(place).get_json() == changed


def test_record_of_another_is_answered_like_a_missing_one(ann_api: Api, bob_api: Api) -> None:
    place = ann_api.post(PATH, QUARTZ).headers["Location"]
    for path in (place, f"{PATH}/{MISSING}"):
        answers = [
            bob_api.get(path),
            bob_api.patch(path, {"name": "Mine"}),
            bob_api.delete(path),
            bob_api.post(f"{path}/restore"),
        ]
        assert {slug_of(answer) for answer in answers} == {(404, "not-found")}


def test_deleted_record_is_gone_until_it_is_restored(ann_api: Api) -> None:
    made = ann_api.post(PATH, QUARTZ)
    place = made.headers["Location"]
    assert ann_api.delete(place).status_code == 204
    assert ann_api.get(place).status_code == 404
    assert ann_api.post(f"{place}/restore").get_json()["name"] == "Quartz"
    assert ann_api.get(place).status_code == 200


def test_same_key_creates_one_record(ann_api: Api) -> None:
    key = {"Idempotency-Key": "key-of-the-test"}
    first, second = (ann_api.post(PATH, QUARTZ, headers=key) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert len(ann_api.get(PATH).get_json()["items"]) == 1


def test_taken_name_is_a_conflict_of_the_field(ann_api: Api) -> None:
    ann_api.post(PATH, QUARTZ)
    answer = ann_api.post(PATH, {"name": "Quartz"})
    assert (answer.status_code, blamed(answer)) == (409, ["/name"])
    assert answer.get_json()["errors"][0]["code"] == "taken"


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"name": ""}, "/name", "too_short"),
        ({"name": "x" * 121}, "/name", "too_long"),
        ({"name": "a\u202eb"}, "/name", "invalid_character"),
        ({"archived": "yes"}, "/archived", "invalid_type"),
        ({"pieces": 1001}, "/pieces", "out_of_range"),
        ({"pieces": 1.5}, "/pieces", "invalid_type"),
        ({"due_at": "2026-05-32"}, "/due_at", "malformed"),
        ({"state": "lost"}, "/state", "not_a_choice"),
        ({"words": [1]}, "/words/0", "invalid_type"),
        ({"owner_id": MISSING}, "/owner_id", "read_only"),
        ({"colour": "red"}, "/colour", "unknown_field"),
    ],
)
def test_bad_value_is_refused_by_its_pointer(
    ann_api: Api, values: dict[str, Any], pointer: str, code: str
) -> None:
    answer = ann_api.post(PATH, {**QUARTZ, **values})
    errors = [(error["pointer"], error["code"]) for error in answer.get_json()["errors"]]
    assert (answer.status_code, errors) == (422, [(pointer, code)])
    assert ann_api.get(PATH).get_json()["items"] == []


def test_pages_in_any_order_hold_every_record_once(ann_api: Api) -> None:
    for number in range(7):
        more = QUARTZ if number % 2 else {}
        ann_api.post(PATH, {**more, "name": f"{number}"})
    for sort in ("name", "-due_at", "rank"):
        seen, path = [], f"{PATH}?limit=3&sort={sort}&count=true"
        while path:
            answer = ann_api.get(path)
            body = answer.get_json()
            seen += [item["name"] for item in body["items"]]
            assert body["total"] == 7
            cursor = body["next_cursor"]
            path = f"{PATH}?limit=3&sort={sort}&count=true&cursor={cursor}" if cursor else ""
        assert sorted(seen) == [f"{number}" for number in range(7)]


def test_filters_choose_the_records(ann_api: Api) -> None:
    ann_api.post(PATH, QUARTZ)
    ann_api.post(PATH, {"name": "Beryl", "state": "sold"})
    queries = {
        "state=sold": ["Beryl"],
        "state=new&state=sold": ["Beryl", "Quartz"],
        "due_before=2026-06-01T00:00:00Z": ["Quartz"],
        "due_after=2026-06-01T00:00:00Z": [],
        "reviewer_id=none": ["Beryl", "Quartz"],
        "archived=true": [],
    }
    found = {
        query: sorted(item["name"] for item in ann_api.get(f"{PATH}?{query}").get_json()["items"])
        for query in queries
    }
    assert found == queries
