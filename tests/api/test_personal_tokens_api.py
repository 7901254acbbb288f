"""Personal access tokens by the API: shown once, and invalid as soon as they are revoked."""

import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask

from app.models import Token
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.answers import MISSING, blamed, slug_of, without_request
from tests.support.clients import Api
from tests.support.rows import age, events, rows, set_values

SHOWN = {"id", "name", "scopes", "prefix", "created_at", "last_used_at", "expires_at"}
ALL = ["tasks:read", "tasks:write", "profile:read", "profile:write"]


def make(api: Api, *scopes: str, **values: Any) -> dict[str, Any]:
    body = {"name": "Backup", "scopes": list(scopes or ["tasks:read"]), **values}
    answer = api.post("/tokens", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def of(app: Flask, token: dict[str, Any]) -> Api:
    """Return a client with this token."""
    return Api(app, token["token"])


def from_now(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat()


def test_new_token_is_shown_once(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    secret = made["token"]
    assert made.keys() == SHOWN | {"token"}
    assert re.fullmatch(r"fst_[0-9A-Za-z]{49}", secret)
    assert secret.startswith(made["prefix"])
    for path in ("/tokens", f"/tokens/{made['id']}"):
        assert secret not in ann_api.get(path).text


def test_only_its_hash_is_stored(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    with app.app_context():
        row = rows(Token, id=made["id"])[0]
        trail = events("token.created")
    assert row.hash == hashlib.sha256(made["token"].encode()).hexdigest()
    assert made["token"] not in str(row) + str(trail)


def test_new_token_is_found_where_location_says(ann_api: Api) -> None:
    answer = ann_api.post("/tokens", {"name": " Backup ", "scopes": ["tasks:write", "tasks:read"]})
    made = answer.get_json()
    found = ann_api.get(answer.headers["Location"])
    del made["token"]
    assert found.get_json() == made
    assert (made["name"], made["scopes"]) == ("Backup", ["tasks:read", "tasks:write"])
    assert made["last_used_at"] is None


def test_etag_of_a_new_token_is_the_one_that_it_is_read_with(ann_api: Api) -> None:
    answer = ann_api.post("/tokens", {"name": "x", "scopes": ["tasks:read"]})
    path, etag = answer.headers["Location"], answer.headers["ETag"]
    assert ann_api.get(path).headers["ETag"] == etag
    assert ann_api.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_token_does_what_its_scopes_allow_and_no_more(app: Flask, ann_api: Api) -> None:
    reader = of(app, make(ann_api, "tasks:read"))
    assert reader.get("/tasks").status_code == 200
    assert slug_of(reader.post("/tasks", {"title": "x"})) == (403, "insufficient-scope")
    assert slug_of(reader.get("/users/me")) == (403, "insufficient-scope")


@pytest.mark.parametrize("scope", ["tasks:write", "profile:read", "admin"])
def test_token_makes_none_with_a_scope_that_it_lacks(app: Flask, root_api: Api, scope: str) -> None:
    weak = of(app, make(root_api, "profile:write", "tasks:read"))
    assert slug_of(weak.post("/tokens", {"name": "x", "scopes": [scope]})) == (403, "forbidden")


def test_only_an_admins_token_holds_the_admin_scope(
    app: Flask, ann_api: Api, root_api: Api
) -> None:
    body = {"name": "x", "scopes": ["admin"]}
    assert slug_of(ann_api.post("/tokens", body)) == (403, "forbidden")
    assert of(app, make(root_api, "admin")).get("/users").status_code == 200


def test_admin_scope_goes_with_the_role(
    app: Flask, root_api: Api, ann: Actor, ann_api: Api
) -> None:
    root_api.patch(f"/users/{ann.id}", {"role": "admin"})
    token = of(app, make(ann_api := fresh(app), "admin", "tasks:read"))
    assert token.get("/users").status_code == 200
    root_api.patch(f"/users/{ann.id}", {"role": "user"})
    assert slug_of(token.get("/users")) == (403, "insufficient-scope")
    assert (token.get("/tasks").status_code, ann_api.get("/audit").status_code) == (200, 403)


def fresh(app: Flask) -> Api:
    """Return Ann's client after a new sign-in."""
    body = {"identifier": "ann", "password": PASSWORD}
    return Api(app, Api(app).post("/auth/login", body).get_json()["access_token"])


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/name", "/scopes"]),
        ({"name": "", "scopes": ["tasks:read"]}, ["/name"]),
        ({"name": " \t", "scopes": ["tasks:read"]}, ["/name"]),
        ({"name": "x" * 101, "scopes": ["tasks:read"]}, ["/name"]),
        ({"name": 1, "scopes": "tasks:read"}, ["/name", "/scopes"]),
        ({"name": "x", "scopes": []}, ["/scopes"]),
        ({"name": "x", "scopes": ["tasks:read", "everything"]}, ["/scopes/1"]),
        ({"name": "x", "scopes": [["tasks:read"]]}, ["/scopes/0"]),
        ({"name": "x", "scopes": None}, ["/scopes"]),
        ({"name": "x", "scopes": ["tasks:read"], "expires_at": "tomorrow"}, ["/expires_at"]),
        ({"name": "x", "scopes": ["tasks:read"], "expires_at": "2030-01-01"}, ["/expires_at"]),
        ({"name": "x", "scopes": ["tasks:read"], "expires_at": from_now(days=-1)}, ["/expires_at"]),
        ({"name": "x", "scopes": ["tasks:read"], "user_id": MISSING}, ["/user_id"]),
        ({"name": "x", "scopes": ["tasks:read"], "token": "fst_x"}, ["/token"]),
    ],
)
def test_request_that_does_not_do_is_refused(
    app: Flask, ann_api: Api, body: dict[str, Any], pointers: list[str]
) -> None:
    answer = ann_api.post("/tokens", body)
    assert slug_of(answer) == (422, "invalid")
    assert sorted(blamed(answer)) == pointers
    assert ann_api.get("/tokens").get_json()["items"] == []


def test_name_has_up_to_a_hundred_characters(ann_api: Api) -> None:
    assert make(ann_api, name="\U0001f511" * 100)["name"] == "\U0001f511" * 100


def test_scope_that_is_named_twice_is_held_once(ann_api: Api) -> None:
    assert make(ann_api, "tasks:read", "tasks:read")["scopes"] == ["tasks:read"]


def test_token_ends_when_it_says(app: Flask, ann_api: Api) -> None:
    made = make(ann_api, expires_at=from_now(hours=2))
    token = of(app, made)
    assert token.get("/tasks").status_code == 200
    with app.app_context():
        set_values(Token, made["id"], expires_at=datetime.now(UTC))
    assert slug_of(token.get("/tasks")) == (401, "invalid-token")


def test_offset_of_the_end_is_turned_into_utc(ann_api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    zone = timezone(timedelta(hours=2))
    made = make(ann_api, expires_at=ends.astimezone(zone).isoformat())
    assert made["expires_at"] == ends.isoformat().replace("+00:00", "Z")


def test_list_holds_ones_own_the_newest_first(
    app: Flask, ann_api: Api, bob_api: Api, root_api: Api
) -> None:
    made = [make(ann_api, name=name)["id"] for name in "abc"]
    make(bob_api)
    listed = ann_api.get("/tokens?count=true").get_json()
    assert [token["id"] for token in listed["items"]] == made[::-1]
    assert (listed["total"], set(listed["items"][0])) == (3, SHOWN)
    assert root_api.get("/tokens").get_json()["items"] == []


def test_list_is_paged(ann_api: Api) -> None:
    made = [make(ann_api, name=name)["id"] for name in "abcde"]
    seen, path = [], "/tokens?limit=2"
    while path:
        page = ann_api.get(path).get_json()
        seen += [token["id"] for token in page["items"]]
        path = page["next_cursor"] and f"/tokens?limit=2&cursor={page['next_cursor']}"
    assert seen == made[::-1]


def test_revoked_token_is_dead_at_once(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    token = of(app, made)
    assert token.get("/tasks").status_code == 200
    assert ann_api.delete(f"/tokens/{made['id']}").status_code == 204
    assert slug_of(token.get("/tasks")) == (401, "invalid-token")
    assert ann_api.get(f"/tokens/{made['id']}").status_code == 404
    assert ann_api.delete(f"/tokens/{made['id']}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_token_of_another_is_like_one_that_is_not_there(
    app: Flask, ann_api: Api, bob_api: Api, root_api: Api, method: str
) -> None:
    made = make(ann_api)
    none = bob_api.call(method, f"/tokens/{MISSING}")
    for api in (bob_api, root_api):
        theirs = api.call(method, f"/tokens/{made['id']}")
        assert slug_of(theirs) == (404, "not-found")
        assert without_request(theirs) == without_request(none)
    assert of(app, made).get("/tasks").status_code == 200


def test_token_of_a_sign_in_is_no_personal_one(app: Flask, ann_api: Api) -> None:
    with app.app_context():
        found = [row.id for row in rows(Token)]
    assert ann_api.get("/tokens").get_json()["items"] == []
    assert [ann_api.delete(f"/tokens/{one}").status_code for one in found] == [404, 404]


def test_use_is_noted_and_not_at_each_request(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)

    def last_use() -> str | None:
        used: str | None = ann_api.get(f"/tokens/{made['id']}").get_json()["last_used_at"]
        return used

    of(app, made).get("/tasks")
    first = last_use()
    of(app, made).get("/tasks")
    assert (first is not None, last_use()) == (True, first)
    with app.app_context():
        age(Token, "last_used_at", timedelta(minutes=2))
    of(app, made).get("/tasks")
    assert last_use() > first  # type: ignore[operator]


def test_making_and_revoking_is_in_the_audit_trail(app: Flask, ann: Actor, ann_api: Api) -> None:
    made = make(ann_api, "tasks:read", "profile:read")
    ann_api.delete(f"/tokens/{made['id']}")
    with app.app_context():
        created, revoked = events("token.created"), events("token.revoked")
    assert [event.target_id for event in created + revoked] == [made["id"]] * 2
    assert [event.actor_id for event in created + revoked] == [ann.id] * 2
    assert created[0].changes["scopes"] == [None, "tasks:read profile:read"]


def test_new_password_ends_every_personal_token(app: Flask, ann_api: Api) -> None:
    token = of(app, make(ann_api))
    change = {"password": "eleven apples in a bowl", "current_password": PASSWORD}
    assert ann_api.patch("/users/me", change).status_code == 200
    assert token.get("/tasks").status_code == 401


def test_personal_token_deletes_no_account(app: Flask, ann_api: Api) -> None:
    answer = of(app, make(ann_api, *ALL)).delete("/users/me")
    assert slug_of(answer) == (403, "reauthentication-required")


def test_token_is_revoked_as_it_was_read_or_not_at_all(ann_api: Api) -> None:
    path = f"/tokens/{make(ann_api)['id']}"
    assert slug_of(ann_api.delete(path, headers={"If-Match": '"77"'}))[0] == 412
    etag = ann_api.get(path).headers["ETag"]
    assert ann_api.delete(path, headers={"If-Match": etag}).status_code == 204


def test_use_of_a_token_changes_its_etag(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    path = f"/tokens/{made['id']}"
    etag = ann_api.get(path).headers["ETag"]
    of(app, made).get("/tasks")
    assert ann_api.get(path).headers["ETag"] != etag
    assert slug_of(ann_api.delete(path, headers={"If-Match": etag}))[0] == 412
