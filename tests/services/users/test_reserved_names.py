"""Reserved usernames: refused for users, allowed for admins."""

import pytest
from flask import Flask

from app.models import User
from app.services.accounts import invitations
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import reserved_names
from tests.conftest import PASSWORD, MakePerson, signed_in_api
from tests.support.answers import blamed
from tests.support.clients import Api, Browser
from tests.support.openid_provider import Provider, go
from tests.support.rows import rows

LOOK_ALIKES = (
    *("ROOT", "r00t", "r.o.o.t", "root_", "Support", "supp0rt", "post-master", "vvebmaster"),
    *("ADMIN", "adm1n", "adrnin", "admin.of.all", "Administrator", "-admin", "secur1ty"),
)


def code_of(api: Api, method: str, path: str, username: str) -> str:
    values = {"email": "new@example.com", "password": PASSWORD} if method == "POST" else {}
    answer = api.call(method, path, json={"username": username, **values})
    assert (answer.status_code, blamed(answer)) == (422, ["/username"])
    code: str = answer.get_json()["errors"][0]["code"]
    return code


@pytest.mark.parametrize("username", [*reserved_names.NAMES, *reserved_names.PREFIXES])
def test_reserved_name_is_refused_at_sign_up(api: Api, username: str) -> None:
    assert code_of(api, "POST", "/users", username) == "reserved"


@pytest.mark.parametrize("username", [*LOOK_ALIKES, "\uff52\uff4f\uff4f\uff54", "\uff21dmin"])
def test_name_that_looks_like_a_reserved_one_is_refused(ann_api: Api, username: str) -> None:
    assert code_of(ann_api, "POST", "/users", username) == "reserved"
    assert code_of(ann_api, "PATCH", "/users/me", username) == "reserved"


@pytest.mark.parametrize("username", ["rooted", "supporter", "badminton", "new-5", "ann.root"])
def test_name_that_holds_a_reserved_one_is_free(ann_api: Api, username: str) -> None:
    assert ann_api.patch("/users/me", {"username": username}).status_code == 200


def test_pages_refuse_a_reserved_name_beside_the_field(
    browser: Browser, ann_browser: Browser
) -> None:
    typed = {"username": "Support", "email": "new@example.com", "password": PASSWORD}
    answer = browser.post("/auth/register", {**typed, "repeat": PASSWORD}, form="/auth/register")
    assert (answer.status_code, "This username is reserved" in answer.text) == (422, True)
    profile = {"username": "Support", "email": "ann@example.com"}
    answer = ann_browser.post("/settings/profile", profile, form="/settings/profile")
    assert (answer.status_code, "This username is reserved" in answer.text) == (422, True)


def test_admin_may_use_and_give_a_reserved_name(root_api: Api, ann: Actor) -> None:
    assert root_api.patch("/users/me", {"username": "Admin"}).status_code == 200
    assert root_api.patch(f"/users/{ann.id}", {"username": "support"}).status_code == 200


def test_command_may_give_a_reserved_name(app: Flask) -> None:
    runner = app.test_cli_runner()
    create = ["users", "create", "p@example.com", "postmaster", "--password-stdin"]
    assert runner.invoke(args=create, input=f"{PASSWORD}\n").exit_code == 0
    with app.app_context():
        invitations.hand_over(SYSTEM, "s@example.com", "security")


def test_owner_of_a_reserved_name_may_keep_it(app: Flask, make_person: MakePerson) -> None:
    api = signed_in_api(app, make_person("support"))
    assert api.patch("/users/me", {"username": "support"}).status_code == 200
    assert api.patch("/users/me", {"username": "helpdesk"}).status_code == 422


@pytest.mark.parametrize("wish", ["root", "Administrator", "supp0rt"])
def test_newcomer_with_a_reserved_name_elsewhere_gets_another(
    app: Flask, browser: Browser, provider: Provider, wish: str
) -> None:
    provider.person["preferred_username"] = wish
    assert go(browser).status_code == 303
    with app.app_context():
        assert rows(User)[0].username.startswith("user-")
