"""Accounts by the API: registration, one's own account, and the rights of admins."""

from typing import Any

import pytest
from flask import Flask

from app.models import Task, Token, User
from app.product import NAME
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakeApp, signed_in_api
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import rows, set_values

NEW_PASSWORD = "eleven apples in a bowl"
CAT = {"username": "Cat", "email": "Cat@Example.COM", "password": PASSWORD}
FIELDS = {
    "id",
    "username",
    "email",
    "role",
    "is_active",
    "email_verified",
    "created_at",
    "updated_at",
}
READ_ONLY: dict[str, Any] = {
    "id": MISSING,
    "role": "admin",
    "is_admin": True,
    "is_active": True,
    "email_verified": True,
    "created_at": "2026-01-01T00:00:00Z",
    "version": 7,
    "password_hash": "x",
}


def test_opening_an_account_answers_with_it(api: Api) -> None:
    answer = api.post("/users", CAT)
    body = answer.get_json()
    assert answer.status_code == 201
    assert set(body) == FIELDS
    assert (body["username"], body["email"], body["role"], body["is_active"]) == (
        "Cat",
        "Cat@example.com",
        "user",
        True,
    )


def test_new_account_is_found_where_location_says(app: Flask, api: Api) -> None:
    made = api.post("/users", CAT)
    sign_in = api.post("/auth/login", {"identifier": "cat", "password": PASSWORD})
    found = Api(app, sign_in.get_json()["access_token"]).get(made.headers["Location"])
    assert found.get_json() == made.get_json()
    assert found.headers["ETag"] == made.headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("taken", "field"), [({"username": "ANN"}, "username"), ({"email": "aNN@EXAMPLE.com"}, "email")]
)
def test_taken_name_is_a_conflict_that_says_which(
    api: Api, ann: Actor, taken: dict[str, str], field: str
) -> None:
    answer = api.post("/users", {**CAT, **taken})
    assert slug_of(answer) == (409, "conflict")
    assert blamed(answer) == [f"/{field}"]


def test_taken_names_are_told_with_the_other_faults(api: Api, ann: Actor) -> None:
    answer = api.post("/users", {"username": "ann", "email": "ann@example.com", "password": "ann"})
    assert slug_of(answer) == (422, "invalid")
    codes = {fault["pointer"]: fault["code"] for fault in answer.get_json()["errors"]}
    assert codes == {"/username": "taken", "/email": "taken", "/password": "too_short"}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"username": "ab"}, "/username"),
        ({"username": "a" * 81}, "/username"),
        ({"username": "c\u0430t"}, "/username"),
        ({"username": None}, "/username"),
        ({"username": 123}, "/username"),
        ({"email": "cat"}, "/email"),
        ({"email": "cat@example.com\nBcc: x@example.com"}, "/email"),
        ({"email": "c" * 250 + "@example.com"}, "/email"),
        ({"password": "seven77"}, "/password"),
        ({"password": "x" * 129}, "/password"),
        ({"password": "password"}, "/password"),
        ({"password": "Iloveyou"}, "/password"),
        ({"username": "plumtree", "password": "PlumTree"}, "/password"),
        ({"email": "plum.tree@example.com", "password": "plum.tree"}, "/password"),
        ({"password": f"my {NAME}"}, "/password"),
        ({"password": None}, "/password"),
    ],
)
def test_account_is_not_opened_with_bad_values(
    app: Flask, api: Api, given: dict[str, Any], pointer: str
) -> None:
    answer = api.post("/users", {**CAT, **given})
    assert slug_of(answer) == (422, "invalid")
    assert blamed(answer) == [pointer]
    with app.app_context():
        assert rows(User) == []


@pytest.mark.parametrize("password", ["x1 y2-z3", "\u00fcber \U0001f350 pear", "q" * 128])
def test_password_of_8_to_128_characters_of_any_kind_is_taken(api: Api, password: str) -> None:
    api.post("/users", {**CAT, "password": password})
    answer = api.post("/auth/login", {"identifier": "cat", "password": password})
    assert answer.status_code == 200


@pytest.mark.parametrize("field", READ_ONLY)
def test_nobody_opens_an_account_with_what_is_not_theirs_to_set(api: Api, field: str) -> None:
    answer = api.post("/users", {**CAT, field: READ_ONLY[field]})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), [f"/{field}"])


@pytest.mark.parametrize("field", READ_ONLY)
def test_nobody_changes_what_is_not_theirs_to_set(
    app: Flask, ann_api: Api, ann: Actor, field: str
) -> None:
    answer = ann_api.patch("/users/me", {field: READ_ONLY[field]})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), [f"/{field}"])
    with app.app_context():
        (row,) = rows(User)
    assert (row.role, row.email_verified, row.version) == ("user", False, 1)


def test_closed_registration_is_forbidden(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(api.client.application.config, "REGISTRATION_OPEN", False)
    assert slug_of(api.post("/users", CAT)) == (403, "forbidden")


def test_minimum_length_of_a_password_is_a_setting(other_app: MakeApp) -> None:
    api = Api(other_app(PASSWORD_MIN_LENGTH="15"))
    assert blamed(api.post("/users", {**CAT, "password": "fourteen chars"})) == ["/password"]
    assert api.post("/users", {**CAT, "password": "fifteen letters"}).status_code == 201


def test_account_of_ones_own_is_read(ann_api: Api, ann: Actor) -> None:
    mine = ann_api.get("/users/me")
    assert set(mine.get_json()) == FIELDS
    assert ann_api.get(f"/users/{ann.id}").get_json() == mine.get_json()


def test_unchanged_account_is_not_sent_again(ann_api: Api) -> None:
    etag = ann_api.get("/users/me").headers["ETag"]
    answer = ann_api.get("/users/me", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_cached_account_of_one_token_is_none_of_another(ann_api: Api) -> None:
    """Two users' accounts have one URL and may have one ETag: only the token differs."""
    assert "Authorization" in ann_api.get("/users/me").headers["Vary"]


def test_username_is_changed_without_the_password(ann_api: Api) -> None:
    answer = ann_api.patch("/users/me", {"username": "Anna"})
    assert answer.get_json()["username"] == "Anna"
    assert answer.headers["ETag"] == '"2"'


@pytest.mark.parametrize("change", [{"email": "new@example.com"}, {"password": NEW_PASSWORD}])
@pytest.mark.parametrize("proof", [{}, {"current_password": "wrong"}])
def test_email_and_password_need_the_current_one(
    ann_api: Api, change: dict[str, str], proof: dict[str, str]
) -> None:
    answer = ann_api.patch("/users/me", {**change, **proof})
    assert slug_of(answer) == (422, "invalid")
    assert blamed(answer) == ["/current_password"]


def test_email_is_changed_with_the_current_password(ann_api: Api) -> None:
    change = {"email": "anna@example.com", "current_password": PASSWORD}
    answer = ann_api.patch("/users/me", change)
    assert answer.get_json()["email"] == "anna@example.com"


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_null_clears_nothing_of_an_account(ann_api: Api, field: str) -> None:
    assert blamed(ann_api.patch("/users/me", {field: None})) == [f"/{field}"]


def test_new_password_ends_every_other_sign_in(app: Flask, ann_api: Api, ann: Actor) -> None:
    other = signed_in_api(app, ann)
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    assert ann_api.patch("/users/me", change).status_code == 200
    assert (ann_api.get("/users/me").status_code, other.get("/users/me").status_code) == (200, 401)


def test_new_password_is_the_one_that_signs_in(api: Api, ann_api: Api) -> None:
    ann_api.patch("/users/me", {"password": NEW_PASSWORD, "current_password": PASSWORD})
    answers = [
        api.post("/auth/login", {"identifier": "ann", "password": password}).status_code
        for password in (PASSWORD, NEW_PASSWORD)
    ]
    assert answers == [401, 200]


def test_taken_name_is_a_conflict_in_a_change(ann_api: Api, bob: Actor) -> None:
    answer = ann_api.patch("/users/me", {"username": "BOB"})
    assert (slug_of(answer), blamed(answer)) == ((409, "conflict"), ["/username"])


def test_account_is_deleted_with_its_tasks(app: Flask, ann_api: Api) -> None:
    ann_api.post("/tasks", {"title": "Water the plums"})
    assert ann_api.delete("/users/me").status_code == 204
    with app.app_context():
        assert (rows(User), rows(Task), rows(Token)) == ([], [], [])


def test_deleting_needs_a_fresh_sign_in(app: Flask, ann_api: Api) -> None:
    with app.app_context():
        for token in rows(Token):
            moment = token.signed_in_at.replace(year=token.signed_in_at.year - 1)
            set_values(Token, token.id, signed_in_at=moment)
    answer = ann_api.delete("/users/me")
    assert slug_of(answer) == (403, "reauthentication-required")
    assert ann_api.get("/users/me").status_code == 200


def test_account_is_found_by_its_username_without_case(ann_api: Api, bob: Actor) -> None:
    answer = ann_api.get("/users/by-username/BoB")
    assert answer.get_json() == {
        "id": bob.id,
        "username": "bob",
        "created_at": answer.get_json()["created_at"],
    }


@pytest.mark.parametrize("name", ["nobody", "%00", "%ff", "b%C3%B6b", "a%2Fb", "x" * 5000])
def test_username_of_nobody_is_not_found(ann_api: Api, name: str) -> None:
    assert slug_of(ann_api.get(f"/users/by-username/{name}")) == (404, "not-found")
