"""The settings beyond name and password: tokens, sessions, the account export."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from app.models import Session, Task, Token, User
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, signed_in_api, signed_in_browser
from tests.pages.test_tasks_pages import make
from tests.support.answers import MISSING
from tests.support.clients import Api, Browser
from tests.support.rows import actions, age, events, rows

TOKEN = {"name": "Backup", "scopes": ["tasks:read"]}
SECRET = re.compile(r"fst_[0-9A-Za-z]{49}")
DELETE = {"username": "Ann", "current_password": PASSWORD}


def secret_in(page: str) -> str:
    found = SECRET.search(page)
    assert found, page
    return found[0]


def named(app: Flask, kind: type[Session | Token | User | Task]) -> int:
    with app.app_context():
        return len(rows(kind))


def personal(app: Flask) -> list[tuple[str, str, bool]]:
    """Return name and scopes of each personal token, and True if it expires."""
    with app.app_context():
        found = rows(Token, kind="personal")
    return [(row.name, row.scopes, row.expires_at is not None) for row in found]


def test_a_token_is_shown_once_and_works(app: Flask, ann_browser: Browser) -> None:
    answer = ann_browser.post("/settings/tokens", TOKEN, form="/settings/tokens")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    secret = secret_in(answer.text)
    assert Api(app, secret).get("/tasks").status_code == 200
    assert Api(app, secret).get("/users/me").status_code == 403
    page = ann_browser.get("/settings/tokens").text
    assert "Backup" in page
    assert not SECRET.search(page)
    assert secret not in str(answer.headers)


@pytest.mark.parametrize(
    ("days", "ends"), [({}, True), ({"days": "7"}, True), ({"days": ""}, True)]
)
def test_a_token_ends_whatever_days_are_named(
    app: Flask, ann_browser: Browser, days: dict[str, str], ends: bool
) -> None:
    ann_browser.post("/settings/tokens", {**TOKEN, **days}, form="/settings/tokens")
    assert personal(app) == [("Backup", "tasks:read", ends)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", "x" * 101),
        ("name", "a\0b"),
        ("scopes", []),
        ("scopes", ["evil"]),
        ("scopes", ["tasks:read", "admin"]),
        ("days", "0"),
        ("days", "-1"),
        ("days", "9" * 5000),
        ("days", "soon"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    app: Flask, ann_browser: Browser, field: str, value: object
) -> None:
    answer = ann_browser.post("/settings/tokens", {**TOKEN, field: value}, form="/settings/tokens")
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert personal(app) == []


@pytest.mark.parametrize("scopes", [["tasks:read"], ["tasks:read", "admin"]])
def test_an_admin_s_token_is_an_admin_s_only_where_that_was_ticked(
    app: Flask, root_browser: Browser, scopes: list[str]
) -> None:
    page = root_browser.get("/settings/tokens").text
    assert not re.search(r"<input[^>]*checked[^>]*scopes|scopes[^>]*checked", page)
    answer = root_browser.post("/settings/tokens", {**TOKEN, "scopes": scopes})
    status = Api(app, secret_in(answer.text)).get("/users").status_code
    assert status == (200 if "admin" in scopes else 403)


def test_only_an_admin_is_offered_the_scope(ann_browser: Browser, root_browser: Browser) -> None:
    assert 'value="admin"' not in ann_browser.get("/settings/tokens").text
    assert 'value="admin"' in root_browser.get("/settings/tokens").text


def test_a_revoked_token_is_dead(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    secret = secret_in(ann_browser.post("/settings/tokens", TOKEN, form="/settings/tokens").text)
    found = re.search(
        r"/settings/tokens/[0-9a-f-]+/revoke", ann_browser.get("/settings/tokens").text
    )
    assert found
    assert signed_in_browser(app, ann).post(found[0]).location == "/settings/tokens"
    assert Api(app, secret).get("/tasks").status_code == 401


def test_a_stranger_revokes_nothing(app: Flask, ann_browser: Browser, bob_browser: Browser) -> None:
    ann_browser.post("/settings/tokens", TOKEN, form="/settings/tokens")
    with app.app_context():
        (token,) = rows(Token, kind="personal")
    for token_id in (token.id, MISSING):
        assert bob_browser.post(f"/settings/tokens/{token_id}/revoke").status_code == 404
    assert len(personal(app)) == 1


def test_an_ended_token_is_told_so(app: Flask, ann_browser: Browser) -> None:
    ann_browser.post("/settings/tokens", TOKEN, form="/settings/tokens")
    with app.app_context():
        age(Token, "expires_at", timedelta(days=91))
    assert "Expired" in ann_browser.get("/settings/tokens").text


def test_the_sessions_are_listed_with_this_one_marked(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser
) -> None:
    other = Browser(app)
    other.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux) Gecko Firefox/130.0"
    other.sign_in("ann", PASSWORD)
    signed_in_browser(app, bob)
    signed_in_api(app, ann)
    page = ann_browser.get("/settings/sessions").text
    assert page.count("This session") == 1
    assert "Firefox on Linux" in page
    assert len(re.findall(r"/sessions/[0-9a-f-]{36}/end", page)) == 1
    assert len(re.findall(r"/sessions/api/[0-9a-f-]{36}/end", page)) == 1


def test_a_session_that_nobody_used_is_not_listed(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    with app.app_context():
        age(Session, "last_seen_at", timedelta(hours=13))
    fresh = signed_in_browser(app, ann)
    assert fresh.get("/settings/sessions").text.count('data-label="Device"') == 1


def test_one_session_is_ended_and_the_other_stays(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    other = signed_in_browser(app, ann)
    found = re.search(
        r"/settings/sessions/[0-9a-f-]+/end", ann_browser.get("/settings/sessions").text
    )
    assert found
    assert ann_browser.post(found[0]).location == "/settings/sessions"
    assert other.get("/tasks").status_code == 302
    assert ann_browser.get("/tasks").status_code == 200
    with app.app_context():
        assert len(events("session.ended")) == 1


def test_a_sign_in_by_the_api_is_ended_with_its_tokens(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    api, other = signed_in_api(app, ann), signed_in_api(app, ann)
    page = ann_browser.get("/settings/sessions").text
    last, first = re.findall(r"/settings/sessions/api/[0-9a-f-]+/end", page)
    ann_browser.post(first)
    assert api.get("/tasks").status_code == 401
    assert other.get("/tasks").status_code == 200
    assert ann_browser.post(first).status_code == 404
    assert ann_browser.post(last).status_code == 303


def test_all_others_end_at_once_and_personal_tokens_stay(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser
) -> None:
    secret = secret_in(ann_browser.post("/settings/tokens", TOKEN, form="/settings/tokens").text)
    other, api, bobs = signed_in_browser(app, ann), signed_in_api(app, ann), signed_in_api(app, bob)
    ann_browser.post("/settings/sessions/end-others", form="/settings/sessions")
    assert ann_browser.get("/tasks").status_code == 200
    assert other.get("/tasks").status_code == 302
    assert api.get("/tasks").status_code == 401
    assert bobs.get("/tasks").status_code == 200
    assert Api(app, secret).get("/tasks").status_code == 200
    with app.app_context():
        assert [event.actor_id for event in events("session.others_ended")] == [ann.id]


@pytest.mark.parametrize("kind", ["", "api/"])
def test_a_stranger_ends_no_session(
    app: Flask, ann: Actor, ann_browser: Browser, bob_browser: Browser, kind: str
) -> None:
    signed_in_api(app, ann)
    with app.app_context():
        (session,), (token, _) = rows(Session, user_id=ann.id), rows(Token, user_id=ann.id)
    for row_id in (session.id, token.family_id, MISSING):
        assert bob_browser.post(f"/settings/sessions/{kind}{row_id}/end").status_code == 404
    assert ann_browser.get("/tasks").status_code == 200


def test_a_personal_token_is_no_sign_in(app: Flask, ann_browser: Browser) -> None:
    ann_browser.post("/settings/tokens", TOKEN, form="/settings/tokens")
    with app.app_context():
        (token,) = rows(Token, kind="personal")
    assert "/settings/sessions/api/" not in ann_browser.get("/settings/sessions").text
    assert ann_browser.post(f"/settings/sessions/api/{token.family_id}/end").status_code == 404


def test_all_that_is_held_is_downloaded(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser
) -> None:
    make(app, ann, "Buy milk")
    make(app, bob, "Bob's")
    answer = ann_browser.post("/settings/data/export", form="/settings/data")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    held = answer.get_json()
    assert held["user"]["email"] == "ann@example.com"
    assert [task["title"] for task in held["tasks"]] == ["Buy milk"]
    assert "hash" not in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "bob"),
        ("username", "ann\0"),
        ("current_password", ""),
        ("current_password", "wrong"),
    ],
)
def test_an_account_is_deleted_by_name_and_password_alone(
    app: Flask, ann_browser: Browser, field: str, value: str
) -> None:
    fields = {**DELETE, field: value}
    answer = ann_browser.post("/settings/data/delete", fields, form="/settings/data")
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert PASSWORD not in answer.text
    assert named(app, User) == 1


def test_a_deleted_account_is_signed_out_everywhere(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    make(app, ann)
    other, api = signed_in_browser(app, ann), signed_in_api(app, ann)
    answer = ann_browser.post("/settings/data/delete", DELETE, form="/settings/data")
    assert (answer.status_code, answer.location) == (303, "/")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "Your account is deleted." in ann_browser.get("/").text
    assert [named(app, kind) for kind in (User, Task, Session, Token)] == [0, 0, 0, 0]
    assert other.get("/tasks").status_code == 302
    assert api.get("/tasks").status_code == 401
    with app.app_context():
        assert actions()[-1] == "user.deleted"


def test_guessing_the_password_to_delete_is_throttled(ann_browser: Browser) -> None:
    wrong = {**DELETE, "current_password": "wrong"}
    ann_browser.get("/settings/data")
    answers = [ann_browser.post("/settings/data/delete", wrong).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_the_last_admin_stays(app: Flask, root_browser: Browser) -> None:
    fields = {**DELETE, "username": "root"}
    answer = root_browser.post("/settings/data/delete", fields, form="/settings/data")
    assert answer.status_code == 422
    assert "The last active admin cannot be demoted, deactivated or deleted." in answer.text
    assert root_browser.get("/tasks").status_code == 200


@pytest.mark.parametrize("name", ["Profile", "Password", "Sessions", "Tokens", "Data"])
def test_the_settings_say_which_page_is_the_current_one(ann_browser: Browser, name: str) -> None:
    page = ann_browser.get(f"/settings/{name.lower()}").text
    tabs = page.partition('aria-label="Settings"')[2].partition("</nav>")[0]
    assert re.findall(r'aria-current="page">(\w+)<', tabs) == [name]
