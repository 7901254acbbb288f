"""Pages to register, sign in and sign out."""

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.auth import links, openid, passkeys, reauthenticate, two_factor, unsent_forms
from app.auth.begin import begin, home, signed_in_elsewhere
from app.auth.forms import LoginForm, RegisterForm
from app.auth.passkey_form import ALONE, options
from app.extensions import login_manager
from app.pages import passkey_signals, required_factor
from app.pages.redirects import next_page
from app.services.authentication import authentication
from app.services.users import registration
from app.web.current_user import origin, page_user, sign_out

bp = Blueprint("auth", __name__)
bp.before_request(required_factor.check)
bp.register_blueprint(two_factor.bp)
bp.register_blueprint(reauthenticate.bp)
bp.register_blueprint(passkeys.bp)
bp.register_blueprint(links.bp)
bp.register_blueprint(openid.bp)
bp.register_blueprint(unsent_forms.bp)


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    registration.require_open(current_app.config["REGISTRATION_OPEN"])
    if signed_in_elsewhere():
        return redirect(next_page(home()), 303)
    form = RegisterForm()
    if form.validate_on_submit():
        with form.show_refusals():
            user = registration.register(origin(), **form.values())
            answer = begin(user, remember=False)
            flash(f"Welcome, {user.username}. Your account has been created.", "success")
            return answer
    return render_template("auth/register.html", form=form), form.http_status


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    form = LoginForm()
    if signed_in_elsewhere():
        return redirect(next_page(home()), 303)
    if request.method != "POST" and page_user().id:
        return redirect(next_page(home()))
    if form.validate_on_submit():
        typed = form.values()
        with form.show_refusals():
            user = authentication.authenticate(origin(), typed["identifier"], typed["password"])
            return begin(user, remember=typed["remember"])
    page = render_template(
        "auth/login.html", form=form, passkey=options(ALONE), signals=passkey_signals.of_unknown()
    )
    return page, form.http_status


@bp.post("/logout")
@login_required
def logout() -> ResponseReturnValue:
    sign_out()
    flash("You are signed out.", "success")
    response = redirect(url_for(".login"), 303)
    # The browser must not show pages of the session from its cache (ASVS 5.0, 14.3.1).
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@login_manager.unauthorized_handler
def to_login() -> ResponseReturnValue:
    """Redirect to the sign-in page, with `next` as the way back to the page or the sent form."""
    if request.method not in ("GET", "HEAD"):
        return unsent_forms.to_sign_in()
    address = url_for("auth.login", next=request.full_path.rstrip("?"))
    if "HX-Request" in request.headers:  # htmx would swap the sign-in page into the current page
        return "", 401, {"HX-Redirect": address}
    flash("Please sign in to see that page.")
    return redirect(address)
