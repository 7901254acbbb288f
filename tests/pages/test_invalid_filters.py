"""A list with an invalid filter shows no rows and the reason; never all rows."""

from collections.abc import Iterator

import pytest
from flask import Flask
from wtforms import Field, SelectField, StringField

from app.admin.listing import Filters, PersonField
from app.models.task import LABEL_MAX, LABELS_MAX
from app.pages.moment_field import MomentField
from app.services.access import personal_tokens
from app.services.outbox import outbox
from app.services.shared.actor import SYSTEM, Actor
from app.services.shared.paging import Q_MAX
from app.services.tasks import tasks
from app.services.users import users
from app.services.webhooks import webhooks
from tests.support.clients import Browser

INVALID: dict[type[Field], str] = {  # a value that a field of this type refuses
    MomentField: "yesterday",
    PersonField: "nobody",
    SelectField: "evil",
    StringField: "x" * 5000,
}
ORDER = "sort"  # the order of a list filters nothing


def admin_queries() -> Iterator[str]:
    """Yield every admin list with every filter of its form, each with a refused value."""
    for form in Filters.__subclasses__():
        path = "/admin/" + form.__module__.rpartition(".")[2]
        for name, field in vars(form).items():
            kind = getattr(field, "field_class", None)
            value = next((INVALID[t] for t in INVALID if kind and issubclass(kind, t)), None)
            if value is not None and name != ORDER:
                yield f"{path}?{name}={value}"
                yield f"{path}?{name}=%00"


TASK_QUERIES = [
    "status=evil",
    "status=todo&status=evil",
    "priority=9",
    "assignee=bob",
    "overdue=maybe",
    "q=" + "x" * (Q_MAX + 1),
    "q=%00",
    "label=%00",
    "label=" + "x" * (LABEL_MAX + 1),
    "label=" + ",".join(map(str, range(LABELS_MAX + 1))),
]


@pytest.fixture
def full(app: Flask, ann: Actor, root: Actor) -> None:
    """Store a row for every list."""
    with app.app_context():
        for owner in (ann, root):
            tasks.create(owner, {"title": "Buy milk", "labels": ["0"]})
        personal_tokens.create(ann, users.get(SYSTEM, ann.id), "CI", ["tasks:read"])
        webhooks.create(ann, "https://1.1.1.1/", ["task.created"], is_active=True)
        outbox.add("mail", "welcome", {})


def test_every_admin_list_with_filters_is_here() -> None:
    assert len({query.partition("?")[0] for query in admin_queries()}) >= 6


@pytest.mark.parametrize("query", list(admin_queries()))
def test_admin_list_with_an_invalid_filter_is_empty(
    full: None, root_browser: Browser, query: str
) -> None:
    assert "<tbody>" in root_browser.get(query.partition("?")[0]).text
    page = root_browser.get(query).text
    assert "<tbody>" not in page
    assert "The list is empty" in page
    assert 'class="problem"' in page or "Please check:" in page


@pytest.mark.parametrize("path", ["/tasks", "/tasks/board"])
@pytest.mark.parametrize("query", TASK_QUERIES)
def test_own_list_with_an_invalid_filter_is_empty(
    full: None, ann_browser: Browser, path: str, query: str
) -> None:
    assert "Buy milk" in ann_browser.get(path).text
    answer = ann_browser.get(f"{path}?{query}")
    assert answer.status_code == 200
    assert "Buy milk" not in answer.text
    assert "The list is empty" in answer.text


@pytest.mark.parametrize("query", TASK_QUERIES)
def test_export_with_an_invalid_filter_is_refused(
    full: None, ann_browser: Browser, query: str
) -> None:
    assert "Buy milk" in ann_browser.get("/tasks/export").text
    answer = ann_browser.get(f"/tasks/export?{query}")
    assert answer.status_code == 422
    assert "Buy milk" not in answer.text


@pytest.mark.parametrize(
    "query", ["q=", "status=", "label=", "label=,", "overdue=", "assignee=", "sort=evil"]
)
def test_filter_that_is_left_blank_filters_nothing(
    full: None, ann_browser: Browser, query: str
) -> None:
    assert "Buy milk" in ann_browser.get(f"/tasks?{query}").text
