"""Second factors by the API: set up, sign in, lose."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.errors import BadOtp, Conflict
from app.models import Factor, RecoveryCode, Session, SignInAttempt, Token, User
from app.models.factor import APPS_MAX
from app.product import NAME
from app.services.access import page_sessions
from app.services.factors import factors, recovery_codes, totp, verification
from app.services.shared.actor import Actor
from app.services.users import users
from tests.conftest import PASSWORD, MakeApp, signed_in_api
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api
from tests.support.factors import Phone, add_app, hold_clock, phone_of
from tests.support.rows import actions, age, events, rows, set_values

PROOF = {"current_password": PASSWORD}
TOTP, CODES = "/users/me/factors/totp", "/users/me/recovery-codes"
NEEDED, WRONG, HELD_UP = (401, "otp-required"), (401, "bad-otp"), (429, "too-many-requests")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_clock(monkeypatch)


@pytest.fixture
def phone(app: Flask, ann: Actor) -> Phone:
    return phone_of(app, ann)


def sign_in(api: Api, otp: str | None = None, password: str = PASSWORD) -> TestResponse:
    code = {} if otp is None else {"otp": otp}
    return api.post("/auth/login", {"identifier": "ann", "password": password, **code})


def set_up(api: Api) -> Phone:
    phone = Phone(api.post(TOTP, PROOF).get_json()["secret"], [])
    answer = api.post(f"{TOTP}/confirm", {"otp": phone.code(-1)})
    phone.recovery_codes = answer.get_json()["recovery_codes"]
    return phone


def test_app_counts_once_it_is_confirmed(api: Api, ann_api: Api) -> None:
    begun = ann_api.post(TOTP, PROOF).get_json()
    assert begun["uri"].startswith(f"otpauth://totp/{NAME}:ann?secret={begun['secret']}&")
    assert sign_in(api).status_code == 200
    answer = ann_api.post(f"{TOTP}/confirm", {"otp": Phone(begun["secret"], []).code()})
    assert len(set(answer.get_json()["recovery_codes"])) == 10
    assert slug_of(sign_in(api)) == NEEDED
    assert ann_api.get("/users/me/factors").get_json()["items"][0]["kind"] == "totp"


def test_beginning_again_voids_the_secret_before(ann_api: Api) -> None:
    first, second = (Phone(ann_api.post(TOTP, PROOF).get_json()["secret"], []) for _ in range(2))
    answer = ann_api.post(f"{TOTP}/confirm", {"otp": first.code()})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/otp"])
    assert ann_api.post(f"{TOTP}/confirm", {"otp": second.code()}).status_code == 200


def test_setting_up_takes_ten_minutes_at_the_most(app: Flask, ann_api: Api) -> None:
    phone = Phone(ann_api.post(TOTP, PROOF).get_json()["secret"], [])
    with app.app_context():
        age(Factor, "created_at", totp.SETUP_LIFE)
    answer = ann_api.post(f"{TOTP}/confirm", {"otp": phone.code()})
    assert slug_of(answer) == (409, "conflict")


def test_phone_is_replaced_without_a_gap(app: Flask, ann: Actor, ann_api: Api) -> None:
    with app.app_context():
        old = add_app(ann)
        new = add_app(ann)
        assert verification.prove(Actor(), ann.id, old.code()) is False
        assert verification.prove(Actor(), ann.id, new.code()) is False
        (first, second) = rows(Factor, user_id=ann.id)
        assert (first.name, second.name) == ("Authenticator app", "Authenticator app 2")
        factors.remove(ann, first.id, PASSWORD)
        with pytest.raises(BadOtp):
            verification.prove(Actor(), ann.id, old.code(1))
        assert verification.prove(Actor(), ann.id, new.code(1)) is False
        assert recovery_codes.left(ann.id) == 10


def test_reset_of_an_app_that_does_not_count_yet_ends_no_login(
    ann: Actor, ann_api: Api, root_api: Api
) -> None:
    ann_api.post(TOTP, PROOF)
    assert root_api.delete(f"/users/{ann.id}/factors").status_code == 204
    assert ann_api.get("/users/me").status_code == 200


def test_sixth_app_is_a_conflict(app: Flask, ann: Actor) -> None:
    with app.app_context():
        for _ in range(APPS_MAX):
            add_app(ann)
        with pytest.raises(Conflict):
            totp.begin(ann, PASSWORD)
        names = {row.name for row in rows(Factor, user_id=ann.id)}
        assert len(names) == APPS_MAX


@pytest.mark.parametrize("body", [{}, {"current_password": "wrong"}])
@pytest.mark.parametrize("path", [TOTP, CODES, "/users/me/factors/{0}/remove"])
def test_nothing_changes_without_the_password(
    app: Flask, ann_api: Api, path: str, body: dict[str, Any]
) -> None:
    set_up(ann_api)
    with app.app_context():
        before = rows(Factor), rows(RecoveryCode)
    answer = ann_api.post(path.format(before[0][0].id), body)
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/current_password"])
    with app.app_context():
        assert (rows(Factor), rows(RecoveryCode)) == before


def test_guesses_at_the_password_are_counted(ann_api: Api) -> None:
    for _ in range(10):
        assert ann_api.post(TOTP, {"current_password": "wrong"}).status_code == 422
    assert slug_of(ann_api.post(TOTP, PROOF)) == HELD_UP


def test_code_signs_in_once(api: Api, phone: Phone) -> None:
    assert sign_in(api, phone.code()).status_code == 200
    assert slug_of(sign_in(api, phone.code())) == WRONG


def test_code_of_the_confirmation_is_used_by_it(api: Api, phone: Phone) -> None:
    assert slug_of(sign_in(api, phone.code(-1))) == WRONG


def test_older_code_does_not_come_after_a_newer_one(api: Api, phone: Phone) -> None:
    assert sign_in(api, phone.code(1)).status_code == 200
    assert slug_of(sign_in(api, phone.code())) == WRONG


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (0, 200), (1, 200), (2, 401)])
def test_clock_may_be_one_step_off(api: Api, phone: Phone, steps: int, status: int) -> None:
    assert sign_in(api, phone.code(steps)).status_code == status


@pytest.mark.parametrize(
    "otp", ["", "000", "abcdef", "\u0663\u0663\u0663\u0663\u0663\u0663", "9" * 500]
)
def test_what_is_no_code_is_a_wrong_one(api: Api, phone: Phone, otp: str) -> None:
    assert slug_of(sign_in(api, otp)) == WRONG


def test_code_is_not_looked_at_before_the_password(api: Api, phone: Phone) -> None:
    answer = sign_in(api, phone.code(), password="wrong")
    assert slug_of(answer) == (401, "bad-credentials")
    assert sign_in(api, phone.code()).status_code == 200


def test_code_is_passed_over_where_there_is_no_factor(api: Api, ann: Actor) -> None:
    assert sign_in(api, "000000").status_code == 200


def test_recovery_code_signs_in_once(app: Flask, api: Api, phone: Phone, ann: Actor) -> None:
    code = phone.recovery_codes[0]
    assert sign_in(api, code).status_code == 200
    assert slug_of(sign_in(api, code)) == WRONG
    assert sign_in(api, f" {phone.recovery_codes[1].upper()} ").status_code == 200
    with app.app_context():
        assert recovery_codes.left(ann.id) == 8
        assert actions().count("recovery_code.used") == 2


def test_recovery_codes_help_where_the_key_of_the_secrets_is_lost(
    app: Flask, other_app: MakeApp, phone: Phone
) -> None:
    api = Api(other_app(SECRET_KEY="fedcba9876543210-of-the-tests-alone"))
    assert slug_of(sign_in(api, phone.code())) == WRONG
    assert sign_in(api, phone.recovery_codes[0]).status_code == 200
    assert sign_in(Api(app), phone.code()).status_code == 200


def test_recovery_code_is_its_owners_alone(app: Flask, api: Api, phone: Phone, bob: Actor) -> None:
    phone_of(app, bob)
    body = {"identifier": "bob", "password": PASSWORD, "otp": phone.recovery_codes[0]}
    assert slug_of(api.post("/auth/login", body)) == WRONG


def test_new_recovery_codes_void_the_old_ones(api: Api, ann_api: Api) -> None:
    phone = set_up(ann_api)
    new = ann_api.post(CODES, PROOF).get_json()["recovery_codes"]
    assert slug_of(sign_in(api, phone.recovery_codes[0])) == WRONG
    assert sign_in(api, new[0]).status_code == 200
    assert ann_api.get(CODES).get_json() == {"left": 9}


def test_removing_the_last_factor_takes_the_codes_along(app: Flask, api: Api, ann_api: Api) -> None:
    set_up(ann_api)
    factor = ann_api.get("/users/me/factors").get_json()["items"][0]
    assert ann_api.post(f"/users/me/factors/{factor['id']}/remove", PROOF).status_code == 204
    assert sign_in(api).status_code == 200
    with app.app_context():
        assert (rows(Factor), rows(RecoveryCode)) == ([], [])


def test_strangers_factor_is_not_there(app: Flask, phone: Phone, bob_api: Api) -> None:
    with app.app_context():
        (factor,) = rows(Factor)
    answer = bob_api.post(f"/users/me/factors/{factor.id}/remove", PROOF)
    assert slug_of(answer) == (404, "not-found")


def test_adding_a_factor_ends_the_other_sign_ins(app: Flask, ann: Actor, ann_api: Api) -> None:
    other = signed_in_api(app, ann)
    personal = ann_api.post("/tokens", {"name": "x", "scopes": ["profile:read"]}).get_json()
    with app.app_context():
        page_sessions.start(Actor(), users.get(ann, ann.id), remember=False, user_agent="")
    set_up(ann_api)
    assert ann_api.get("/users/me").status_code == 200
    assert other.get("/users/me").status_code == 401
    assert Api(app, personal["token"]).get("/users/me").status_code == 200
    with app.app_context():
        assert rows(Session) == []


def test_no_secret_is_stored_in_the_clear_or_told_again(app: Flask, ann_api: Api) -> None:
    phone = set_up(ann_api)
    told = ann_api.get("/users/me/export").text + ann_api.get("/users/me/factors").text
    with app.app_context():
        stored = str([rows(Factor), rows(RecoveryCode), events()])
    for secret in (phone.app.secret, phone.recovery_codes[0]):
        assert secret not in stored + told
        assert secret.replace("-", "") not in stored + told
    assert '"factors":[{' in told.replace(" ", "")


def test_sixth_wrong_code_within_five_minutes_is_held_up(
    app: Flask, api: Api, phone: Phone
) -> None:
    for _ in range(5):
        assert slug_of(sign_in(api, "000000")) == WRONG
    answer = sign_in(api, phone.code())
    assert slug_of(answer) == HELD_UP
    assert 290 <= int(answer.headers["Retry-After"]) <= 300
    pass_time(app, minutes=5)
    assert sign_in(api, phone.code()).status_code == 200


@pytest.mark.parametrize(("number", "hours"), [(20, 1), (50, 24)])
def test_wrong_codes_are_counted_over_an_hour_and_a_day(
    app: Flask, api: Api, phone: Phone, number: int, hours: int
) -> None:
    for done in range(number):
        if done and done % 5 == 0:  # so that no shorter limit applies
            pass_time(app, minutes=5 if number == 20 else 61)
        assert slug_of(sign_in(api, "000000")) == WRONG
    pass_time(app, minutes=6)
    answer = sign_in(api, phone.code())
    assert slug_of(answer) == HELD_UP
    pass_time(app, hours=hours)
    assert sign_in(api, phone.code()).status_code == 200


def pass_time(app: Flask, **by: float) -> None:
    with app.app_context():
        age(SignInAttempt, "created_at", timedelta(**by))


def test_who_lacks_the_password_cannot_hold_up_the_codes(
    app: Flask, api: Api, phone: Phone
) -> None:
    for _ in range(10):
        sign_in(api, "000000", password="wrong")
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    body = {"identifier": "ann", "password": PASSWORD, "otp": phone.code()}
    answer = api.post("/auth/login", body, environ_overrides=elsewhere)
    assert answer.status_code == 200


def test_admin_resets_the_factors_of_somebody(
    app: Flask, api: Api, ann: Actor, ann_api: Api, root_api: Api
) -> None:
    set_up(ann_api)
    assert root_api.delete(f"/users/{ann.id}/factors").status_code == 204
    assert ann_api.get("/users/me").status_code == 401
    assert sign_in(api).status_code == 200
    with app.app_context():
        (event,) = events("factor.reset")
        assert (event.target_id, event.changes) == (ann.id, {"factors": [["totp"], []]})
        assert (rows(Factor), rows(RecoveryCode)) == ([], [])


def test_resetting_nothing_ends_nothing(ann: Actor, ann_api: Api, root_api: Api) -> None:
    assert root_api.delete(f"/users/{ann.id}/factors").status_code == 204
    assert ann_api.get("/users/me").status_code == 200


def test_command_resets_the_factors(app: Flask, phone: Phone, ann: Actor) -> None:
    result = app.test_cli_runner().invoke(args=["users", "reset-factors", "ann"])
    assert (result.exit_code, result.output) == (0, "ann signs in with the password only now.\n")
    with app.app_context():
        assert not factors.has(ann.id)


def test_each_event_is_audited_once(app: Flask, api: Api, ann_api: Api) -> None:
    phone = set_up(ann_api)
    ann_api.post(CODES, PROOF)
    sign_in(api, "000000")
    sign_in(api, phone.code())
    factor = ann_api.get("/users/me/factors").get_json()["items"][0]["id"]
    ann_api.post(f"/users/me/factors/{factor}/remove", PROOF)
    with app.app_context():
        told = [action for action in actions() if action.split(".")[0] not in ("user", "session")]
    assert told == ["factor.added", "recovery_codes.made", "factor.refused", "factor.removed"]


def test_account_without_a_password_needs_a_recent_sign_in(
    app: Flask, ann: Actor, ann_api: Api
) -> None:
    with app.app_context():
        set_values(User, ann.id, password_hash="")
    assert ann_api.post(TOTP, {}).status_code == 200
    with app.app_context():
        age(Token, "signed_in_at", timedelta(minutes=16))
    assert slug_of(ann_api.post(TOTP, {})) == (403, "reauthentication-required")
