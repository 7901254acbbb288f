"""Other users' accounts by the API: the rights of strangers and of admins."""

from typing import Any

import pytest
from flask import Flask

from app.models import User
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakePerson, email_of
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import rows, set_values


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_only_an_admin_changes_another(app: Flask, ann_api: Api, bob: Actor, method: str) -> None:
    answer = ann_api.call(method, f"/users/{bob.id}", json={"username": "robert"})
    assert slug_of(answer) == (403, "insufficient-scope")
    with app.app_context():
        assert rows(User, id=bob.id)[0].username == "bob"


def test_only_an_admin_lists_accounts(ann_api: Api) -> None:
    assert slug_of(ann_api.get("/users")) == (403, "insufficient-scope")


def names(root_api: Api, query: str = "") -> list[str]:
    return [user["username"] for user in root_api.get(f"/users?{query}").get_json()["items"]]


def test_admin_lists_accounts_the_newest_first(root_api: Api, ann: Actor, bob: Actor) -> None:
    assert names(root_api) == ["bob", "ann", "root"]


def test_list_of_accounts_is_filtered(app: Flask, root_api: Api, ann: Actor, bob: Actor) -> None:
    with app.app_context():
        set_values(User, bob.id, is_active=False)
    assert names(root_api, "role=user") == ["bob", "ann"]
    assert names(root_api, "is_active=false") == ["bob"]
    assert names(root_api, "q=ANN%40ex&role=user&is_active=true") == ["ann"]


@pytest.mark.parametrize("q", ["%25", "_", "%5C"])
def test_wildcards_in_a_search_mean_themselves(root_api: Api, ann: Actor, q: str) -> None:
    assert names(root_api, f"q={q}") == []


def test_list_of_accounts_is_paged_and_counted(root_api: Api, make_person: MakePerson) -> None:
    people = [make_person(f"person{number}").username for number in range(4)]
    seen, query = [], "limit=2&count=true"
    while query:
        page = root_api.get(f"/users?{query}").get_json()
        assert page["total"] == 5
        seen += [user["username"] for user in page["items"]]
        query = page["next_cursor"] and f"limit=2&count=true&cursor={page['next_cursor']}"
    assert seen == [*reversed(people), "root"]


def test_admin_changes_an_account(root_api: Api, ann: Actor) -> None:
    change = {"username": "anna", "email": email_of("anna"), "role": "admin", "is_active": False}
    answer = root_api.patch(f"/users/{ann.id}", change)
    assert answer.get_json().items() >= change.items()


def test_username_that_is_anothers_id_draws_nothing_to_itself(
    app: Flask, api: Api, ann: Actor
) -> None:
    squatter = {"username": ann.id, "email": "x@example.com", "password": "seven plums in a bag"}
    assert api.post("/users", squatter).status_code == 201
    app.test_cli_runner().invoke(args=["users", "promote", ann.id])
    with app.app_context():
        assert [user.username for user in rows(User, role="admin")] == ["ann"]


def test_admin_sets_nobodys_password(root_api: Api, ann: Actor) -> None:
    answer = root_api.patch(f"/users/{ann.id}", {"password": "eleven apples in a bowl"})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/password"])


@pytest.mark.parametrize("change", [{"role": "user"}, {"is_active": False}, None])
def test_last_active_admin_stays(
    app: Flask, root_api: Api, root: Actor, change: dict[str, Any] | None
) -> None:
    method = "PATCH" if change else "DELETE"
    answer = root_api.call(method, f"/users/{root.id}", json=change)
    assert slug_of(answer) == (409, "conflict")
    with app.app_context():
        assert (rows(User)[0].role, rows(User)[0].is_active) == ("admin", True)


def test_last_admin_does_not_delete_their_own_account(root_api: Api) -> None:
    assert slug_of(root_api.delete("/users/me")) == (409, "conflict")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_stale_account_is_not_changed(root_api: Api, ann: Actor, method: str) -> None:
    root_api.patch(f"/users/{ann.id}", {"username": "anna"})
    stale = {"If-Match": '"1"'}
    answer = root_api.call(method, f"/users/{ann.id}", json={"role": "admin"}, headers=stale)
    assert slug_of(answer) == (412, "precondition-failed")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_account_that_is_not_there_is_not_found(root_api: Api, method: str) -> None:
    assert slug_of(root_api.call(method, f"/users/{MISSING}", json={})) == (404, "not-found")


@pytest.mark.parametrize("change", [{"username": "x"}, {"username": "x*x"}, {"email": "x"}])
def test_value_that_does_not_do_is_told_before_what_is_stale(
    root_api: Api, ann: Actor, change: dict[str, str]
) -> None:
    stale = {"If-Match": '"77"'}
    for path, proof in ((f"/users/{ann.id}", {}), ("/users/me", {"current_password": PASSWORD})):
        answer = root_api.patch(path, {**change, **proof}, headers=stale)
        assert (slug_of(answer)[0], blamed(answer)) == (422, [f"/{next(iter(change))}"])


def test_invitation_of_nobody_is_not_found_with_mail_or_without(root_api: Api) -> None:
    assert slug_of(root_api.post(f"/users/{MISSING}/invitation")) == (404, "not-found")
