"""What happened to one's own account: sign-ins, refused ones, and changes of what guards it."""

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
    "identity.linked": "Account elsewhere linked",
    "identity.unlinked": "Account elsewhere unlinked",
    "recovery_code.used": "Recovery code used",
    "recovery_codes.made": "Recovery codes made",
    "session.created": "Signed in",
    "session.ended": "Signed out",
    "session.others_ended": "Signed out everywhere else",
    "session.proved": "Password or passkey asked again",
    "session.refused": "Sign-in refused",
    "token.created": "Personal token made",
    "token.reused": "Used refresh token sent again: its session ended",
    "token.revoked": "Personal token revoked",
    "user.confirmation_requested": "Confirmation mail asked for",
    "user.created": "Account opened",
    "user.deleted": "Account deleted",
    "user.email_confirmed": "Email address confirmed",
    "user.email_removed": "Email address removed by its reader",
    "user.email_restored": "Change of the email address undone",
    "user.exported": "Data exported",
    "user.invited": "Account opened by an invitation",
    "user.password_changed": "Password changed",
    "user.password_removed": "Password removed",
    "user.reset_requested": "New password asked for by mail",
    "user.updated": "Account changed",
    "webhook.created": "Webhook made",
    "webhook.deleted": "Webhook removed",
    "webhook.redelivered": "Webhook delivery sent again",
    "webhook.secret_rotated": "Secret of a webhook replaced",
    "webhook.switched_off": "Webhook switched off",
    "webhook.updated": "Webhook changed",
}


@bp.get("/security")
@login_required
def index() -> str:
    actor = page_user()
    found = listed(lambda **paging: security_log.page(actor, **paging), "main.security_log.index")
    return render_template("main/settings/security.html", found=found, words=WORDS, own=actor.id)
