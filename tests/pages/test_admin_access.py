"""An admin lists and ends any user's sessions and tokens (ASVS 5.0, 7.4.5)."""

import pytest
from flask import Flask

from app.errors import Forbidden
from app.models import Session, Token
from app.services.access import active_sessions, personal_tokens
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.users import users
from tests.support.admin_lists import flashed, headed
from tests.support.answers import MISSING
from tests.support.clients import Api, Browser
from tests.support.rows import events, rows


def make_token(
    app: Flask, owner: Actor, *scopes: str, name: str = "of a program"
) -> tuple[str, str]:
    """Create a personal token, and return its id and its secret."""
    with app.app_context():
        user = users.get(owner, owner.id)
        token, secret = personal_tokens.create(owner, user, name, scopes or ["tasks:read"])
    return token.id, secret


def path_of(user: Actor, act: str = "") -> str:
    return f"/admin/users/{user.id}{act}"


def test_nobody_ends_what_is_anothers(app: Flask, ann: Actor, bob: Actor) -> None:
    token_id, _ = make_token(app, ann)
    with app.app_context():
        for act in (
            lambda: active_sessions.in_browsers(bob, PageRequest(10), owner_id=ann.id),
            lambda: active_sessions.by_api(bob, PageRequest(10), owner_id=ann.id),
            lambda: active_sessions.end_session(bob, MISSING, owner_id=ann.id),
            lambda: active_sessions.end_family(bob, MISSING, owner_id=ann.id),
            lambda: active_sessions.end_others(bob, owner_id=ann.id),
            lambda: personal_tokens.page(bob, PageRequest(10), owner_id=ann.id),
            lambda: personal_tokens.page_of_all(bob, PageRequest(10)),
            lambda: personal_tokens.revoke(bob, token_id, owner_id=ann.id),
        ):
            with pytest.raises(Forbidden):
                act()


def test_page_of_a_user_shows_where_and_with_what(
    app: Flask, ann: Actor, ann_browser: Browser, ann_api: Api, root_browser: Browser
) -> None:
    make_token(app, ann, name="<b>nightly</b>")
    page = root_browser.get(path_of(ann)).text
    assert "Unknown device" in page or "Werkzeug" in page
    assert "API <code" in page
    assert "&lt;b&gt;nightly" in page


def test_browser_is_logged_out_at_once(
    app: Flask, ann: Actor, ann_browser: Browser, root: Actor, root_browser: Browser
) -> None:
    with app.app_context():
        (session,) = rows(Session, user_id=ann.id)
    answer = root_browser.post(path_of(ann, f"/sessions/{session.id}/end"), form=path_of(ann))
    assert (answer.status_code, answer.location) == (303, path_of(ann))
    assert ann_browser.get("/tasks").status_code == 302
    with app.app_context():
        (event,) = events("session.ended")
    assert (event.actor_id, event.target_id) == (root.id, ann.id)


def test_program_is_logged_out_at_once(
    app: Flask, ann: Actor, ann_api: Api, root_browser: Browser
) -> None:
    with app.app_context():
        family = rows(Token, user_id=ann.id, kind="refresh")[0].family_id
    root_browser.post(path_of(ann, f"/programs/{family}/end"), form=path_of(ann))
    assert ann_api.get("/tasks").status_code == 401


def test_all_sessions_of_one_person_end_and_no_other(
    app: Flask,
    ann: Actor,
    ann_browser: Browser,
    ann_api: Api,
    bob_browser: Browser,
    root_browser: Browser,
) -> None:
    _, secret = make_token(app, ann)
    answer = root_browser.post(path_of(ann, "/sessions/end"), form=path_of(ann))
    assert flashed(root_browser.get(answer.location).text, "ann is signed out everywhere")
    assert ann_browser.get("/tasks").status_code == 302
    assert ann_api.get("/tasks").status_code == 401
    assert Api(app, secret).get("/tasks").status_code == 200  # revoked one by one
    assert bob_browser.get("/tasks").status_code == 200
    with app.app_context():
        assert events("session.others_ended")[0].target_id == ann.id


def test_token_is_revoked_at_once_and_audited(
    app: Flask, ann: Actor, root: Actor, root_browser: Browser
) -> None:
    token_id, secret = make_token(app, ann)
    path = path_of(ann, f"/tokens/{token_id}/revoke")
    answer = root_browser.post(path, {"next": "/admin/tokens"}, form="/admin/tokens")
    assert (answer.status_code, answer.location) == (303, "/admin/tokens")
    assert Api(app, secret).get("/tasks").status_code == 401
    with app.app_context():
        (event,) = events("token.revoked")
    assert (event.actor_id, event.target_id) == (root.id, token_id)
    assert event.changes["user_id"] == [ann.id, None]


@pytest.mark.parametrize("act", ["sessions/{}/end", "programs/{}/end", "tokens/{}/revoke"])
def test_what_is_not_there_is_not_found(ann: Actor, root_browser: Browser, act: str) -> None:
    answer = root_browser.post(path_of(ann, f"/{act.format(MISSING)}"), form=path_of(ann))
    assert answer.status_code == 404


def test_nothing_is_ended_for_a_missing_user(app: Flask, root_browser: Browser) -> None:
    answer = root_browser.post(f"/admin/users/{MISSING}/sessions/end", form="/admin/users")
    assert answer.status_code == 404
    with app.app_context():
        assert events("session.others_ended") == []


def test_token_of_another_than_the_path_names_is_not_found(
    app: Flask, ann: Actor, bob: Actor, root_browser: Browser
) -> None:
    token_id, secret = make_token(app, ann)
    path = path_of(bob, f"/tokens/{token_id}/revoke")
    assert root_browser.post(path, form="/admin/tokens").status_code == 404
    assert Api(app, secret).get("/tasks").status_code == 200


def test_list_of_all_tokens_is_filtered_and_shows_no_secret(
    app: Flask, ann: Actor, root: Actor, root_browser: Browser
) -> None:
    _, secret = make_token(app, ann, "tasks:read", "tasks:write", name="hers")
    make_token(app, root, "admin", name="of root")

    def names(query: str) -> list[str]:
        page = root_browser.get(f"/admin/tokens?{query}").text
        assert secret not in page
        return [name.rpartition(" ")[0] for name in headed(page)]

    assert names("") == ["of root", "hers"]
    assert names("user=ann") == ["hers"]
    assert names("scope=admin") == ["of root"]
    assert names("scope=tasks:write&user=root") == []
