"""A sign-in by the API survives parallel tabs and lost answers; reuse and old age end it."""

from datetime import timedelta

import pytest
from flask import Flask

from app.errors import InvalidGrant, InvalidToken
from app.models import Token
from app.models.token import FAMILY_LIFE, REFRESH_GRACE
from app.services.access import active_sessions, bearer_tokens, token_pairs
from app.services.access.token_pairs import Pair
from app.services.accounts import accounts
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from tests.conftest import PASSWORD
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.rows import age, events, rows


def sign_in() -> Pair:
    return token_pairs.sign_in(Actor(), "ann", PASSWORD)


def refresh(pair: Pair) -> Pair:
    return token_pairs.refresh(Actor(), pair.refresh_token)


def works(pair: Pair) -> bool:
    try:
        return bool(bearer_tokens.identify(pair.access_token))
    except InvalidToken:
        return False


def test_answer_that_was_lost_is_given_again(api: Api, ann: Actor) -> None:
    body = {"identifier": "ann", "password": PASSWORD}
    first = api.post("/auth/login", body).get_json()
    spent = {"refresh_token": first["refresh_token"]}
    answers = [api.post("/auth/refresh", spent) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    for answer in answers:
        pair = answer.get_json()
        assert (
            api.post("/auth/refresh", {"refresh_token": pair["refresh_token"]}).status_code == 200
        )


@pytest.mark.usefixtures("ctx")
def test_pairs_of_parallel_tabs_are_of_one_family_and_all_work(ann: Actor) -> None:
    old = sign_in()
    pairs = [refresh(old) for _ in range(5)]
    assert {bearer_tokens.identify(pair.access_token).family_id for pair in (old, *pairs)} == {
        bearer_tokens.identify(old.access_token).family_id
    }
    assert all(works(refresh(pair)) for pair in pairs)


@pytest.mark.usefixtures("ctx")
def test_successor_that_was_spent_does_not_matter_within_the_grace(ann: Actor) -> None:
    old = sign_in()
    newest = refresh(refresh(old))
    assert works(refresh(old))
    assert works(newest)


@pytest.mark.usefixtures("ctx")
def test_reuse_after_the_grace_ends_every_pair_of_the_family(ann: Actor) -> None:
    old = sign_in()
    pairs = [refresh(old) for _ in range(2)]
    age(Token, "spent_at", REFRESH_GRACE)
    with pytest.raises(InvalidGrant):
        refresh(old)
    assert [works(pair) for pair in (old, *pairs)] == [False] * 3
    assert [event.target_id for event in events("token.reused")] == [ann.id]


@pytest.mark.usefixtures("ctx")
def test_grace_does_not_outlive_the_family(ann: Actor) -> None:
    old = sign_in()
    token_pairs.logout(bearer_tokens.identify(refresh(old).access_token))
    with pytest.raises(InvalidGrant):
        refresh(old)


@pytest.mark.usefixtures("ctx")
def test_grace_does_not_pass_by_a_deactivation(ann: Actor, root: Actor) -> None:
    old = sign_in()
    refresh(old)
    accounts.update(root, ann.id, {"is_active": False})
    with pytest.raises(InvalidGrant):
        refresh(old)


@pytest.mark.usefixtures("ctx")
def test_family_ends_ninety_days_after_signing_in(ann: Actor) -> None:
    pair = sign_in()
    age(Token, "signed_in_at", FAMILY_LIFE - timedelta(minutes=10))
    last = refresh(pair)
    ends = {row.expires_at - row.signed_in_at for row in rows(Token) if row.spent_at is None}
    assert max(ends) <= FAMILY_LIFE + timedelta(minutes=55)  # of the earlier pair
    assert 0 < last.expires_in <= 600
    age(Token, "signed_in_at", timedelta(minutes=10))
    with pytest.raises(InvalidGrant):
        refresh(last)
    assert rows(Token) == []


def test_sign_in_of_long_ago_is_not_refreshed(app: Flask, api: Api, ann: Actor) -> None:
    with app.app_context():
        pair = sign_in()
        age(Token, "signed_in_at", timedelta(days=91))
    answer = api.post("/auth/refresh", {"refresh_token": pair.refresh_token})
    assert slug_of(answer) == (401, "invalid-refresh-token")


@pytest.mark.usefixtures("ctx")
def test_family_of_several_pairs_is_listed_once(ann: Actor) -> None:
    old = sign_in()
    for _ in range(3):
        refresh(old)
    other = sign_in()
    found = active_sessions.by_api(ann, PageRequest(10)).items
    assert {token.family_id for token in found} == {
        bearer_tokens.identify(pair.access_token).family_id for pair in (old, other)
    }
    assert len(found) == 2
