"""Times as text: API, import and forms refuse impossible dates and times."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from marshmallow import ValidationError

from app.schemas.fields import Moment
from app.services.shared import moments
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api, Browser

IMPOSSIBLE = [
    "2026-01-31T12:00:00+14:60",
    "2026-01-31T12:00:00-00:99",
    "2026-01-31T12:00:00+24:00",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:60:00Z",
    "2026-01-31T12:00:60Z",
    "2026-02-30T12:00:00Z",
    "2026-13-01T12:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]
OTHER_FORMS = [
    "2026-W05-1",
    "20260131",
    "2026-01-31T12:00:00+05:30:15",
    "2026-01-31T12",
    "٢026-01-31",
]


@pytest.mark.parametrize("sign", ["+", "-"])
def test_every_offset_that_a_clock_has_is_taken_and_no_other(sign: str) -> None:
    taken = set()
    for hours in range(100):
        for minutes in range(100):
            try:
                Moment().deserialize(f"2026-01-31T12:00:00{sign}{hours:02}:{minutes:02}")
            except ValidationError:
                continue
            taken.add((hours, minutes))
    assert taken == {(hours, minutes) for hours in range(24) for minutes in range(60)}


def test_offset_is_turned_into_utc() -> None:
    expected = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for minutes in range(-1439, 1440):
        sign, rest = ("-" if minutes < 0 else "+"), abs(minutes)
        local = (expected + timedelta(minutes=minutes)).isoformat()[:19]
        text = f"{local}{sign}{rest // 60:02}:{rest % 60:02}"
        assert moments.from_rfc_3339(text) == moments.from_typed(text) == expected


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_api_refuses_an_impossible_moment(ann_api: Api, text: str) -> None:
    body = ann_api.post("/tasks", {"title": "x", "due_at": text})
    assert (slug_of(body), blamed(body)) == ((422, "invalid"), ["/due_at"])
    query = ann_api.get("/tasks", query_string={"due_after": text})
    assert (slug_of(query), blamed(query)) == ((422, "invalid-parameter"), ["due_after"])


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_import_refuses_an_impossible_moment(ann_api: Api, text: str) -> None:
    data = f"title,due_at\nx,{text}\n".encode()
    answer = ann_api.post("/tasks/import", data=data, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/due_at"


@pytest.mark.parametrize("text", [*IMPOSSIBLE, *OTHER_FORMS])
def test_forms_refuse_an_impossible_moment(
    app: Flask, ann: Actor, ann_browser: Browser, text: str
) -> None:
    answer = ann_browser.post("/tasks/new", {"title": "x", "due_at": text})
    assert answer.status_code == 422
    with app.app_context():
        assert tasks.page(ann).items == []
