"""Settings page of personal access tokens."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import Field, IntegerField, SelectMultipleField, StringField
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput

from app import settings
from app.models.registry import SCOPES
from app.models.token import DAYS, DAYS_MAX, NAME_MAX
from app.models.types import now
from app.pages.forms import Form, one_line, options, stripped
from app.pages.pagination import listed
from app.pages.redirects import next_page
from app.services.access import personal_tokens
from app.services.shared.actor import Actor
from app.services.users import users
from app.web.current_user import page_user

bp = Blueprint("tokens", __name__)


def _check_max_days(form: BaseForm, field: Field) -> None:
    """Raise ValidationError above the days that PERSONAL_TOKEN_MAX_DAYS allows."""
    NumberRange(1, settings.current().personal_token_max_days or DAYS_MAX)(form, field)


class TokenForm(Form):
    name = StringField(
        "Name",
        [InputRequired("Enter a name."), Length(max=NAME_MAX), one_line],
        filters=[stripped],
        description="The purpose of the token.",
        render_kw={"autocomplete": "off"},
    )
    scopes = SelectMultipleField(
        "Scopes",
        [InputRequired("Tick at least one scope.")],
        option_widget=CheckboxInput(),
    )
    days = IntegerField(
        "Days until expiry",
        [Optional(), _check_max_days],
        render_kw={"min": 1, "inputmode": "numeric"},
    )

    def __init__(self, actor: Actor) -> None:
        longest = settings.current().personal_token_max_days
        usual = min(DAYS, longest or DAYS)
        super().__init__(days=usual)
        self.days.description = f"Empty: {usual} days." if longest else "Empty: no expiry."
        held = {scope: meaning for scope, meaning in SCOPES.items() if scope in actor.scopes}
        self.scopes.choices = options(held.items())


@bp.get("")
@login_required
def index() -> ResponseReturnValue:
    return _page(TokenForm(page_user()))


@bp.post("")
@login_required
def create() -> ResponseReturnValue:
    """Show the secret in this response only: it never enters a URL or a cookie."""
    actor = page_user()
    form = TokenForm(actor)
    if form.validate():
        typed = form.values()
        days = typed.pop("days")
        ends = now() + timedelta(days=days) if days else None
        user = users.get(actor, actor.id)
        with form.show_refusals():
            _, secret = personal_tokens.create(actor, user, **typed, expires_at=ends)
            return _page(TokenForm(actor), secret)
    return _page(form)


@bp.post("/<id:token_id>/revoke")
@login_required
def revoke(token_id: str) -> ResponseReturnValue:
    personal_tokens.revoke(page_user(), token_id)
    flash("The token is revoked. Requests with it are refused from now on.", "success")
    return redirect(next_page(url_for(".index")), 303)


def _page(form: TokenForm, secret: str = "") -> ResponseReturnValue:
    actor = page_user()
    found = listed(lambda paging: personal_tokens.page(actor, paging), "main.tokens.index")
    page = render_template(
        "main/settings/tokens.html", form=form, found=found, secret=secret, moment=now()
    )
    return page, form.http_status
