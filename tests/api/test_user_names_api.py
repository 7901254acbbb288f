"""Every signed-in user may look up the name of an account id, and no other field."""

from typing import Any

import pytest
from flask import Flask

from app.models import User
from app.services.access import personal_tokens
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import set_values

PUBLIC = {"id", "username", "created_at"}


def api_with(app: Flask, actor: Actor, *scopes: str) -> Api:
    """Return a client with a personal token of these scopes alone."""
    with app.app_context():
        account = users.get(SYSTEM, actor.id)
        return Api(app, personal_tokens.create(SYSTEM, account, "x", list(scopes))[1])


def shown(api: Api, user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/users/{user_id}").get_json()
    return found


def test_stranger_gets_the_public_part_of_an_account(ann_api: Api, bob: Actor) -> None:
    found = shown(ann_api, bob.id)
    assert set(found) == PUBLIC
    assert found == ann_api.get("/users/by-username/bob").get_json()


def test_owner_and_admin_get_the_whole_record(ann_api: Api, ann: Actor, root_api: Api) -> None:
    assert shown(ann_api, ann.id) == ann_api.get("/users/me").get_json()
    assert shown(root_api, ann.id) == ann_api.get("/users/me").get_json()


def test_owner_needs_the_scope_for_the_whole_record(app: Flask, ann: Actor) -> None:
    assert set(shown(api_with(app, ann, "tasks:read"), ann.id)) == PUBLIC
    assert "email" in shown(api_with(app, ann, "profile:read"), ann.id)


def test_admin_needs_the_scope_for_the_whole_record(app: Flask, ann: Actor, root: Actor) -> None:
    assert set(shown(api_with(app, root, "profile:read"), ann.id)) == PUBLIC
    assert "email" in shown(api_with(app, root, "admin"), ann.id)


def test_public_etag_hides_changes_of_the_account(
    app: Flask, ann_api: Api, root_api: Api, bob: Actor
) -> None:
    before = ann_api.get(f"/users/{bob.id}").headers["ETag"]
    changed = root_api.patch(
        f"/users/{bob.id}", {"email": "new@example.com"}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    again = ann_api.get(f"/users/{bob.id}", headers={"If-None-Match": before})
    assert (again.status_code, again.headers["ETag"]) == (304, before)


def test_public_etag_changes_with_the_username(
    app: Flask, ann_api: Api, root_api: Api, bob: Actor
) -> None:
    before = ann_api.get(f"/users/{bob.id}").headers["ETag"]
    root_api.patch(f"/users/{bob.id}", {"username": "rob"}, headers={"If-Match": '"1"'})
    again = ann_api.get(f"/users/{bob.id}", headers={"If-None-Match": before})
    assert (again.status_code, again.get_json()["username"]) == (200, "rob")


def test_public_etag_guards_no_change(root_api: Api, ann_api: Api, bob: Actor) -> None:
    headers = {"If-Match": ann_api.get(f"/users/{bob.id}").headers["ETag"]}
    answer = root_api.patch(f"/users/{bob.id}", {"username": "rob"}, headers=headers)
    assert slug_of(answer) == (412, "precondition-failed")


def test_id_of_nobody_is_not_found(ann_api: Api) -> None:
    assert slug_of(ann_api.get(f"/users/{MISSING}")) == (404, "not-found")


def test_names_of_ids_leave_out_the_unknown(ann_api: Api, ann: Actor, bob: Actor) -> None:
    answer = ann_api.get(f"/users/names?id={bob.id}&id={MISSING}&id={ann.id}&id={bob.id.upper()}")
    assert answer.get_json() == {
        "items": [{"id": one.id, "username": one.username} for one in sorted([ann, bob], key=key)]
    }


def key(actor: Actor) -> str:
    return actor.id


def test_deactivated_account_still_has_a_name(app: Flask, ann_api: Api, bob: Actor) -> None:
    with app.app_context():
        set_values(User, bob.id, is_active=False)
    named = ann_api.get(f"/users/names?id={bob.id}").get_json()["items"]
    assert named == [{"id": bob.id, "username": "bob"}]
    assert set(shown(ann_api, bob.id)) == PUBLIC


def test_no_ids_have_no_names(ann_api: Api) -> None:
    assert ann_api.get("/users/names").get_json() == {"items": []}


def test_hundred_ids_are_named_at_once_and_no_more(ann_api: Api) -> None:
    hundred = "&".join([f"id={MISSING[:-3]}{n:03}" for n in range(100)])
    assert ann_api.get(f"/users/names?{hundred}").get_json() == {"items": []}
    assert blamed(ann_api.get(f"/users/names?{hundred}&id={MISSING}")) == ["id"]


@pytest.mark.parametrize("query", ["id=ann", "id=", "user=x", "id=%00"])
def test_names_refuse_a_query_that_is_not_valid(ann_api: Api, query: str) -> None:
    answer = ann_api.get(f"/users/names?{query}")
    assert slug_of(answer) == (422, "invalid-parameter")
