"""ID tokens must be signed by the provider, for this service and browser, and current."""

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.models import User
from app.services.openid import provider as openid_provider
from tests.support.clients import Browser
from tests.support.openid_provider import CLIENT_ID, Claims, Provider, go, make_key, refusal
from tests.support.rows import rows

KEY = make_key("first")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "of another browser"}, "InvalidClaimError"),
        ({"nonce": None}, "MissingClaimError"),
        ({"aud": "another service"}, "InvalidClaimError"),
        ({"aud": None}, "MissingClaimError"),
        ({"aud": [CLIENT_ID, "another"]}, "MissingClaimError"),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "InvalidClaimError"),
        ({"azp": "another"}, "InvalidClaimError"),
        ({"iss": "https://evil.example"}, "InvalidClaimError"),
        ({"iss": None}, "MissingClaimError"),
        ({"exp": 1_000_000_000}, "ExpiredTokenError"),
        ({"exp": None}, "MissingClaimError"),
        ({"exp": "never"}, "InvalidClaimError"),
        ({"iat": 9_999_999_999}, "InvalidClaimError"),
        ({"iat": None}, "MissingClaimError"),
        ({"at_hash": "of another token"}, "InvalidClaimError"),
        ({"sub": None}, "MissingClaimError"),
    ],
)
def test_id_token_for_another_purpose_is_refused(
    app: Flask, browser: Browser, provider: Provider, claims: Claims, why: str
) -> None:
    provider.claims = claims
    assert refusal(app, go(browser)) == f"ID token: {why}"


@pytest.mark.parametrize("subject", ["", "x" * 256, "ünique", "a\0b", 1001, ["1001"]])
def test_subject_that_is_none_is_refused(
    app: Flask, browser: Browser, provider: Provider, subject: object
) -> None:
    provider.claims = {"sub": subject}
    assert refusal(app, go(browser))


def part(content: Any) -> bytes:
    return urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")


def unsigned(claims: Claims) -> str:
    return f"{part({'alg': 'none'}).decode()}.{part(claims).decode()}."


def by_public_key(claims: Claims) -> str:
    """Return a token signed with the public key as a shared secret."""
    signed = part({"alg": "HS256", "kid": "first"}) + b"." + part(claims)
    mac = hmac.digest(KEY.as_pem(private=False), signed, "sha256")
    return (signed + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()


def by_own_key(claims: Claims) -> str:
    """Return a token signed by a key in its own header."""
    key = make_key("first")
    header = {"alg": "ES256", "kid": "first", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def cut(claims: Claims) -> str:
    return jwt.encode({"alg": "ES256", "kid": "first"}, claims, make_key("first")).rpartition(".")[
        0
    ]


@pytest.mark.parametrize("sign", [unsigned, by_public_key, by_own_key, cut])
def test_id_token_that_the_provider_did_not_sign_is_refused(
    app: Flask, browser: Browser, provider: Provider, sign: Any
) -> None:
    provider.keys, provider.sign = [KEY], sign
    assert refusal(app, go(browser)).startswith("ID token: ")


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS256", RSAKey.generate_key(2048, {"kid": "a"})),
        ("ES384", ECKey.generate_key("P-384", {"kid": "a", "alg": "ES384"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "a"})),
    ],
)
def test_any_kind_of_public_key_will_do(
    browser: Browser, provider: Provider, alg: str, key: Any
) -> None:
    provider.keys = [make_key("first"), key]
    provider.sign = lambda claims: jwt.encode(
        {"alg": alg, "kid": "a"}, claims, key, algorithms=[alg]
    )
    assert go(browser).status_code == 303


def test_new_keys_are_read_when_one_is_named_that_is_not_known(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    go(browser)
    provider.keys, provider.asked = [make_key("second")], []
    assert go(Browser(app)).status_code == 303
    assert provider.asked == ["token", "keys"]


def test_key_that_is_nowhere_is_looked_for_once(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    lost = make_key("lost")
    provider.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "lost"}, claims, lost)
    assert refusal(app, go(browser)) == "ID token: ValueError"
    assert provider.asked == ["description", "token", "keys", "keys"]


def test_token_without_a_key_name_needs_a_single_key(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    provider.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, provider.keys[0])
    assert go(browser).status_code == 303
    provider.keys.append(make_key("second"))
    openid_provider.provider_of.cache_clear()
    assert go(Browser(app)).status_code == 400


def test_what_the_id_token_leaves_out_is_asked_for(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    provider.claims = dict.fromkeys(("email", "email_verified", "preferred_username"))
    assert go(browser).status_code == 303
    with app.app_context():
        assert [user.username for user in rows(User)] == ["carl"]


def test_what_is_told_of_somebody_else_is_refused(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    provider.claims = {"email": None, "sub": "1002"}
    assert refusal(app, go(browser)) == "sub of userinfo"
