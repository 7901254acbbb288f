"""Challenges of passkeys, stored in the signed session cookie, one for each purpose.

A page that is rendered again reuses its challenge for a while, so that two tabs can work in
parallel. `take` removes it from the cookie; app.services.factors.spent_challenges makes sure that
it is used once.
"""

import base64
import secrets
from datetime import UTC, datetime, timedelta

from flask import session

from app.models.spent_challenge import CHALLENGE_LIFE
from app.models.types import now
from app.services.factors.webauthn_messages import Challenge

KEPT = timedelta(minutes=30)
BYTES = 32
_NAME = "challenges"


def issue(purpose: str, kept_for: timedelta = KEPT) -> Challenge:
    kept = _load(purpose)
    if kept is not None and now() - kept.issued_at < kept_for:
        return kept
    value = base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).decode().rstrip("=")
    made = Challenge(value, now())
    session[_NAME] = {**session.get(_NAME, {}), purpose: [value, made.issued_at.timestamp()]}
    return made


def take(purpose: str, life: timedelta = CHALLENGE_LIFE) -> Challenge | None:
    """Remove and return the challenge of the purpose; None if it is missing or too old."""
    found = _load(purpose)
    session[_NAME] = {
        name: value for name, value in session.get(_NAME, {}).items() if name != purpose
    }
    return found if found is not None and now() - found.issued_at < life else None


def _load(purpose: str) -> Challenge | None:
    kept = session.get(_NAME, {}).get(purpose)
    if kept is None:
        return None
    value, issued_at = kept
    return Challenge(value, datetime.fromtimestamp(issued_at, UTC))
