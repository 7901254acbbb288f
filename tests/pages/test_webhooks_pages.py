"""The pages of webhooks: one's own, and all users' for an admin."""

import re

from flask import Flask

from app.models import OutboxEntry, Webhook
from app.services.shared.actor import Actor
from tests.support.clients import Browser
from tests.support.rows import events, rows, set_values

LIST = "/settings/webhooks"
URL = "https://1.1.1.1/tasks"
TYPED = {"url": URL, "events": ["task.created", "comment.created"]}


def make(app: Flask, browser: Browser) -> str:
    """Create a webhook, and return the path of its page."""
    assert browser.post(LIST, TYPED, form=LIST).status_code == 200
    with app.app_context():
        return f"{LIST}/{rows(Webhook)[-1].id}"


def test_new_webhook_shows_its_secret_this_once(app: Flask, ann_browser: Browser) -> None:
    answer = ann_browser.post(LIST, TYPED, form=LIST)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    secret = re.search(r"whsec_[\w+/=]{44}", answer.text)
    assert secret
    page = ann_browser.get(LIST).text
    assert URL in page
    assert secret[0] not in page
    assert secret[0] not in str(answer.headers)


def test_what_is_wrong_stands_beside_the_field(ann_browser: Browser) -> None:
    answer = ann_browser.post(LIST, {"url": "http://10.0.0.1/"}, form=LIST)
    assert answer.status_code == 422
    assert "Tick at least one event." in answer.text
    answer = ann_browser.post(LIST, {**TYPED, "url": "http://10.0.0.1/"}, form=LIST)
    assert answer.status_code == 422
    assert 'value="http://10.0.0.1/"' in answer.text
    assert "private, loopback or link-local" in answer.text
    kept = r'<input(?=[^>]*\bchecked\b)[^>]*value="comment.created"'
    assert re.search(kept, answer.text)


def test_webhook_is_changed_tried_and_removed(app: Flask, ann_browser: Browser) -> None:
    path = make(app, ann_browser)
    assert ann_browser.post(f"{path}/test", form=path).location == path
    assert "webhook.test" in ann_browser.get(path).text
    with app.app_context():
        entry = rows(OutboxEntry)[0].id
        set_values(OutboxEntry, entry, status="dead", error="The receiver answered with 500.")
    assert "The receiver answered with 500." in ann_browser.get(path).text
    ann_browser.post(f"{path}/deliveries/{entry}/redeliver", form=path)
    with app.app_context():
        assert rows(OutboxEntry)[0].status == "pending"
    changed = {"url": URL, "events": ["task.deleted"]}  # an unchecked box switches the webhook off
    assert ann_browser.post(path, changed, form=path).location == path
    assert "The webhook is off" in ann_browser.get(path).text
    ann_browser.post(f"{path}/test", form=path)
    assert "The webhook is switched off." in ann_browser.get(path).text
    assert ann_browser.post(f"{path}/delete", form=path).location == LIST
    assert ann_browser.get(path).status_code == 404


def test_new_secret_is_shown_in_one_answer(app: Flask, ann_browser: Browser) -> None:
    path = make(app, ann_browser)
    answer = ann_browser.post(f"{path}/rotate-secret", form=path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    secret = re.search(r"whsec_[\w+/=]{44}", answer.text)
    assert secret
    assert secret[0] not in ann_browser.get(path).text


def test_webhook_of_another_is_not_there(
    app: Flask, ann_browser: Browser, bob_browser: Browser
) -> None:
    path = make(app, ann_browser)
    assert bob_browser.get(path).status_code == 404
    for act in ("", "/delete", "/test", "/rotate-secret"):
        assert bob_browser.post(path + act, TYPED, form=LIST).status_code == 404
    with app.app_context():
        assert rows(Webhook)[0].events == "task.created comment.created"


def test_admin_sees_and_switches_off_everybodys(
    app: Flask, ann: Actor, ann_browser: Browser, root: Actor, root_browser: Browser
) -> None:
    webhook = make(app, ann_browser).removeprefix(f"{LIST}/")
    page = root_browser.get("/admin/webhooks?user=ann&is_active=yes").text
    assert URL in page
    assert URL not in root_browser.get("/admin/webhooks?user=root").text
    form = {"next": "/admin/webhooks?user=ann"}
    off = f"/admin/webhooks/{webhook}/switch-off"
    answer = root_browser.post(off, form, form="/admin/webhooks")
    assert answer.location == "/admin/webhooks?user=ann"
    assert ann_browser.post(off, form, form=LIST).status_code == 403
    with app.app_context():
        assert rows(Webhook)[0].is_active is False
        (event,) = events("webhook.switched_off")
        assert (event.actor_id, event.target_id) == (root.id, webhook)
    assert URL not in root_browser.get("/admin/webhooks?is_active=yes").text
