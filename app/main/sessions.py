"""Settings page of sessions: list them, end one, end all others."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import BooleanField

from app.pages.forms import Form
from app.pages.pagination import listed
from app.pages.redirects import next_page
from app.services.access import active_sessions
from app.web.current_user import page_user

bp = Blueprint("sessions", __name__)


class EndOthersForm(Form):
    tokens = BooleanField("Revoke my personal tokens too")


ENDPOINT = "main.sessions.index"


@bp.get("")
@login_required
def index() -> str:
    actor = page_user()
    browsers = listed(lambda paging: active_sessions.in_browsers(actor, paging), ENDPOINT)
    programs = listed(
        lambda paging: active_sessions.by_api(actor, paging), ENDPOINT, name="api_cursor"
    )
    return render_template(
        "main/settings/sessions.html",
        browsers=browsers,
        programs=programs,
        this=actor.session_id,
        form=EndOthersForm(),
    )


@bp.post("/<id:session_id>/end")
@login_required
def end(session_id: str) -> ResponseReturnValue:
    active_sessions.end_session(page_user(), session_id)
    flash("The browser is signed out.", "success")
    return redirect(next_page(url_for(".index")), 303)


@bp.post("/api/<id:family_id>/end")
@login_required
def end_api(family_id: str) -> ResponseReturnValue:
    active_sessions.end_family(page_user(), family_id)
    flash("The session and its tokens have ended.", "success")
    return redirect(next_page(url_for(".index")), 303)


@bp.post("/end-others")
@login_required
def end_others() -> ResponseReturnValue:
    with_tokens = bool(EndOthersForm().tokens.data)
    active_sessions.end_others(page_user(), with_tokens=with_tokens)
    flash(
        "You are signed out everywhere else"
        + (", and your personal tokens are revoked." if with_tokens else "."),
        "success",
    )
    return redirect(url_for(".index"), 303)
