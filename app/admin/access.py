"""Buttons by which an admin ends a user's sessions and tokens (ASVS 5.0, 7.4.5)."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.pages.redirects import next_page
from app.services.access import active_sessions, personal_tokens
from app.services.users import users
from app.web.current_user import page_user

bp = Blueprint("access", __name__, url_prefix="/users/<id:user_id>")


@bp.post("/sessions/<id:session_id>/end")
def end_session(user_id: str, session_id: str) -> ResponseReturnValue:
    active_sessions.end_session(page_user(), session_id, owner_id=user_id)
    return _redirect_to(user_id, "The browser is signed out.")


@bp.post("/programs/<id:family_id>/end")
def end_program(user_id: str, family_id: str) -> ResponseReturnValue:
    active_sessions.end_family(page_user(), family_id, owner_id=user_id)
    return _redirect_to(user_id, "The session and its tokens have ended.")


@bp.post("/sessions/end")
def end_all(user_id: str) -> ResponseReturnValue:
    actor = page_user()
    user = users.get(actor, user_id)
    active_sessions.end_others(actor, owner_id=user.id)
    return _redirect_to(user_id, f"{user.username} is signed out everywhere.")


@bp.post("/tokens/<id:token_id>/revoke")
def revoke(user_id: str, token_id: str) -> ResponseReturnValue:
    personal_tokens.revoke(page_user(), token_id, owner_id=user_id)
    return _redirect_to(user_id, "The token is revoked.")


def _redirect_to(user_id: str, outcome: str) -> ResponseReturnValue:
    flash(outcome, "success")
    return redirect(next_page(url_for("admin.users.show", user_id=user_id)), 303)
