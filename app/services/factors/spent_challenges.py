"""Spent challenges: each is valid once for all passkeys and purposes (WebAuthn Level 3, 13.4.3)."""

from sqlalchemy import insert

from app.models import SPENT_CHALLENGES, SpentChallenge
from app.models.spent_challenge import CHALLENGE_LIFE
from app.models.types import now, uuid7
from app.services.authentication import secret_tokens
from app.services.factors.webauthn_messages import Challenge
from app.sql import Statement

_insert = Statement[SpentChallenge](insert(SPENT_CHALLENGES))


def spend(challenge: Challenge) -> None:
    """Spend a challenge in the transaction of its use. Raises UniqueViolation if it is spent."""
    moment = now()
    _insert.run(
        id=uuid7(),
        hash=secret_tokens.digest(challenge.value),
        created_at=moment,
        expires_at=moment + CHALLENGE_LIFE,
    )
