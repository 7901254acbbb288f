"""The outbox and its worker: entries are sent after the commit, by one worker, until success."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.errors import SendingFailed
from app.models import OutboxEntry
from app.models.outbox import DELAYS, LEASE
from app.models.types import now
from app.services.outbox import outbox
from app.services.shared import encryption
from app.sql import atomic
from app.worker.loop import Worker
from tests.conftest import MakeApp
from tests.support.races import race
from tests.support.rows import rows, set_values

pytestmark = pytest.mark.usefixtures("ctx")


def put(number: int = 1, kind: str = "mail") -> list[str]:
    return [outbox.add(kind, "greeting", {"number": n}) for n in range(number)]


def row(entry_id: str) -> Any:
    return rows(OutboxEntry, id=entry_id)[0]


def make_due(entry_id: str) -> None:
    set_values(OutboxEntry, entry_id, run_at=now() - timedelta(seconds=1))


def test_rolled_back_change_sends_nothing() -> None:
    @atomic
    def change() -> None:
        put()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert outbox.claim(10) == []


def test_claimed_entry_is_nobody_elses_until_its_lease_ends() -> None:
    (entry_id,) = put()
    (first,) = outbox.claim(10)
    assert (first.id, first.attempts) == (entry_id, 1)
    assert LEASE - timedelta(seconds=5) < first.run_at - now() <= LEASE
    assert outbox.claim(10) == []
    make_due(entry_id)
    (second,) = outbox.claim(10)
    assert (second.id, second.attempts) == (entry_id, 2)


def test_who_lost_the_lease_changes_nothing() -> None:
    (entry_id,) = put()
    (late,) = outbox.claim(1)
    make_due(entry_id)
    (current,) = outbox.claim(1)
    outbox.done(late)
    assert not outbox.renew(late)
    assert outbox.failed(late, "too late", final=True) is None
    assert (row(entry_id).status, row(entry_id).fence) == ("pending", current.fence)
    assert outbox.renew(current)
    outbox.done(current, 200)
    assert (row(entry_id).status, row(entry_id).response_status) == ("done", 200)


def test_claims_made_at_once_share_what_there_is(app: Flask) -> None:
    entry_ids = put(40)

    batches = race(app, [lambda: outbox.claim(7)] * 8)
    claimed = [entry.id for batch in batches for entry in batch]
    assert len(claimed) == len(set(claimed))
    while rest := outbox.claim(7):
        claimed += (entry.id for entry in rest)
    assert sorted(claimed) == sorted(entry_ids)


def test_mails_go_before_webhooks() -> None:
    put(3, "webhook")
    (mail,) = put()
    assert [entry.id for entry in outbox.claim(1)] == [mail]


def test_failure_is_tried_again_later_and_later_and_then_given_up() -> None:
    (entry_id,) = put()
    for delay in DELAYS:
        make_due(entry_id)
        (entry,) = outbox.claim(1)
        again = outbox.failed(entry, "refused", 503)
        assert again is not None
        assert delay * 0.79 < again - now() < delay * 1.21
        assert row(entry_id).status == "pending"
    make_due(entry_id)
    (last,) = outbox.claim(1)
    assert outbox.failed(last, "refused", 503) is None
    assert (row(entry_id).status, row(entry_id).error) == ("dead", "refused")
    assert row(entry_id).finished_at is not None


def test_delays_last_a_day() -> None:
    assert timedelta(hours=22) < sum(DELAYS, timedelta()) < timedelta(hours=26)


def test_overdue_tells_how_many_and_since_when() -> None:
    assert outbox.overdue() == (0, None)
    first, _ = put(2)
    number, oldest = outbox.overdue()
    assert (number, oldest) == (2, row(first).run_at)


class Post:
    """A sender that refuses chosen entries."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused
        self.sent: list[int] = []

    def __call__(self, entry: OutboxEntry) -> int | None:
        number = entry.payload["number"]
        if number in self.refused:
            raise SendingFailed("not now", 500)
        if number < 0:
            raise ZeroDivisionError
        self.sent.append(number)
        return 250


def test_worker_sends_all_that_is_due_and_notes_failures(app: Flask) -> None:
    entry_ids = put(9)
    broken = outbox.add("mail", "greeting", {"number": -1})
    post = Post(3, 4)
    assert Worker(app, {"mail": post}, 4).run_once() == 10
    assert sorted(post.sent) == [0, 1, 2, 5, 6, 7, 8]
    assert {row(one).status for one in entry_ids[:3]} == {"done"}
    assert (row(entry_ids[3]).status, row(entry_ids[3]).response_status) == ("pending", 500)
    assert row(entry_ids[3]).error == "not now"
    assert (row(broken).status, row(broken).attempts) == ("pending", 1)
    assert "see its log" in row(broken).error


def test_sealed_value_is_not_in_the_database_and_survives_a_new_key(
    app: Flask, other_app: MakeApp
) -> None:
    sealed = encryption.seal("a secret of TOTP")
    assert "secret" not in sealed
    assert encryption.seal("a secret of TOTP") != sealed
    old, new = app.config["SECRET_KEY"], "fedcba9876543210-of-the-tests-alone"
    with other_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old).app_context():
        assert encryption.unseal(sealed) == "a secret of TOTP"
    with other_app(SECRET_KEY=new).app_context(), pytest.raises(encryption.Sealed):
        encryption.unseal(sealed)
