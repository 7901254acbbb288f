"""Page sessions for tests, started by a password like the sign-in page does."""

from app.services.access import page_sessions
from app.services.authentication import authentication
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD

STRANGER = Actor()


def start_session(
    who: str,
    password: str = PASSWORD,
    *,
    origin: Actor = STRANGER,
    remember: bool = False,
    user_agent: str = "",
) -> str:
    """Start a session, and return its secret. Needs an app context."""
    user = authentication.authenticate(origin, who, password)
    return page_sessions.start(origin, user, remember=remember, user_agent=user_agent)
