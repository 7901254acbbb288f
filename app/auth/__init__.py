"""Pages to register, sign in and out, and set a new password by a link."""

from app.auth import openid
from app.auth.views import bp

bp.register_blueprint(openid.bp, url_prefix="/openid")

__all__ = ["bp"]
