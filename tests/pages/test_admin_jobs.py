"""The admin pages of the outbox, and the retry of failed entries."""

from datetime import timedelta

import pytest
from flask import Flask

from app.errors import Conflict, Forbidden, NotFound
from app.models import OutboxEntry
from app.models.types import now
from app.services.outbox import jobs, outbox
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from tests.support.admin_lists import flashed, headed
from tests.support.answers import MISSING
from tests.support.clients import Browser
from tests.support.rows import events, rows, set_values

DEAD = {"status": "dead", "attempts": 9, "error": "<b>refused</b>", "response_status": 503}


@pytest.fixture
def dead(app: Flask, ann: Actor) -> str:
    """The id of a failed entry."""
    with app.app_context():
        job_id = outbox.add("mail", "welcome", {"to": "in the payload"}, user_id=ann.id)
        set_values(OutboxEntry, job_id, **DEAD, finished_at=now())
    return job_id


@pytest.fixture
def waiting(app: Flask) -> str:
    with app.app_context():
        return outbox.add("webhook", "task.created", {})


def test_figures_tell_each_status_and_what_is_due(
    app: Flask, root: Actor, dead: str, waiting: str
) -> None:
    with app.app_context():
        later = outbox.add("mail", "welcome", {})
        set_values(OutboxEntry, later, run_at=now() + timedelta(hours=1))
        (due,) = rows(OutboxEntry, id=waiting)
        assert jobs.figures(root) == {
            "pending": 2,
            "done": 0,
            "dead": 1,
            "due": 1,
            "oldest": due.run_at,
        }


def test_only_admins_may(app: Flask, ann: Actor, dead: str) -> None:
    with app.app_context():
        for act in (
            lambda: jobs.page(ann, PageRequest(10)),
            lambda: jobs.figures(ann),
            lambda: jobs.retry(ann, dead),
        ):
            with pytest.raises(Forbidden):
                act()


def test_retried_job_is_due_as_if_it_were_new(app: Flask, root: Actor, dead: str) -> None:
    with app.app_context():
        jobs.retry(root, dead)
        (entry,) = outbox.claim(10)
        assert (entry.id, entry.attempts, entry.finished_at) == (dead, 1, None)
        (event,) = events("job.retried")
        assert (event.actor_id, event.target_type, event.target_id) == (root.id, "job", dead)


def test_job_that_was_not_given_up_is_left_alone(app: Flask, root: Actor, waiting: str) -> None:
    with app.app_context():
        with pytest.raises(Conflict):
            jobs.retry(root, waiting)
        with pytest.raises(NotFound):
            jobs.retry(root, MISSING)
        assert events("job.retried") == []


def test_page_lists_filters_and_hides_what_is_sent(
    root_browser: Browser, dead: str, waiting: str
) -> None:
    page = root_browser.get("/admin/jobs").text
    assert [text.split("\n")[0] for text in headed(page)] == [
        "Webhook: task.created",
        "Mail: welcome",
    ]
    assert "&lt;b&gt;refused" in page
    assert "in the payload" not in page
    for query, number in (("status=dead", 1), ("kind=webhook", 1), ("kind=mail&status=done", 0)):
        assert len(headed(root_browser.get(f"/admin/jobs?{query}").text)) == number, query


def test_button_tries_again_and_leads_back(root_browser: Browser, dead: str, waiting: str) -> None:
    here = "/admin/jobs?status=dead"
    answer = root_browser.post(f"/admin/jobs/{dead}/retry", {"next": here}, form=here)
    assert (answer.status_code, answer.location) == (303, here)
    assert flashed(root_browser.get(here).text, "Retry queued")
    root_browser.post(f"/admin/jobs/{waiting}/retry", form="/admin/jobs")
    assert flashed(root_browser.get("/admin/jobs").text, "given up")
    assert root_browser.post(f"/admin/jobs/{MISSING}/retry").status_code == 404
