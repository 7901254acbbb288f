"""Forms of an ended session: rendered again, or stored for their author."""

from datetime import timedelta

import pytest
from flask import Flask
from wtforms import PasswordField

from app.models import Comment, Session, Task, UnsentForm
from app.models.types import now
from app.models.unsent_form import LIFE, PER_USER_MAX, SIZE_MAX
from app.pages.forms import Form
from app.services.access import active_sessions
from app.services.accounts import unsent_forms
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.conftest import PASSWORD
from tests.support.clients import Browser
from tests.support.mailbox import Mailbox
from tests.support.rows import age, rows

on_one_database = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TEXT = "First line & <b>second</b>\r\nthird line"


@pytest.fixture
def task(app: Flask, ann: Actor) -> str:
    with app.app_context():
        return tasks.create(ann, {"title": "Water the plums"}).id


def end_sessions(app: Flask, actor: Actor) -> None:
    """End the sessions as from another device: the cookie of the browser stays."""
    with app.app_context():
        active_sessions.end_others(actor)


def comment(browser: Browser, task: str, text: str = TEXT) -> str:
    """Send a comment from the page of the task, and return the target of the redirect."""
    page = f"/tasks/{task}"
    sent = browser.post(f"{page}/comments", {"body": text}, headers={"Referer": page})
    return sent.location


def sign_in_at(browser: Browser, address: str, who: str) -> str:
    """Sign in on the page at `address`, and return the target of the redirect."""
    fields = {"identifier": who, "password": PASSWORD}
    location: str = browser.post(address, fields, form=address).location
    browser.csrf_token = ""
    return location


def test_text_of_an_ended_session_comes_back_and_is_sent_by_a_click(
    app: Flask, ann: Actor, ann_browser: Browser, task: str
) -> None:
    ann_browser.get(f"/tasks/{task}")
    end_sessions(app, ann)
    to_login = comment(ann_browser, task)
    page = sign_in_at(ann_browser, to_login, "ann")
    shown = ann_browser.get(page)
    assert "First line &amp; &lt;b&gt;second&lt;/b&gt;" in shown.text
    with app.app_context():
        assert rows(Comment) == []
    (kept,) = _kept(app)
    fields = {"unsent_form": kept.id, **dict(kept.content["fields"])}
    assert ann_browser.post(kept.path, fields).status_code == 303
    with app.app_context():
        assert [row.body for row in rows(Comment)] == [TEXT.replace("\r\n", "\n")]
        assert rows(UnsentForm) == []


@on_one_database
def test_text_never_stands_in_an_address(
    app: Flask, ann: Actor, ann_browser: Browser, task: str
) -> None:
    ann_browser.get(f"/tasks/{task}")
    end_sessions(app, ann)
    assert "line" not in comment(ann_browser, task)


@on_one_database
def test_another_person_neither_sees_nor_sends_the_text(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser, task: str
) -> None:
    ann_browser.get(f"/tasks/{task}")
    end_sessions(app, ann)
    page = sign_in_at(ann_browser, comment(ann_browser, task), "bob")
    shown = ann_browser.get(page)
    assert (shown.status_code, "First line" in shown.text) == (404, False)
    ann_browser.post(f"{page}/discard", form="/")
    with app.app_context():
        assert len(rows(UnsentForm)) == 1


@on_one_database
def test_text_typed_by_one_account_is_refused_under_another(
    app: Flask, bob: Actor, ann_browser: Browser, task: str
) -> None:
    ann_browser.get(f"/tasks/{task}")
    token = ann_browser.csrf_token
    ann_browser.post("/auth/logout")
    ann_browser.sign_in("bob", PASSWORD)
    ann_browser.csrf_token = token
    assert ann_browser.post(f"/tasks/{task}/comments", {"body": TEXT}).status_code == 400
    with app.app_context():
        assert (rows(Comment), rows(UnsentForm)) == ([], [])


@on_one_database
@pytest.mark.parametrize("signed_in", [True, False])
def test_text_of_a_page_from_before_a_logout_comes_back(
    app: Flask, ann_browser: Browser, task: str, signed_in: bool
) -> None:
    ann_browser.get(f"/tasks/{task}")
    token = ann_browser.csrf_token
    ann_browser.post("/auth/logout")
    if signed_in:
        ann_browser.sign_in("ann", PASSWORD)
    ann_browser.csrf_token = token
    leads_to = comment(ann_browser, task)
    page = leads_to if signed_in else sign_in_at(ann_browser, leads_to, "ann")
    assert "First line" in ann_browser.get(page).text


@on_one_database
def test_quick_add_by_htmx_is_led_by_the_whole_page(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    ann_browser.get("/tasks")
    end_sessions(app, ann)
    fields = {"title": "Plums", "next": "/tasks", "form_id": ""}
    answer = ann_browser.post("/tasks/new", fields, headers={"HX-Request": "true"})
    address = answer.headers["HX-Redirect"]
    assert "Plums" in ann_browser.get(sign_in_at(ann_browser, address, "ann")).text


@on_one_database
def test_text_survives_the_question_who_it_is(
    app: Flask, mailbox: Mailbox, root_browser: Browser
) -> None:
    with app.app_context():
        age(Session, "created_at", timedelta(minutes=20))
    fields = {"email": "new@example.com", "username": "newcomer", "role": "admin"}
    invite = "/admin/users/invite"
    asked = root_browser.post(invite, fields, form=invite)
    proof = {"current_password": PASSWORD}
    page = root_browser.post(asked.location, proof, form=asked.location).location
    assert "newcomer" in root_browser.get(page).text
    (kept,) = _kept(app)
    again = root_browser.post(invite, {"unsent_form": kept.id, **fields})
    assert (again.status_code, _kept(app)) == (303, [])


@on_one_database
def test_button_of_an_ended_session_leads_back_to_its_page(
    app: Flask, ann: Actor, ann_browser: Browser, task: str
) -> None:
    ann_browser.get(f"/tasks/{task}")
    end_sessions(app, ann)
    answer = ann_browser.post(
        f"/tasks/{task}/delete", headers={"Referer": f"http://localhost/tasks/{task}?cursor=x"}
    )
    assert sign_in_at(ann_browser, answer.location, "ann") == f"/tasks/{task}?cursor=x"
    with app.app_context():
        assert [row.deleted_at for row in rows(Task)] == [None]


@on_one_database
def test_password_of_a_form_is_not_kept(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    ann_browser.get("/settings/profile")
    end_sessions(app, ann)
    fields = {"username": "annabel", "email": "x@example.com", "current_password": PASSWORD}
    ann_browser.post("/settings/profile", fields)
    (kept,) = _kept(app)
    assert [name for name, _ in kept.content["fields"]] == ["username", "email"]


def test_each_secret_field_of_a_form_is_known() -> None:
    kinds: list[type[Form]] = [Form]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    secret = {
        name
        for kind in kinds
        for name, field in vars(kind).items()
        if getattr(field, "field_class", None) is PasswordField
    }
    assert secret >= {"password", "current_password"}
    assert secret <= unsent_forms.SECRETS


@on_one_database
def test_form_that_is_too_large_is_not_kept(ctx: None, ann: Actor) -> None:
    assert unsent_forms.keep(ann.id, "/tasks/new", [("title", "x" * SIZE_MAX)]) is None


@on_one_database
def test_form_of_an_account_that_is_gone_is_not_kept(ctx: None) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert unsent_forms.keep(nobody, "/tasks/new", [("title", "Plums")]) is None


def test_newest_forms_of_an_account_are_kept_and_nul_is_dropped(
    ctx: None, ann: Actor, bob: Actor
) -> None:
    unsent_forms.keep(bob.id, "/tasks/new", [("title", "His")])
    for number in range(PER_USER_MAX + 1):
        unsent_forms.keep(ann.id, "/tasks/new", [("title", f"Plums\0{number}")])
    titles = [row.content["fields"][0][1] for row in rows(UnsentForm, user_id=ann.id)]
    assert titles == [f"Plums{number}" for number in range(1, PER_USER_MAX + 1)]
    assert len(rows(UnsentForm, user_id=bob.id)) == 1


@on_one_database
def test_kept_form_ends_after_a_day(
    app: Flask, ann: Actor, ann_browser: Browser, task: str
) -> None:
    with app.app_context():
        kept = unsent_forms.keep(ann.id, "/tasks/new", [("title", "Plums")])
        age(UnsentForm, "expires_at", LIFE + timedelta(seconds=1))
        assert rows(UnsentForm)[0].expires_at < now()
    assert ann_browser.get(f"/auth/unsent/{kept}").status_code == 404


@on_one_database
def test_second_tab_of_the_sign_in_page_goes_on(browser: Browser, ann: Actor) -> None:
    browser.get("/auth/login?next=/tasks")
    token = browser.csrf_token
    browser.sign_in("ann", PASSWORD)
    fields = {"csrf_token": token, "identifier": "ann", "password": PASSWORD}
    for page in ("login", "register"):
        answer = browser.client.post(f"/auth/{page}?next=/tasks", data=fields)
        assert (answer.status_code, answer.location) == (303, "/tasks")
        answer = browser.client.post(f"/auth/{page}?next=//evil.example", data=fields)
        assert answer.location == "/"


@on_one_database
@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("login", {"identifier": "ann", "password": PASSWORD, "remember": "y"}),
        ("register", {"username": "carl", "email": "carl@example.com", "password": PASSWORD}),
    ],
)
@pytest.mark.parametrize("token", ["", "forged", "of another session"])
def test_form_that_is_out_of_date_is_drawn_again_with_what_was_typed(
    app: Flask, browser: Browser, page: str, fields: dict[str, str], token: str
) -> None:
    if token == "of another session":
        other = Browser(app)
        other.get("/auth/login")
        token = other.csrf_token
    answer = browser.client.post(f"/auth/{page}", data={**fields, "csrf_token": token})
    assert answer.status_code == 400
    assert all(value in answer.text for value in fields.values() if "@" in value or value == "ann")
    assert "out of date" in answer.text
    assert PASSWORD not in answer.text
    assert "CSRF" not in answer.text


@on_one_database
def test_form_that_was_drawn_again_signs_in(browser: Browser, ann: Actor) -> None:
    fields = {"identifier": "ann", "password": PASSWORD}
    browser.post("/auth/login?next=/tasks", {**fields, "csrf_token": "stale"})
    assert browser.post("/auth/login?next=/tasks", fields).location == "/tasks"


@on_one_database
@pytest.mark.parametrize(("signed_in", "leads_to"), [(True, "/tasks"), (False, "/auth/login")])
def test_passkey_of_a_page_that_is_out_of_date_leads_on(
    app: Flask, browser: Browser, ann: Actor, signed_in: bool, leads_to: str
) -> None:
    browser.get("/auth/login")
    token = browser.csrf_token
    browser = Browser(app)
    if signed_in:
        browser.sign_in("ann", PASSWORD)
    fields = {"csrf_token": token, "credential": "{}"}
    answer = browser.client.post("/auth/passkey?next=/tasks", data=fields)
    assert (answer.status_code, answer.location) == (302, leads_to)


@on_one_database
def test_logging_out_in_a_second_tab_is_no_error(ann_browser: Browser) -> None:
    ann_browser.get("/")
    token = ann_browser.csrf_token
    ann_browser.post("/auth/logout")
    answer = ann_browser.client.post("/auth/logout", data={"csrf_token": token})
    assert (answer.status_code, answer.location) == (302, "/auth/login")


def _kept(app: Flask) -> list[UnsentForm]:
    with app.app_context():
        return rows(UnsentForm)  # type: ignore[return-value]
