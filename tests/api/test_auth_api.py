"""Signing in by the API: a pair of tokens, its refresh and its end."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Token, User
from app.product import SLUG
from app.services.authentication import secret_tokens
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakePerson, signed_in_api
from tests.support.answers import blamed, slug_of, without_request
from tests.support.clients import Api, Browser
from tests.support.rows import age, rows, set_values

REALM = f'Bearer realm="{SLUG}"'
INVALID = f'{REALM}, error="invalid_token"'
MALFORMED_TOKENS = ["x", "fst_", "fst_" + "0" * 49, "a b", "fst_\u00e9", "." * 5000]


def sign_in(api: Api, identifier: str = "ann", password: str = PASSWORD) -> TestResponse:
    return api.post("/auth/login", {"identifier": identifier, "password": password})


def refresh(api: Api, token: str) -> TestResponse:
    return api.post("/auth/refresh", {"refresh_token": token})


def me(app: Flask, token: str) -> int:
    return Api(app, token).get("/users/me").status_code


def pass_time(app: Flask, column: str, **by: float) -> None:
    with app.app_context():
        age(Token, column, timedelta(**by))


def personal_token(app: Flask, person: Actor, *scopes: str) -> str:
    made = app.test_cli_runner().invoke(
        args=["tokens", "create", person.username, "--name", "of a test", "--scope", *scopes]
    )
    assert made.exit_code == 0, made.output
    return made.output.strip()


@pytest.mark.parametrize("identifier", ["ann", "ANN", "ann@example.com", "Ann@Example.COM"])
def test_one_signs_in_by_email_or_username_in_any_case(
    api: Api, ann: Actor, identifier: str
) -> None:
    answer = sign_in(api, identifier)
    assert answer.status_code == 200
    assert me(api.client.application, answer.get_json()["access_token"]) == 200


def test_answer_to_a_sign_in_is_a_pair_of_tokens(api: Api, ann: Actor) -> None:
    answer = sign_in(api)
    pair = answer.get_json()
    assert {name: pair[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "tasks:read tasks:write profile:read profile:write",
    }
    assert pair["access_token"] != pair["refresh_token"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_admin_signs_in_to_all_scopes(api: Api, root: Actor) -> None:
    assert sign_in(api, "root").get_json()["scope"].split()[-1] == "admin"


def test_every_refusal_looks_the_same(app: Flask, api: Api, ann: Actor, bob: Actor) -> None:
    with app.app_context():
        set_values(User, bob.id, is_active=False)
    refused = [sign_in(api, "ann", "wrong"), sign_in(api, "nobody"), sign_in(api, "bob")]
    first = refused[0]
    assert slug_of(first) == (401, "bad-credentials")
    assert first.headers["WWW-Authenticate"] == REALM
    for other in refused[1:]:
        assert without_request(other) == without_request(first)
        assert set(other.headers.keys()) == set(first.headers.keys())


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/identifier", "/password"]),
        ({"identifier": "ann"}, ["/password"]),
        ({"identifier": 1, "password": ["x"]}, ["/identifier", "/password"]),
        ({"identifier": "ann", "password": PASSWORD, "remember": True}, ["/remember"]),
    ],
)
def test_sign_in_names_what_is_wrong_with_its_body(
    api: Api, body: dict[str, Any], pointers: list[str]
) -> None:
    answer = api.post("/auth/login", body)
    assert slug_of(answer) == (422, "invalid")
    assert sorted(blamed(answer)) == pointers


def test_refresh_token_is_exchanged_for_a_new_pair(app: Flask, api: Api, ann: Actor) -> None:
    old = sign_in(api).get_json()
    answer = refresh(api, old["refresh_token"])
    assert answer.status_code == 200
    assert {old["access_token"], old["refresh_token"]}.isdisjoint(answer.get_json().values())
    assert me(app, answer.get_json()["access_token"]) == 200


def test_spent_refresh_token_after_the_grace_ends_the_family(
    app: Flask, api: Api, ann: Actor
) -> None:
    old = sign_in(api).get_json()
    new = refresh(api, old["refresh_token"]).get_json()
    spend_earlier(app, seconds=11)
    assert slug_of(refresh(api, old["refresh_token"])) == (401, "invalid-refresh-token")
    assert me(app, new["access_token"]) == 401
    assert refresh(api, new["refresh_token"]).status_code == 401


def test_reuse_ends_no_other_sign_in(app: Flask, api: Api, ann: Actor) -> None:
    elsewhere, old = sign_in(api).get_json(), sign_in(api).get_json()
    refresh(api, old["refresh_token"])
    spend_earlier(app, seconds=11)
    refresh(api, old["refresh_token"])
    assert me(app, elsewhere["access_token"]) == 200


def spend_earlier(app: Flask, **by: float) -> None:
    with app.app_context():
        for token in rows(Token):
            if token.spent_at is not None:
                set_values(Token, token.id, spent_at=token.spent_at - timedelta(**by))


@pytest.mark.parametrize("kind", ["access_token", "made up", "expired", ""])
def test_what_is_no_live_refresh_token_is_refused(
    app: Flask, api: Api, ann: Actor, kind: str
) -> None:
    pair = sign_in(api).get_json()
    given = {"access_token": pair["access_token"], "expired": pair["refresh_token"]}
    if kind == "expired":
        pass_time(app, "expires_at", days=30, seconds=1)
    answer = refresh(api, given.get(kind, kind))
    assert slug_of(answer) == (401, "invalid-refresh-token")
    assert answer.headers["WWW-Authenticate"] == REALM


def test_logout_ends_the_whole_family_at_once(app: Flask, api: Api, ann: Actor) -> None:
    first = sign_in(api).get_json()
    second = refresh(api, first["refresh_token"]).get_json()
    assert Api(app, second["access_token"]).post("/auth/logout").status_code == 204
    assert (me(app, first["access_token"]), me(app, second["access_token"])) == (401, 401)
    assert refresh(api, second["refresh_token"]).status_code == 401


def test_logout_ends_no_other_sign_in(app: Flask, api: Api, ann: Actor) -> None:
    first, second = sign_in(api).get_json(), sign_in(api).get_json()
    Api(app, first["access_token"]).post("/auth/logout")
    assert me(app, second["access_token"]) == 200


def test_personal_token_ends_itself_by_logout(app: Flask, ann_api: Api, ann: Actor) -> None:
    personal = Api(app, personal_token(app, ann, "tasks:read"))
    assert personal.post("/auth/logout").status_code == 204
    assert personal.get("/tasks").status_code == 401
    assert ann_api.get("/tasks").status_code == 200


def test_token_has_a_prefix_and_a_checksum(api: Api, ann: Actor) -> None:
    pair = sign_in(api).get_json()
    for token in (pair["access_token"], pair["refresh_token"]):
        assert re.fullmatch(r"fst_[0-9A-Za-z]{49}", token)
        assert secret_tokens.is_wellformed(token)


def test_only_hashes_of_tokens_are_stored(app: Flask, api: Api, ann: Actor) -> None:
    pair = sign_in(api).get_json()
    secrets = [pair["access_token"], pair["refresh_token"]]
    with app.app_context():
        stored = rows(Token)
    digests = {hashlib.sha256(secret.encode()).hexdigest() for secret in secrets}
    assert {row.hash for row in stored} == digests
    assert not any(secret in str(row) for row in stored for secret in secrets)


@pytest.mark.parametrize("header", ["", "Basic YW5uOng=", "Bearer", "Bearer ", "Token fst_x"])
def test_request_without_a_token_is_challenged(api: Api, header: str) -> None:
    answer = api.get("/users/me", headers={"Authorization": header} if header else {})
    assert slug_of(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == REALM


@pytest.mark.parametrize("token", MALFORMED_TOKENS)
def test_token_that_is_none_is_invalid(app: Flask, token: str) -> None:
    answer = Api(app, token).get("/users/me")
    assert slug_of(answer) == (401, "invalid-token")
    assert answer.headers["WWW-Authenticate"] == INVALID


def test_refresh_token_is_no_access_token(app: Flask, api: Api, ann: Actor) -> None:
    assert me(app, sign_in(api).get_json()["refresh_token"]) == 401


def test_access_token_ends_after_an_hour(app: Flask, ann_api: Api) -> None:
    pass_time(app, "expires_at", minutes=59)
    assert ann_api.get("/users/me").status_code == 200
    pass_time(app, "expires_at", minutes=1)
    assert ann_api.get("/users/me").headers["WWW-Authenticate"] == INVALID


def test_scheme_is_read_without_case(api: Api, ann: Actor) -> None:
    token = sign_in(api).get_json()["access_token"]
    assert api.get("/users/me", headers={"Authorization": f"bEARER {token}"}).status_code == 200


def test_cookie_signs_nobody_in_to_the_api(ann_browser: Browser) -> None:
    assert ann_browser.client.get("/settings/profile").status_code == 200
    answer = ann_browser.client.get("/api/v1/users/me")
    assert slug_of(answer) == (401, "unauthorized")
    assert "Set-Cookie" not in answer.headers


def test_token_counts_in_no_query_and_no_form(api: Api, ann: Actor) -> None:
    token = sign_in(api).get_json()["access_token"]
    assert api.get(f"/users/me?access_token={token}").status_code == 401
    assert api.call("POST", "/tasks", data={"access_token": token}).status_code == 401


def test_missing_scope_is_named(app: Flask, ann: Actor) -> None:
    reader = Api(app, personal_token(app, ann, "tasks:read"))
    answer = reader.post("/tasks", {"title": "Water the plums"})
    assert slug_of(answer) == (403, "insufficient-scope")
    challenge = f'{REALM}, error="insufficient_scope", scope="tasks:write"'
    assert answer.headers["WWW-Authenticate"] == challenge


def test_demoted_admin_loses_the_rights_at_once(
    app: Flask, root_api: Api, make_person: MakePerson
) -> None:
    other = make_person("other", "admin")
    other_api = signed_in_api(app, other)
    assert other_api.get("/users").status_code == 200
    root_api.patch(f"/users/{other.id}", {"role": "user"})
    assert slug_of(other_api.get("/users")) == (403, "insufficient-scope")
    assert other_api.get("/users/me").status_code == 200


def test_deactivated_account_is_out_at_once(ann_api: Api, ann: Actor, root_api: Api) -> None:
    root_api.patch(f"/users/{ann.id}", {"is_active": False})
    assert ann_api.get("/users/me").headers["WWW-Authenticate"] == INVALID


def test_deleted_account_is_out_at_once(ann_api: Api, ann: Actor, root_api: Api) -> None:
    assert root_api.delete(f"/users/{ann.id}").status_code == 204
    assert ann_api.get("/users/me").status_code == 401
