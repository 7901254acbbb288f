"""A form whose session had ended comes back after signing in, for the person who filled it in.

Nothing is sent before that person says so.
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
AGAIN = "This page was out of date, and nothing was changed. Do it again."
SIGN_IN = "You were signed out, and nothing was changed. Sign in, then do it again."
KEPT = "You were signed out before your text was sent. Sign in, and it is there again."
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
    flash("The text is thrown away.", "success")
    return redirect(url_for("main.pages.index"), 303)


def way_back(user_id: str) -> str | None:
    """Where the sent form is found again: kept for `user_id`, or on the page before."""
    return _kept(user_id) or page_before()


def to_sign_in() -> ResponseReturnValue:
    """Keep the form that was sent for its author, and ask to sign in."""
    if request.endpoint == LOGOUT:
        flash("You are signed out.", "success")
        return redirect(url_for("auth.login"))
    author = form_marks.author()
    kept = _kept(author) if author else None
    flash(KEPT if kept else SIGN_IN)
    return _to(url_for("auth.login", next=kept or page_before()), 401)


@bp.app_errorhandler(CSRFError)
def on_stale_form(error: CSRFError) -> ResponseReturnValue:
    """A form of an earlier session of its author comes back. One that is not ours is refused."""
    try:
        author, viewer_id = form_marks.author(), page_user().id
        if author is None and form_marks.is_ours():
            return _of_a_stranger(signed_in=bool(viewer_id))
        if author is None or viewer_id not in ("", author):
            return on_http_error(error)
        if not viewer_id:
            return to_sign_in()
        kept = _kept(author)
    except AppError as failure:
        return on_app_error(failure)
    if not kept:
        flash(AGAIN, "warning")
    return _to(kept or page_before() or url_for("main.pages.index"), 400)


def _of_a_stranger(*, signed_in: bool) -> ResponseReturnValue:
    """A button or a passkey of a page that was drawn before anybody signed in."""
    if signed_in:
        return _to(next_page(url_for("main.pages.index")), 400)
    flash(AGAIN, "warning")
    return _to(page_before() or url_for("auth.login"), 400)


def _kept(user_id: str) -> str | None:
    """The page of the sent form, which is kept for `user_id`; None where nothing is to be kept."""
    if (request.endpoint or "").startswith("auth."):
        return None
    path = request.full_path.rstrip("?")
    form_id = unsent_forms.keep(user_id, path, request.form.items(multi=True))
    return url_for("auth.unsent_forms.show", unsent_id=form_id) if form_id else None


def _to(address: str, status: int) -> ResponseReturnValue:
    """Go there by the whole page, also where htmx would put it into the middle of one."""
    if "HX-Request" in request.headers:
        return "", status, {"HX-Redirect": address}
    return redirect(address)
