"""The pages: one module of forms and routes for each resource."""

from flask import Blueprint

from app.main import pages, settings, tasks, users

bp = Blueprint("main", __name__)
bp.register_blueprint(pages.bp)
bp.register_blueprint(tasks.bp, url_prefix="/tasks")
bp.register_blueprint(users.bp, url_prefix="/users")
bp.register_blueprint(settings.bp, url_prefix="/settings")
