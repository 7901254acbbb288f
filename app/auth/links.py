"""Pages of mailed links: reset, invitation, confirmation, and undo of an address change."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.auth.forms import ConfirmForm, ForgotForm, ResetForm
from app.errors import VoidLink
from app.pages.forms import Form
from app.services.accounts import address_undo, email_confirmation, invitations, password_reset
from app.web.current_user import origin, page_user

bp = Blueprint("links", __name__)
INVITE = "auth/invite.html"
VOID = "This link was used, replaced or has expired. Request a new one."


@bp.route("/forgot", methods=["GET", "POST"])
def forgot() -> ResponseReturnValue:
    form = ForgotForm()
    if form.validate_on_submit():
        with form.show_refusals():
            password_reset.ask(origin(), **form.values())
            flash("If an account has this address, a mail with a link is sent to it.", "success")
            return redirect(url_for("auth.login"), 303)
    return render_template("auth/forgot.html", form=form), form.http_status


@bp.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> ResponseReturnValue:
    return _set_password("auth/reset.html", token)


@bp.route("/invite/<token>", methods=["GET", "POST"])
def invite(token: str) -> ResponseReturnValue:
    return _set_password(INVITE, token)


def _set_password(template: str, token: str) -> ResponseReturnValue:
    form = ResetForm()
    try:
        asked = password_reset.question(token)
    except VoidLink as error:
        raise VoidLink(VOID) from error
    if form.validate_on_submit():
        with form.show_refusals():
            password_reset.follow(origin(), token, **form.values())
            flash("The new password is set. Sign in with it.", "success")
            return redirect(url_for("auth.login"), 303)
    page = render_template(
        template,
        form=form,
        username=asked.user.username,
        ends=asked.ends,
        inviter=invitations.inviter(asked.user) if template == INVITE else "",
    )
    return page, form.http_status


@bp.route("/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """Confirm by a form: mail scanners open links before the owner does, but send no form."""
    asked = _question(token)
    form = ConfirmForm()
    viewer = page_user()
    if viewer.id == asked.user.id:
        del form.password
    if form.validate_on_submit():
        with form.show_refusals():
            user = email_confirmation.follow(viewer, token, form.values().get("password"))
            flash(f"{user.email} is confirmed.", "success")
            here = "main.settings.profile" if viewer.id == user.id else "auth.login"
            return redirect(url_for(here), 303)
    page = render_template("auth/confirm.html", form=form, token=token, asked=asked)
    return page, form.http_status


@bp.post("/confirm/<token>/not-me")
def refuse(token: str) -> ResponseReturnValue:
    """Remove the address from the account, without a sign-in."""
    asked = _question(token)
    email_confirmation.refuse(origin(), token)
    flash(f"{asked.email} is removed from the account {asked.user.username}.", "success")
    return redirect(url_for("main.pages.index"), 303)


@bp.route("/undo/<token>", methods=["GET", "POST"])
def undo(token: str) -> ResponseReturnValue:
    """Restore the previous address and redirect to the page that sets a new password.

    No session is required: the change of the address may have ended all sessions.
    """
    asked = address_undo.question(token)
    form = Form()
    if form.validate_on_submit():
        with form.show_refusals():
            secret = address_undo.undo(origin(), token)
            flash(f"{asked.email} is restored. Now choose a new password.", "success")
            return redirect(url_for(".reset", token=secret), 303)
    page = render_template("auth/undo.html", form=form, asked=asked)
    return page, form.http_status


def _question(token: str) -> email_confirmation.Question:
    try:
        return email_confirmation.question(token)
    except VoidLink as error:
        raise VoidLink(VOID) from error


@bp.after_request
def keep_link_secret(response: Response) -> Response:
    """Set no-referrer: the URL of a mailed link is a secret that must not leak by Referer."""
    if "token" in (request.view_args or {}):
        response.headers["Referrer-Policy"] = "no-referrer"
    return response
