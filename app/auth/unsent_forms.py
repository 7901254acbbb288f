"""Restore of a form that was sent after its session had ended, for its author, after sign-in.

The form is sent only after its author confirms.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from flask_wtf.csrf import CSRFError

from app.errors import AppError
from app.pages.redirects import next_page, page_before
from app.services.accounts import unsent_forms
from app.web import form_marks
from app.web.current_user import page_user
from app.web.error_handlers import on_app_error, on_http_error

bp = Blueprint("unsent_forms", __name__, url_prefix="/unsent")
AGAIN = "The page was out of date. Nothing was changed. Repeat the action."
SIGN_IN = "You were signed out. Nothing was changed. Sign in, then repeat the action."
KEPT = "You were signed out before your text was sent. Sign in to restore the text."
LOGOUT = "auth.logout"


@bp.get("/<id:unsent_id>")
@login_required
def show(unsent_id: str) -> str:
    form = unsent_forms.get(page_user(), unsent_id)
    fields = unsent_forms.fields_of(form)
    return render_template(
        "auth/unsent.html", form=form, fields=fields, typed=unsent_forms.typed(fields)
    )


@bp.post("/<id:unsent_id>/discard")
@login_required
def discard(unsent_id: str) -> ResponseReturnValue:
    unsent_forms.discard(page_user(), unsent_id)
    flash("The text is deleted.", "success")
    return redirect(url_for("main.pages.index"), 303)


def way_back(user_id: str) -> str | None:
    """Return the address of the form that is kept for `user_id`, or else of the page before."""
    return _keep(user_id) or page_before()


def to_sign_in() -> ResponseReturnValue:
    """Keep the sent form for its author and redirect to the sign-in page."""
    if request.endpoint == LOGOUT:
        flash("You are signed out.", "success")
        return redirect(url_for("auth.login"))
    author = form_marks.author()
    kept = _keep(author) if author else None
    flash(KEPT if kept else SIGN_IN)
    return _redirect_page(url_for("auth.login", next=kept or page_before()), 401)


@bp.app_errorhandler(CSRFError)
def on_stale_form(error: CSRFError) -> ResponseReturnValue:
    """Restore a form of its author's earlier session; refuse a form of another site."""
    try:
        author, viewer_id = form_marks.author(), page_user().id
        if author is None and form_marks.is_ours():
            return _redirect_stale_page(signed_in=bool(viewer_id))
        if author is None or viewer_id not in ("", author):
            return on_http_error(error)
        if not viewer_id:
            return to_sign_in()
        kept = _keep(author)
    except AppError as failure:
        return on_app_error(failure)
    if not kept:
        flash(AGAIN, "warning")
    return _redirect_page(kept or page_before() or url_for("main.pages.index"), 400)


def _redirect_stale_page(*, signed_in: bool) -> ResponseReturnValue:
    """Redirect after a button or passkey of a page that was rendered before the sign-in."""
    if signed_in:
        return _redirect_page(next_page(url_for("main.pages.index")), 400)
    flash(AGAIN, "warning")
    return _redirect_page(page_before() or url_for("auth.login"), 400)


def _keep(user_id: str) -> str | None:
    """Keep the sent form for `user_id` and return its page; None if there is nothing to keep."""
    if (request.endpoint or "").startswith("auth."):
        return None
    path = request.full_path.rstrip("?")
    form_id = unsent_forms.keep(user_id, path, request.form.items(multi=True))
    return url_for("auth.unsent_forms.show", unsent_id=form_id) if form_id else None


def _redirect_page(address: str, status: int) -> ResponseReturnValue:
    """Redirect the whole page, also for a request by htmx, which would swap a part of it."""
    if "HX-Request" in request.headers:
        return "", status, {"HX-Redirect": address}
    return redirect(address)
