"""The rules of accounts: the rights of admins, and the remains of a deleted account."""

from typing import Any

import pytest

from app.errors import Conflict, Forbidden, NotFound
from app.models import Session, Task, Token, User
from app.services.access import token_pairs
from app.services.accounts import accounts, password_reset
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import tasks
from app.services.users import users
from tests.conftest import PASSWORD, MakePerson
from tests.support.page_sessions import start_session
from tests.support.rows import rows

pytestmark = pytest.mark.usefixtures("ctx")
NEW_PASSWORD = "eleven apples in a bowl"


def test_admin_changes_role_and_names(ann: Actor, root: Actor) -> None:
    user = accounts.update(root, ann.id, {"role": "admin", "username": "anna"})
    assert (user.role, user.username) == ("admin", "anna")


def test_admin_who_changes_an_address_voids_links_that_went_to_the_old_one(
    ann: Actor, root: Actor
) -> None:
    secret = password_reset.make_link(root, users.get(root, ann.id))
    accounts.update(root, ann.id, {"email": "new@example.com"})
    assert not password_reset.is_live(secret)


def test_account_that_is_gone_is_not_changed(ann: Actor, root: Actor) -> None:
    accounts.delete(ann, ann.id)
    with pytest.raises(NotFound):
        accounts.update(root, ann.id, {"role": "admin"})
    with pytest.raises(NotFound):
        accounts.delete(root, ann.id)


def test_admin_sets_nobodys_password(ann: Actor, root: Actor) -> None:
    before = users.get(ann, ann.id).password_hash
    accounts.update(root, ann.id, {"password": NEW_PASSWORD, "password_hash": "x"})
    assert users.get(ann, ann.id).password_hash == before


def test_only_an_admin_changes_others_and_lists_them(ann: Actor, bob: Actor) -> None:
    with pytest.raises(Forbidden):
        accounts.update(bob, ann.id, {"role": "admin"})
    with pytest.raises(Forbidden):
        users.page(bob)


def test_deactivating_ends_tokens_and_sessions_at_once(ann: Actor, root: Actor) -> None:
    token_pairs.sign_in(Actor(), "ann", PASSWORD)
    start_session("ann")
    accounts.update(root, ann.id, {"is_active": False})
    assert (rows(Token), rows(Session)) == ([], [])


@pytest.mark.parametrize("changes", [{"role": "user"}, {"is_active": False}])
def test_last_active_admin_is_neither_demoted_nor_deactivated(
    root: Actor, changes: dict[str, Any]
) -> None:
    with pytest.raises(Conflict):
        accounts.update(root, root.id, changes)
    assert (rows(User)[0].role, rows(User)[0].is_active) == ("admin", True)


def test_last_active_admin_is_not_deleted(root: Actor, make_person: MakePerson) -> None:
    sleeper = make_person("sleeper", "admin")
    accounts.update(root, sleeper.id, {"is_active": False})
    with pytest.raises(Conflict):
        accounts.delete(root, root.id)


def test_last_active_admin_is_not_deleted_though_it_was_none_a_moment_ago(
    root: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_was = users.get(root, root.id)._replace(role="user")  # type: ignore[attr-defined]
    now_: list[User] = [as_it_was, users.get(root, root.id)]
    monkeypatch.setattr(users._by_id, "one", lambda **_: now_.pop(0))
    with pytest.raises(Conflict):
        accounts.delete(root, root.id)
    assert len(rows(User)) == 1


def test_admin_goes_where_another_one_stays(root: Actor, make_person: MakePerson) -> None:
    other = make_person("other", "admin")
    accounts.update(root, root.id, {"role": "user"})
    assert users.get(other, root.id).role == "user"


def test_stranger_deletes_no_account(ann: Actor, bob: Actor) -> None:
    with pytest.raises(NotFound):
        accounts.delete(bob, ann.id)
    assert len(rows(User)) == 2


def test_deleting_an_account_takes_its_tasks_and_leaves_assigned_ones(
    ann: Actor, bob: Actor
) -> None:
    tasks.create(ann, {"title": "of Ann"})
    given = tasks.create(bob, {"title": "of Bob", "assignee_id": ann.id})
    accounts.delete(ann, ann.id)
    (left,) = rows(Task)
    assert (left.id, left.assignee_id, left.version) == (given.id, None, 2)


def test_list_finds_parts_of_names_and_addresses(
    root: Actor, ann: Actor, make_person: MakePerson
) -> None:
    make_person("per_cent")
    found = [user.username for user in users.page(root, q="R_C").items]
    assert found == ["per_cent"]
    assert [user.username for user in users.page(root, q="ANN@").items] == ["ann"]


def test_list_filters_and_counts(root: Actor, ann: Actor, bob: Actor) -> None:
    accounts.update(root, bob.id, {"is_active": False})
    page = users.page(root, PageRequest(count=True), role="user", is_active=True)
    assert [user.username for user in page.items] == ["ann"]
    assert page.total == 1


def test_list_pages_through_everyone_once(root: Actor, make_person: MakePerson) -> None:
    people = [make_person(f"person{index}").username for index in range(5)]
    seen, after = [], None
    while True:
        page = users.page(root, PageRequest(2, after))
        seen += [user.username for user in page.items]
        if (after := page.last) is None:
            break
    assert seen == [*reversed(people), "root"]
