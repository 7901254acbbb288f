"""The admin pages of users: the search for users, and the effects of the buttons."""

import re
from typing import Any

import pytest
from flask import Flask

from app.models import Task, User
from app.services.accounts import accounts, password_reset
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import MakePerson
from tests.support.admin_lists import flashed, headed, make
from tests.support.answers import MISSING
from tests.support.clients import Browser
from tests.support.rows import actions, events, rows


def path_of(user: Actor, act: str = "") -> str:
    return f"/admin/users/{user.id}{act}"


def user_of(app: Flask, actor: Actor) -> User:
    with app.app_context():
        return users.get(SYSTEM, actor.id)


@pytest.mark.parametrize("act", ["", "/delete"])
def test_missing_user_is_not_found(root_browser: Browser, act: str) -> None:
    assert root_browser.get(f"/admin/users/{MISSING}{act}").status_code == 404


@pytest.mark.parametrize("act", ["demote", "deactivate", "delete", "reset-link"])
def test_nothing_is_done_to_a_missing_user(root_browser: Browser, act: str) -> None:
    answer = root_browser.post(f"/admin/users/{MISSING}/{act}", form="/admin/users")
    assert answer.status_code == 404


def test_users_are_found_by_part_of_a_name(
    root_browser: Browser, ann: Actor, make_person: MakePerson
) -> None:
    make_person("anna.b")
    assert headed(root_browser.get("/admin/users?q=ANN").text) == ["anna.b", "ann"]
    assert headed(root_browser.get("/admin/users?q=a_n").text) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("role=admin", ["root"]),
        ("is_active=false", ["ann"]),
        ("is_active=true&role=user", ["bob"]),
        ("role=evil", []),
    ],
)
def test_users_are_filtered(
    app: Flask, ann: Actor, bob: Actor, root_browser: Browser, query: str, found: list[str]
) -> None:
    with app.app_context():
        accounts.update(SYSTEM, ann.id, {"is_active": False})
    assert sorted(headed(root_browser.get(f"/admin/users?{query}").text)) == sorted(found)


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        ("deactivate", {}, {"is_active": False}),
        ("activate", {"is_active": False}, {"is_active": True}),
        ("promote", {}, {"role": "admin"}),
        ("demote", {"role": "admin"}, {"role": "user"}),
    ],
)
def test_rights_are_changed_and_audited(
    app: Flask,
    ann: Actor,
    root: Actor,
    root_browser: Browser,
    act: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    with app.app_context():
        accounts.update(SYSTEM, ann.id, before)
    answer = root_browser.post(path_of(ann, f"/{act}"), form=path_of(ann))
    assert (answer.status_code, answer.location) == (303, path_of(ann))
    assert flashed(root_browser.get(answer.location).text, "ann is")
    ((name, value),) = after.items()
    assert getattr(user_of(app, ann), name) == value
    with app.app_context():
        event = events("user.updated")[-1]
    assert (event.actor_id, event.target_id, list(event.changes)) == (root.id, ann.id, [name])


def test_deactivating_ends_what_is_signed_in(
    ann: Actor, ann_browser: Browser, root_browser: Browser
) -> None:
    assert ann_browser.get("/tasks").status_code == 200
    root_browser.post(path_of(ann, "/deactivate"), form=path_of(ann))
    assert ann_browser.get("/tasks").status_code == 302


@pytest.mark.parametrize("act", ["demote", "deactivate", "delete"])
def test_last_admin_stays_and_is_told(
    app: Flask, root: Actor, root_browser: Browser, act: str
) -> None:
    answer = root_browser.post(path_of(root, f"/{act}"), form=path_of(root))
    assert flashed(root_browser.get(answer.location).text, "last active admin")
    assert (user_of(app, root).role, user_of(app, root).is_active) == ("admin", True)


def test_deleting_is_confirmed_first(app: Flask, ann: Actor, root_browser: Browser) -> None:
    make(app, ann, "Hers")
    page = root_browser.get(path_of(ann, "/delete")).text
    assert "Delete ann?" in page
    assert "its 1 tasks" in " ".join(page.split())
    assert user_of(app, ann).username == "ann"


def test_deleting_takes_the_account_and_its_tasks(
    app: Flask, ann: Actor, root_browser: Browser
) -> None:
    make(app, ann, "Hers")
    path = path_of(ann, "/delete")
    answer = root_browser.post(path, form=path)
    assert flashed(root_browser.get(answer.location).text, "ann is deleted")
    with app.app_context():
        assert (rows(User, username="ann"), rows(Task)) == ([], [])
        assert actions()[-1] == "user.deleted"


def test_reset_link_is_shown_once_and_works(app: Flask, ann: Actor, root_browser: Browser) -> None:
    answer = root_browser.post(path_of(ann, "/reset-link"), form=path_of(ann))
    found = re.search(re.escape(app.config["PUBLIC_URL"]) + r"/auth/reset/(\w+)", answer.text)
    assert found is not None
    assert answer.headers["Cache-Control"] == "no-store"
    assert found[1] not in root_browser.get(path_of(ann)).text
    with app.app_context():
        assert password_reset.is_live(found[1])


def test_admin_never_types_a_password_for_somebody(ann: Actor, root_browser: Browser) -> None:
    for path in (path_of(ann), "/admin/users", path_of(ann, "/delete")):
        page = root_browser.get(path).text
        assert 'type="password"' not in page
        assert "$argon2" not in page


@pytest.mark.parametrize("act", ["promote", "delete", "reset-link"])
def test_forged_form_does_nothing(app: Flask, ann: Actor, root_browser: Browser, act: str) -> None:
    root_browser.csrf_token = "forged"
    assert root_browser.post(path_of(ann, f"/{act}")).status_code == 400
    assert user_of(app, ann).role == "user"


def test_page_of_a_user_tells_what_was_done_by_and_to_it(
    app: Flask, ann: Actor, root_browser: Browser
) -> None:
    make(app, ann, "Hers")
    root_browser.post(path_of(ann, "/promote"), form=path_of(ann))
    page = root_browser.get(path_of(ann)).text
    assert "task.created" in page
    assert re.search(r"user\.updated.*by\s*<a[^>]*>root</a>.*Role:", page, re.DOTALL)
