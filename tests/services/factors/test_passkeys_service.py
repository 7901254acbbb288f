"""Valid and invalid passkey answers; tests/browser uses real ones of Chromium."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.errors import BadCredentials, BadOtp, Conflict, Invalid, TooManyRequests
from app.models import Factor, RecoveryCode, SignInAttempt, User
from app.models.factor import NAME_MAX
from app.models.types import now
from app.services.accounts import export as account_export, password_reset
from app.services.authentication import one_time_links
from app.services.factors import factors, passkeys, recovery_codes
from app.services.factors.passkey_providers import NAMES
from app.services.factors.webauthn_messages import ID_MAX, Challenge, encoded
from app.services.shared import throttle
from app.services.shared.actor import Actor
from tests.support.authenticator import Authenticator
from tests.support.rows import age, events, rows, set_values

HOST, ORIGIN = "localhost", "http://localhost:8000"
NEW_PASSWORD = "eleven apples in a bowl"
HERE = Actor(address="192.0.2.1")


def challenge(age: timedelta = timedelta()) -> Challenge:
    return Challenge(encoded(secrets.token_bytes(32)), now() - age)


def add(actor: Actor, name: str = "Phone") -> Authenticator:
    device, asked = Authenticator(HOST, ORIGIN), challenge()
    passkeys.add(actor, name, device.make(asked), asked)
    return device


def sign_in(device: Authenticator, **told: Any) -> str:
    asked = challenge()
    return passkeys.authenticate(HERE, device.sign(asked, **told), asked).id


pytestmark = pytest.mark.usefixtures("ctx")


def test_counts_from_when_it_is_added(ann: Actor) -> None:
    device = add(ann)
    assert factors.has(ann.id)
    assert recovery_codes.left(ann.id) == 10
    assert sign_in(device, user_id=ann.id) == ann.id
    assert sign_in(device) == ann.id
    assert passkeys.known(ann.id) == [encoded(device.id)]


def test_is_added_once(ann: Actor, bob: Actor) -> None:
    device, asked = Authenticator(HOST, ORIGIN), challenge()
    made = device.make(asked)
    assert len(passkeys.add(ann, "x", made, asked)) == 10
    for person in (ann, bob):
        with pytest.raises(Conflict, match="registered already"):
            passkeys.add(person, "x", made, asked)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device, _asked: device.make(challenge()),
        lambda device, asked: device.make(asked, origin="https://evil.example"),
        lambda device, asked: device.make(asked, origin="http://localhost:8001"),
        lambda device, asked: device.make(asked, type="webauthn.get"),
        lambda _device, asked: Authenticator("evil.example", ORIGIN).make(asked),
        lambda device, asked: device.sign(asked),
        lambda _device, _asked: "{}",
        lambda _device, _asked: "[" * 5000,
        lambda device, asked: device.make(asked)[:-9],
    ],
)
def test_what_was_made_for_another_is_not_kept(
    ann: Actor, spoil: Callable[[Authenticator, Challenge], str]
) -> None:
    asked = challenge()
    with pytest.raises(Invalid):
        passkeys.add(ann, "x", spoil(Authenticator(HOST, ORIGIN), asked), asked)
    assert rows(Factor) == []


GOOGLE = UUID("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4")


@pytest.mark.parametrize(
    ("aaguid", "given", "kept"),
    [
        (GOOGLE, "", "Google Password Manager"),
        (GOOGLE, " ", "Google Password Manager"),
        (GOOGLE, "My phone", "My phone"),
        (UUID(int=0), "", "Firefox on Linux"),
        (UUID(int=1), "", "Firefox on Linux"),
    ],
)
def test_it_is_named_after_its_provider(ann: Actor, aaguid: UUID, given: str, kept: str) -> None:
    device, asked = Authenticator(HOST, ORIGIN), challenge()
    device.aaguid = aaguid.bytes
    passkeys.add(ann, given, device.make(asked), asked, default_name="Firefox on Linux")
    assert [factor.name for factor in rows(Factor)] == [kept]


def test_provider_names_fit_and_their_ids_are_spelled_as_they_come() -> None:
    assert [str(UUID(aaguid)) for aaguid in NAMES] == list(NAMES)
    assert all(0 < len(name) <= NAME_MAX for name in NAMES.values())


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_name_is_needed(ann: Actor, name: str) -> None:
    with pytest.raises(Invalid):
        add(ann, name)


def test_account_has_twenty_at_the_most(ann: Actor) -> None:
    for _ in range(passkeys.NUMBER_MAX):
        add(ann)
    with pytest.raises(Conflict, match="20"):
        add(ann)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device, _asked: device.sign(challenge()),
        lambda device, asked: device.sign(asked, origin="https://evil.example"),
        lambda device, asked: device.sign(asked, type="webauthn.create"),
        lambda device, asked: device.sign(asked, verified=False),
        lambda device, asked: device.sign(asked, user_id="somebody else"),
        lambda _device, asked: Authenticator(HOST, ORIGIN).sign(asked),
        lambda device, asked: forged(device, asked),
        lambda device, _asked: orjson.dumps({"id": encoded(device.id)}).decode(),
        lambda _device, _asked: '{"id": "\\u0000"}',
        lambda _device, _asked: "no JSON",
        lambda _device, _asked: "[]",
    ],
)
def test_what_is_not_signed_by_it_opens_nothing(
    ann: Actor, spoil: Callable[[Authenticator, Challenge], str]
) -> None:
    device, asked = add(ann), challenge()
    answer = spoil(device, asked)
    with pytest.raises(BadCredentials):
        passkeys.authenticate(HERE, answer, asked)
    assert len(events("factor.refused")) == 1
    assert [row.succeeded for row in rows(SignInAttempt)] == [False]


def forged(device: Authenticator, asked: Challenge) -> str:
    """Return an answer signed by another key under the same id."""
    other = Authenticator(HOST, ORIGIN)
    other.id = device.id
    return other.sign(asked)


def test_answer_counts_once(ann: Actor) -> None:
    device, asked = add(ann), challenge()
    answer = device.sign(asked)
    assert passkeys.authenticate(HERE, answer, asked).id == ann.id
    with pytest.raises(BadCredentials):
        passkeys.authenticate(HERE, answer, asked)


def test_challenge_from_before_the_last_use_signs_in(ann: Actor) -> None:
    """A synced passkey has no counter and may be used on another device while a page is open."""
    device, older = add(ann), challenge(timedelta(minutes=1))
    sign_in(device)
    assert passkeys.authenticate(HERE, device.sign(older), older).id == ann.id
    asked = challenge(timedelta(minutes=1))
    passkeys.prove(HERE, ann.id, device.sign(asked), asked, verified=True)


def test_challenge_counts_once_for_all_passkeys_and_purposes(ann: Actor) -> None:
    first, second, asked = add(ann), add(ann), challenge()
    passkeys.authenticate(HERE, first.sign(asked), asked)
    with pytest.raises(BadCredentials):
        passkeys.authenticate(HERE, second.sign(asked), asked)
    with pytest.raises(BadOtp):
        passkeys.prove(HERE, ann.id, second.sign(asked), asked, verified=True)
    made = Authenticator(HOST, ORIGIN)
    with pytest.raises(Conflict, match="twice"):
        passkeys.add(ann, "x", made.make(asked), asked)


def test_answer_that_is_sent_twice_is_no_guess(ann: Actor) -> None:
    device, asked = add(ann), challenge()
    answer = device.sign(asked)
    passkeys.authenticate(HERE, answer, asked)
    for _ in range(12):
        with pytest.raises(BadCredentials):
            passkeys.authenticate(HERE, answer, asked)
    assert sign_in(device) == ann.id
    assert len(events("factor.refused")) == 12


def test_refused_answer_does_not_use_up_its_challenge(ann: Actor) -> None:
    device, asked = add(ann), challenge()
    with pytest.raises(BadCredentials):
        passkeys.authenticate(HERE, device.sign(asked, verified=False), asked)
    assert passkeys.authenticate(HERE, device.sign(asked), asked).id == ann.id


@pytest.mark.parametrize(
    ("kept", "sent", "fits"), [(0, 0, 1), (0, 6, 1), (5, 6, 1), (5, 5, 0), (5, 4, 0), (5, 0, 0)]
)
def test_counter_goes_on(ann: Actor, kept: int, sent: int, fits: int) -> None:
    device = add(ann)
    (factor,) = rows(Factor)
    set_values(Factor, factor.id, sign_count=kept)
    device.count = sent
    if fits:
        assert sign_in(device) == ann.id
    else:
        with pytest.raises(BadCredentials):
            sign_in(device)
    assert rows(Factor)[0].sign_count == (sent if fits else kept)


def test_guesses_are_held_up(ann: Actor) -> None:
    device = add(ann)
    for _ in range(10):
        with pytest.raises(BadCredentials):
            sign_in(device, type="webauthn.create")
    with pytest.raises(TooManyRequests):
        sign_in(device)


def test_second_factor_is_the_users_own(ann: Actor, bob: Actor) -> None:
    hers, his, asked = add(ann), add(bob), challenge()
    passkeys.prove(HERE, ann.id, hers.sign(asked, verified=False), asked, verified=False)
    with pytest.raises(BadOtp):
        passkeys.prove(HERE, ann.id, his.sign(asked), asked, verified=False)
    assert [event.target_id for event in events("factor.refused")] == [ann.id]


def test_confirming_takes_a_device_that_checks_who_holds_it(ann: Actor) -> None:
    device, asked = add(ann), challenge()
    with pytest.raises(BadOtp):
        passkeys.prove(ann, ann.id, device.sign(asked, verified=False), asked, verified=True)


def test_second_factors_are_counted_with_the_codes(ann: Actor) -> None:
    device, asked = add(ann), challenge()
    for _ in range(5):
        with pytest.raises(BadOtp):
            passkeys.prove(HERE, ann.id, "{}", asked, verified=False)
    with pytest.raises(TooManyRequests):
        passkeys.prove(HERE, ann.id, device.sign(asked), asked, verified=False)
    age(SignInAttempt, "created_at", timedelta(minutes=5))
    passkeys.prove(HERE, ann.id, device.sign(asked), asked, verified=False)


@pytest.mark.parametrize("verified", [True, False])
def test_passkey_of_who_registered_with_anothers_address_goes_with_the_reset(
    ann: Actor, verified: bool
) -> None:
    """The address was unconfirmed until its owner followed the mailed link."""
    device = add(ann)
    set_values(User, ann.id, email_verified=verified)
    password_reset.follow(
        HERE, one_time_links.make(ann.id, "reset", "ann@example.com"), NEW_PASSWORD
    )
    if verified:
        assert sign_in(device) == ann.id
    else:
        assert (rows(Factor), rows(RecoveryCode)) == ([], [])
        assert events("factor.removed")


@pytest.mark.parametrize("size", [1023, 1024, 4000])
def test_id_has_1023_bytes_at_the_most(ann: Actor, size: int) -> None:
    """An index entry of PostgreSQL has at most some 2,700 bytes."""
    device, asked = Authenticator(HOST, ORIGIN), challenge()
    device.id = secrets.token_bytes(size)
    if size <= ID_MAX:
        passkeys.add(ann, "x", device.make(asked), asked)
        assert sign_in(device) == ann.id
    else:
        with pytest.raises(Invalid, match="too long"):
            passkeys.add(ann, "x", device.make(asked), asked)


def test_last_way_to_log_in_stays(ann: Actor) -> None:
    add(ann)
    set_values(User, ann.id, password_hash="")
    (factor,) = rows(Factor)
    with pytest.raises(Conflict, match="could not sign in"):
        factors.remove(ann, factor.id, None)
    add(ann)
    factors.remove(ann, factor.id, None)


def test_address_is_known_as_the_owners(ann: Actor) -> None:
    """The limit for the whole account does not apply to a known address."""
    sign_in(add(ann))
    kept = {(row.account, row.address) for row in rows(SignInAttempt) if row.succeeded}
    assert (throttle.account_of(ann.id, ""), HERE.address) in kept


def test_no_key_is_exported_or_told(ann: Actor) -> None:
    add(ann)
    (factor,) = rows(Factor)
    told = str(account_export.export(ann)) + str(events())
    assert factor.public_key not in told
