"""The second-factor page, between the password and the session."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.auth import pending
from app.auth.begin import begin, home, signed_in_elsewhere
from app.auth.passkey_form import SECOND, options
from app.errors import Malformed
from app.pages.forms import OTP_MAX, STALE, Form, is_stale, stripped
from app.pages.redirects import next_page
from app.services.factors import recovery_codes, verification
from app.web.current_user import origin

bp = Blueprint("two_factor", __name__, url_prefix="/two-factor")


class OtpForm(Form):
    otp = StringField(
        "Code",
        [InputRequired("Enter the code."), Length(max=OTP_MAX)],
        filters=[stripped],
        description="A code of your authenticator app, or a recovery code.",
        render_kw={
            "autocomplete": "one-time-code",
            "autocapitalize": "none",
            "spellcheck": "false",
            "autofocus": True,
        },
    )


@bp.route("", methods=["GET", "POST"], endpoint="show")
def show() -> ResponseReturnValue:
    half = pending.get()
    if signed_in_elsewhere():
        return redirect(next_page(home()), 303)
    if half is None and is_stale():
        raise Malformed(STALE)
    if half is None:
        return redirect(url_for("auth.login", next=next_page("") or None))
    form = OtpForm()
    if form.validate_on_submit():
        with form.show_refusals():
            by_recovery_code = verification.prove(origin(), half.user.id, form.values()["otp"])
            answer = begin(half.user, remember=half.remember, with_factor=True)
            if by_recovery_code:
                _warn_of_codes_left(recovery_codes.left(half.user.id))
            return answer
    page = render_template("auth/two_factor.html", form=form, passkey=options(SECOND, half.user.id))
    return page, form.http_status


@bp.get("/lost", endpoint="lost")
def lost() -> str:
    return render_template("auth/lost_factor.html")


def _warn_of_codes_left(number: int) -> None:
    """Warn about the number of recovery codes left, after a sign-in with one."""
    codes = "code is" if number == 1 else "codes are"
    flash(f"{number or 'No'} recovery {codes} left. Create new codes in time.", "warning")
