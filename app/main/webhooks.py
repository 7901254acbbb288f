"""Settings pages of webhooks: list, creation, change, test and deliveries."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import BooleanField, SelectMultipleField, URLField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput

from app.errors import Conflict
from app.models import OutboxEntry, Webhook
from app.models.registry import EVENTS
from app.models.webhook import URL_MAX
from app.pages.forms import REFUSALS, Form, options, stripped
from app.pages.pagination import listed
from app.services.shared.actor import Actor
from app.services.webhooks import deliveries as webhook_deliveries, signing_secrets, webhooks
from app.web.current_user import page_user

bp = Blueprint("webhooks", __name__)


class WebhookForm(Form):
    url = URLField(
        "URL",
        [InputRequired("Enter a URL."), Length(max=URL_MAX)],
        filters=[stripped],
        description="A public address that receives the events by POST.",
        render_kw={"autocomplete": "off", "placeholder": "https://example.org/hook"},
    )
    events = SelectMultipleField(
        "Events",
        [InputRequired("Tick at least one event.")],
        choices=options(EVENTS.items()),
        option_widget=CheckboxInput(),
    )


class EditForm(WebhookForm):
    is_active = BooleanField("Switched on")


@bp.get("")
@login_required
def index() -> ResponseReturnValue:
    return _list_page(WebhookForm())


@bp.post("")
@login_required
def create() -> ResponseReturnValue:
    """Show the secret in this response only: it never enters a URL or a cookie."""
    form = WebhookForm()
    if form.validate():
        with form.show_refusals():
            webhook, secret = webhooks.create(page_user(), **form.values())
            return _list_page(WebhookForm(formdata=None), secret, webhook.id)
    return _list_page(form)


@bp.get("/<id:webhook_id>")
@login_required
def show(webhook_id: str) -> ResponseReturnValue:
    webhook = webhooks.get(page_user(), webhook_id)
    return _webhook_page(webhook, _edit_form(webhook))


@bp.post("/<id:webhook_id>")
@login_required
def update(webhook_id: str) -> ResponseReturnValue:
    webhook = webhooks.get(page_user(), webhook_id)
    form = EditForm()
    if form.validate():
        with form.show_refusals():
            webhooks.update(page_user(), webhook_id, form.values())
            flash("The webhook is changed.", "success")
            return _redirect_to(webhook_id)
    return _webhook_page(webhook, form)


@bp.post("/<id:webhook_id>/rotate-secret")
@login_required
def rotate_secret(webhook_id: str) -> ResponseReturnValue:
    """Show the new secret in this response only: it never enters a URL or a cookie."""
    try:
        secret = signing_secrets.rotate(page_user(), webhook_id)
    except REFUSALS as error:
        flash(error.message, "error")
        return _redirect_to(webhook_id)
    webhook = webhooks.get(page_user(), webhook_id)
    return _webhook_page(webhook, _edit_form(webhook), secret)


@bp.post("/<id:webhook_id>/delete")
@login_required
def delete(webhook_id: str) -> ResponseReturnValue:
    webhooks.delete(page_user(), webhook_id)
    flash("The webhook is deleted.", "success")
    return redirect(url_for(".index"), 303)


@bp.post("/<id:webhook_id>/test")
@login_required
def test(webhook_id: str) -> ResponseReturnValue:
    return _queue(webhook_id, lambda actor: webhook_deliveries.test(actor, webhook_id))


@bp.post("/<id:webhook_id>/deliveries/<id:delivery_id>/redeliver")
@login_required
def redeliver(webhook_id: str, delivery_id: str) -> ResponseReturnValue:
    return _queue(
        webhook_id, lambda actor: webhook_deliveries.redeliver(actor, webhook_id, delivery_id)
    )


def _queue(webhook_id: str, send: Callable[[Actor], OutboxEntry]) -> ResponseReturnValue:
    try:
        send(page_user())
    except Conflict as error:
        flash(error.message, "error")
    else:
        flash("Delivery queued.", "success")
    return _redirect_to(webhook_id)


def _redirect_to(webhook_id: str) -> ResponseReturnValue:
    return redirect(url_for(".show", webhook_id=webhook_id), 303)


def _list_page(form: WebhookForm, secret: str = "", made: str = "") -> ResponseReturnValue:
    actor = page_user()
    found = listed(lambda paging: webhooks.page(actor, paging), "main.webhooks.index")
    page = render_template(
        "main/settings/webhooks/index.html", form=form, found=found, secret=secret, made=made
    )
    return page, form.http_status


def _edit_form(webhook: Webhook) -> EditForm:
    return EditForm(
        url=webhook.url, events=webhook.events.split(), is_active=webhook.is_active, formdata=None
    )


def _webhook_page(webhook: Webhook, form: EditForm, secret: str = "") -> ResponseReturnValue:
    actor = page_user()
    found = listed(
        lambda paging: webhook_deliveries.page(actor, webhook.id, paging, webhook=webhook),
        "main.webhooks.show",
        webhook_id=webhook.id,
    )
    page = render_template(
        "main/settings/webhooks/show.html",
        form=form,
        found=found,
        webhook=webhook,
        secret=secret,
    )
    return page, form.http_status
