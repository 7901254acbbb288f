"""Settings pages of the profile and the password."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import PasswordField

from app import settings
from app.models import User
from app.pages import account_fields, passkey_signals
from app.pages.forms import Form, NewPasswordForm
from app.services.accounts import accounts, email_confirmation
from app.services.authentication import authentication
from app.services.users import users
from app.web.current_user import page_user

bp = Blueprint("settings", __name__)


class ProfileForm(Form):
    username = account_fields.username()
    email = account_fields.email()
    current_password = PasswordField(
        "Current password",
        description="Required to change the email.",
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(NewPasswordForm):
    current_password = account_fields.current_password()
    password = account_fields.new_password()


class RemovePasswordForm(Form):
    current_password = account_fields.current_password("remove_current_password")


@bp.route("/profile", methods=["GET", "POST"])
@login_required
def profile() -> ResponseReturnValue:
    actor = page_user()
    user = users.get(actor, actor.id)
    form = ProfileForm(obj=user)
    if not user.password_hash:
        del form.current_password
    if form.validate_on_submit():
        changes = {
            name: value
            for name in ("username", "email")
            if (value := form[name].data) != getattr(user, name)
        }
        with form.show_refusals():
            _change(form, changes)
            _flash_outcome(changes)
            return redirect(url_for(".profile"), 303)
    page = render_template(
        "main/settings/profile.html",
        form=form,
        user=user,
        pending=email_confirmation.pending(user),
        signals=passkey_signals.of_account(user.id, user.username),
    )
    return page, form.http_status


@bp.route("/password", methods=["GET", "POST"])
@login_required
def password() -> ResponseReturnValue:
    form = PasswordForm()
    if not _account().password_hash:
        del form.current_password
    if form.validate_on_submit():
        with form.show_refusals():
            _change(form, {"password": form.password.data})
            flash("The new password is set. All your other sessions have ended.", "success")
            return redirect(url_for(".password"), 303)
    return _password_page(form)


@bp.post("/password/remove")
@login_required
def remove_password() -> ResponseReturnValue:
    removal = RemovePasswordForm()
    if removal.validate():
        with removal.show_refusals():
            accounts.remove_password(page_user(), removal.values()["current_password"])
            flash("The password is removed. All your other sessions have ended.", "success")
            return redirect(url_for(".password"), 303)
    return _password_page(PasswordForm(formdata=None), removal)


def _password_page(
    form: PasswordForm, removal: RemovePasswordForm | None = None
) -> ResponseReturnValue:
    """Return the password page, with the removal form if the user can sign in without it."""
    user = _account()
    removal = removal or RemovePasswordForm(formdata=None)
    page = render_template(
        "main/settings/password.html",
        form=form,
        removal=removal,
        has_password=bool(user.password_hash),
        may_remove=authentication.has_another_sign_in(user.id),
    )
    return page, max(form.http_status, removal.http_status)


def _account() -> User:
    actor = page_user()
    return users.get(actor, actor.id)


def _flash_outcome(changes: dict[str, Any]) -> None:
    """Flash the outcome. A new email takes effect when the user opens the mailed link."""
    if "email" in changes and settings.current().has_mail:
        flash(
            f"Open the link mailed to {changes['email']}. Until then the old address stays.",
            "success",
        )
    else:
        flash("Your profile is saved.", "success")


def _change(form: Form, changes: dict[str, Any]) -> None:
    proof = form.values().get("current_password") or None  # None for a user without a password
    accounts.update_self(page_user(), changes, proof)
