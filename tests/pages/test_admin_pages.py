"""The admin pages: access and contents."""

import html
import re
from dataclasses import replace

import pytest
from flask import Flask

from app.admin.listing import LIMIT
from app.services.accounts import accounts
from app.services.outbox import outbox
from app.services.shared.actor import SYSTEM, Actor
from app.services.tasks import tasks
from tests.conftest import MakeApp, MakePerson, signed_in_browser
from tests.support.admin_lists import flashed, headed, make
from tests.support.answers import MISSING
from tests.support.clients import Browser
from tests.support.rows import events

LISTS = ["/admin/users", "/admin/tasks", "/admin/tokens", "/admin/webhooks"]
LISTS += ["/admin/jobs", "/admin/audit"]
PAGES = ["/admin/", *LISTS, "/admin/system"]
ODD_QUERIES = [
    "q=%00",
    "q=" + "x" * 5000,
    "q=%25_%5C",
    "q=%ED%A0%80",
    "role=evil&is_active=evil",
    "status=evil&priority=9&sort=evil",
    "owner=nobody&assignee=%00&label=%00",
    "actor=nobody&target=%00&action=%00&target_type=evil",
    "since=x&until=99999-01-01",
    "since=0001-01-01T00:00%2B14:00&until=9999-12-31T23:59-14:00",
    "cursor=garbage",
    "cursor=%C3%A9&cursor=",
    "days=0",
    "days=%D9%A3%D9%A0",
    "_method=X&_external=1&_anchor=a&_scheme=evil&endpoint=x&self=1",
]


def walk(browser: Browser, path: str) -> list[str]:
    """Return the first column of every page of the list that starts at `path`."""
    found = []
    while path:
        page = browser.get(path).text
        found += headed(page)
        after = re.search(r'rel="next" href="([^"]*)"', page)
        path = html.unescape(after[1]) if after else ""
    return found


def admin_routes(app: Flask) -> list[tuple[str, str]]:
    """Return method and path of each admin route, with an id for its variable."""
    return [
        (method, re.sub("<id:[^>]*>", MISSING, re.sub("<any[^>]*>", "demote", rule.rule)))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]


def test_stranger_is_sent_to_sign_in_and_back(browser: Browser, app: Flask) -> None:
    for method, path in admin_routes(app):
        answer = browser.get(path) if method == "GET" else browser.post(path)
        assert (answer.status_code, "/auth/login" in answer.location) == (302, True), path


def test_user_may_see_and_do_nothing_here(app: Flask, ann_browser: Browser) -> None:
    routes = admin_routes(app)
    assert len(routes) >= 10
    for method, path in routes:
        answer = ann_browser.get(path) if method == "GET" else ann_browser.post(path, form="/")
        assert answer.status_code == 403, path
    with app.app_context():
        assert len(events("admin.denied")) == len(routes)


def test_lost_rights_are_lost_at_the_next_request(
    app: Flask, root_browser: Browser, root: Actor, make_person: MakePerson
) -> None:
    make_person("second", "admin")
    with app.app_context():
        accounts.update(SYSTEM, root.id, {"role": "user"})
    assert root_browser.get("/admin/").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_admin_sees_each_page(root_browser: Browser, path: str) -> None:
    answer = root_browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_odd_queries_are_passed_over(root_browser: Browser, path: str) -> None:
    answers = {query: root_browser.get(f"{path}?{query}").status_code for query in ODD_QUERIES}
    assert answers == dict.fromkeys(ODD_QUERIES, 200)


def test_overview_counts_everything(
    app: Flask, ann: Actor, bob: Actor, root_browser: Browser, browser: Browser
) -> None:
    make(app, ann, "Hers")
    make(app, bob, "His", status="done")
    browser.sign_in("ann", "wrong plums")
    page = root_browser.get("/admin/?days=90").text
    assert re.findall(r"<dt>([^<]*)</dt>\s*<dd>(?:<a[^>]*>)?(\d+)", page) == [
        ("Users", "3"),
        ("New in 90 days", "3"),
        ("Active users", "3"),
        ("Active admins", "1"),
        ("Tasks", "2"),
        ("Overdue", "0"),
    ]
    assert "2 created, 1 completed in 90 days" in page
    assert "1 signed in, 1 refused in 90 days" in page


def test_what_a_filter_does_not_take_is_told_beside_it(root_browser: Browser) -> None:
    page = root_browser.get("/admin/audit?actor=nobody&since=yesterday").text
    assert "There is no such user." in page
    assert "Use a date and a time" in page
    assert 'value="nobody"' in page


def test_pages_of_a_list_show_everything_once(
    app: Flask, ann: Actor, root_browser: Browser
) -> None:
    titles = [f"Task {number:03}" for number in range(2 * LIMIT + 3)]
    for title in titles:
        make(app, ann, title, priority="high")
    path = "/admin/tasks?priority=high&sort=title&owner=ann"
    assert walk(root_browser, path) == titles


def test_cursor_of_another_list_leads_to_the_first_page(
    app: Flask, ann: Actor, root_browser: Browser
) -> None:
    for number in range(LIMIT + 1):
        make(app, ann, f"Task {number}")
    page = root_browser.get("/admin/tasks").text
    cursor = re.search(r"cursor=([^\"&]*)", page)
    assert cursor is not None
    other = root_browser.get(f"/admin/tasks?sort=title&cursor={cursor[1]}").text
    assert flashed(other, "no longer exists")
    assert len(headed(other)) == LIMIT


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=milk", ["Buy milk"]),
        ("owner=ann", ["Buy milk"]),
        ("assignee=ANN@example.com", ["Mend the roof"]),
        ("label=Shop", ["Buy milk"]),
        ("status=done", ["Mend the roof"]),
        ("overdue=y", ["Buy milk"]),
        ("sort=title", ["Buy milk", "Mend the roof"]),
        ("trashed=y", ["Old"]),
    ],
)
def test_all_tasks_are_filtered(
    app: Flask, ann: Actor, bob: Actor, root_browser: Browser, query: str, found: list[str]
) -> None:
    make(app, ann, "Buy milk", labels=["shop"], due_at=ann.signed_in_at)
    make(app, bob, "Mend the roof", status="done", assignee_id=ann.id)
    with app.app_context():
        tasks.delete(bob, tasks.create(bob, {"title": "Old"}).id)
    assert headed(root_browser.get(f"/admin/tasks?{query}").text) == found


def test_audit_trail_shows_old_and_new_values_by_name(
    app: Flask, ann: Actor, bob: Actor, root_browser: Browser
) -> None:
    task = make(app, ann, "Buy milk", labels=["shop", "home"])
    with app.app_context():
        tasks.update(ann, task.id, {"status": "in_progress", "assignee_id": bob.id, "labels": []})
    page = root_browser.get("/admin/audit?action=task.updated").text
    text = " ".join(re.sub("<[^>]*>", " ", page).split())
    assert "Status: Todo → In progress" in text
    assert "Labels: shop, home → nothing" in text
    assert "Assignee: bob" in text
    assert "Buy milk" in text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=bob", 1),
        ("actor=ann&action=task.created", 1),
        ("target_type=task", 2),
        ("target=ann", 1),
        ("since=2020-01-01", 6),
        ("since=2020-01-01T10:00&until=2020-01-02", 0),
        ("until=2020-01-01T00:00:00Z", 0),
    ],
)
def test_audit_trail_is_filtered(
    app: Flask, ann: Actor, bob: Actor, root_browser: Browser, query: str, count: int
) -> None:
    make(app, ann, "Hers")
    make(app, bob, "His")
    page = root_browser.get(f"/admin/audit?{query}").text
    assert page.count('data-label="Action"') == count


def test_audit_trail_outlives_those_it_speaks_of(
    app: Flask, ann: Actor, root_browser: Browser
) -> None:
    make(app, ann, "Hers")
    with app.app_context():
        accounts.delete(SYSTEM, ann.id)
    page = root_browser.get(f"/admin/audit?actor={ann.id.upper()}").text
    assert page.count('data-label="Action"') == 1
    assert "deleted user" in page
    assert "deleted task" in page


def test_audit_trail_parts_address_and_token(app: Flask, ann: Actor, root_browser: Browser) -> None:
    make(app, replace(ann, token_id=MISSING, address="192.0.2.7"), "Hers")
    page = root_browser.get("/admin/audit?action=task.created").text
    text = " ".join(re.sub("<[^>]*>", "", page).split())
    assert "192.0.2.7 by token" in text


def test_system_page_tells_versions_and_migration_but_no_secret(
    app: Flask, root_browser: Browser
) -> None:
    page = root_browser.get("/admin/system").text
    assert app.config["SECRET_KEY"] not in page
    assert ("PostgreSQL" in page) != ("SQLite" in page)
    assert "do not fit" not in page
    assert app.config["PUBLIC_URL"] in page


def test_system_page_tells_of_the_queue_and_hides_passwords(
    root: Actor, other_app: MakeApp
) -> None:
    app = other_app(
        MAIL_URL="smtp://someone:plums@mail.example.org",
        REDIS_URL="redis://:pears@127.0.0.1:1/0?password=quinces",
        METRICS_TOKEN="apricots",
        OIDC_PROVIDERS="staff",
        OIDC_STAFF_ISSUER="https://id.example.org",
        OIDC_STAFF_CLIENT_ID="service",
        OIDC_STAFF_CLIENT_SECRET="cherries",
    )
    with app.app_context():
        outbox.add("mail", "welcome", {})
    page = signed_in_browser(app, root).get("/admin/system").text
    assert re.search(r"<dt>Due now</dt>\s*<dd>1</dd>", page)
    assert "@mail.example.org" in page
    assert "Staff (https://id.example.org)" in page
    assert re.search("plums|pears|quinces|apricots|someone|cherries", page) is None


def test_what_people_write_is_shown_as_text(app: Flask, ann: Actor, root_browser: Browser) -> None:
    make(app, ann, "<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
    for path in ("/admin/tasks", "/admin/audit", f"/admin/users/{ann.id}"):
        page = root_browser.get(path).text
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("things", ["tokens", "webhooks", "jobs", "tasks"])
def test_empty_list_says_whether_it_is_for_its_filters(root_browser: Browser, things: str) -> None:
    assert f"No {things} yet" in root_browser.get(f"/admin/{things}").text
    assert f"No {things} match" in root_browser.get(f"/admin/{things}?user=root").text
