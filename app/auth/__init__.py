"""Pages to register, sign in and out, and set a new password by a link."""

from app.auth.views import bp

__all__ = ["bp"]
