"""The pages of signed-in users and the public pages: one module of forms and routes each."""

from flask import Blueprint

from app.main import (
    account_data,
    board,
    bulk,
    comments,
    confirmation,
    exchange,
    factors,
    identities,
    pages,
    passkeys,
    security_log,
    sessions,
    settings,
    tasks,
    tokens,
    users,
    webhooks,
)
from app.pages import required_factor

bp = Blueprint("main", __name__)
bp.before_request(required_factor.check)
bp.register_blueprint(pages.bp)
for of_tasks in (tasks, board, bulk, exchange):
    bp.register_blueprint(of_tasks.bp, url_prefix="/tasks")
bp.register_blueprint(comments.bp, url_prefix="/tasks/<id:task_id>/comments")
bp.register_blueprint(users.bp, url_prefix="/users")
bp.register_blueprint(settings.bp, url_prefix="/settings")
bp.register_blueprint(confirmation.bp, url_prefix="/settings")
bp.register_blueprint(security_log.bp, url_prefix="/settings")
bp.register_blueprint(tokens.bp, url_prefix="/settings/tokens")
bp.register_blueprint(factors.bp, url_prefix="/settings/two-factor")
bp.register_blueprint(passkeys.bp, url_prefix="/settings/two-factor/passkeys")
bp.register_blueprint(sessions.bp, url_prefix="/settings/sessions")
bp.register_blueprint(identities.bp, url_prefix="/settings/identities")
bp.register_blueprint(webhooks.bp, url_prefix="/settings/webhooks")
bp.register_blueprint(account_data.bp, url_prefix="/settings/data")
