"""Columns with a joined list are long enough for a fork with many more resources."""

import pytest

from app.models import Webhook
from app.models.registry import EVENTS, SCOPES
from app.services.access import bearer_tokens, token_pairs
from app.services.shared import actor
from app.services.shared.actor import Actor
from app.services.webhooks import webhooks
from tests.conftest import PASSWORD, MakePerson
from tests.support.rows import rows

RESOURCES = [f"resource-number-{number:02}" for number in range(30)]
MORE_SCOPES = (*SCOPES, *(f"{name}:{verb}" for name in RESOURCES for verb in ("read", "write")))
MORE_EVENTS = (*EVENTS, *(f"{name}.{verb}" for name in RESOURCES for verb in ("created", "gone")))


@pytest.fixture
def fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add thirty resources."""
    for module in (actor, token_pairs):
        monkeypatch.setattr(module, "SCOPES", MORE_SCOPES)
    monkeypatch.setattr(webhooks, "EVENTS", MORE_EVENTS)


@pytest.mark.usefixtures("ctx")
def test_token_holds_the_scopes_of_many_resources(fork: None, make_person: MakePerson) -> None:
    make_person("root", "admin")
    pair = token_pairs.sign_in(Actor(), "root", PASSWORD)
    assert bearer_tokens.identify(pair.access_token).scopes == set(MORE_SCOPES)


@pytest.mark.usefixtures("ctx")
def test_webhook_holds_the_events_of_many_resources(fork: None, ann: Actor) -> None:
    webhooks.create(ann, "https://1.1.1.1/", MORE_EVENTS)
    assert rows(Webhook)[0].events.split() == list(MORE_EVENTS)
