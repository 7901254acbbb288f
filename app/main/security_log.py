"""Settings page of the security log: sign-ins, refused sign-ins and changes of credentials."""

from flask import Blueprint, render_template
from flask_login import login_required

from app.pages.pagination import listed
from app.services.accounts import security_log
from app.web.current_user import page_user

bp = Blueprint("security_log", __name__)
WORDS = {
    "factor.added": "Second factor or passkey added",
    "factor.refused": "Wrong code or passkey refused",
    "factor.removed": "Second factor or passkey removed",
    "factor.reset": "Second factors reset",
    "identity.linked": "External account linked",
    "identity.unlinked": "External account unlinked",
    "recovery_code.used": "Recovery code used",
    "recovery_codes.made": "Recovery codes created",
    "session.created": "Signed in",
    "session.ended": "Signed out",
    "session.others_ended": "Signed out everywhere else",
    "session.proved": "Identity confirmed again",
    "session.refused": "Sign-in refused",
    "token.created": "Personal token created",
    "token.reused": "Refresh token reused: session ended",
    "token.revoked": "Personal token revoked",
    "user.confirmation_requested": "Confirmation mail requested",
    "user.created": "Account created",
    "user.deleted": "Account deleted",
    "user.email_confirmed": "Email address confirmed",
    "user.email_removed": "Email address removed",
    "user.email_restored": "Change of the email address undone",
    "user.exported": "Data exported",
    "user.invited": "Account created by an invitation",
    "user.password_changed": "Password changed",
    "user.password_removed": "Password removed",
    "user.reset_requested": "Password reset requested",
    "user.updated": "Account changed",
    "webhook.created": "Webhook created",
    "webhook.deleted": "Webhook deleted",
    "webhook.redelivered": "Webhook delivery resent",
    "webhook.secret_rotated": "Webhook secret rotated",
    "webhook.switched_off": "Webhook switched off",
    "webhook.updated": "Webhook changed",
}


@bp.get("/security")
@login_required
def index() -> str:
    actor = page_user()
    found = listed(lambda paging: security_log.page(actor, paging), "main.security_log.index")
    return render_template("main/settings/security.html", found=found, words=WORDS, own=actor.id)
