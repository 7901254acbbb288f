"""An OpenID provider on this machine, over real HTTP, for app/services/openid/flow.py.

The provider enforces the client's rules (redirect URI, secret, PKCE, a code once). A test makes
the provider dishonest or broken by `claims`, `sign`, `answer` and `tokens`.
"""

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, Key
from werkzeug.test import TestResponse

from app.models import Session, User
from app.services.openid import provider as openid_provider
from environment.openid import OpenIdClient
from tests.support.clients import Browser
from tests.support.rows import events, rows

CLIENT_ID, CLIENT_SECRET = "service", "a secret of the client: & more"
START, LINK = "/auth/openid/start", "/auth/openid/link"
PUBLIC_URL = "http://localhost:8000"
CALLBACK = f"{PUBLIC_URL}/auth/openid/callback"
Claims = dict[str, Any]


def make_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


class Provider:
    def __init__(self) -> None:
        self.issuer = ""
        self.app = Flask("provider")
        for rule, view in {
            "/.well-known/openid-configuration": self.describe,
            "/authorize": self.authorize,
            "/token": self.token,
            "/keys": self.show_keys,
            "/userinfo": self.userinfo,
        }.items():
            self.app.add_url_rule(rule, rule, view, methods=["GET", "POST"])
        self.reset()

    def reset(self) -> None:
        self.callback = CALLBACK  # registered by the client
        self.person: Claims = {
            "sub": "1001",
            "email": "carl@example.com",
            "email_verified": True,
            "preferred_username": "carl",
        }
        self.keys: list[Key] = [make_key("first")]
        self.description: Claims = {}  # replaces members of the discovery document
        self.claims: Claims = {}  # replaces claims of the ID token; None removes one
        self.answer: dict[str, str | None] = {}  # the same for the parameters of the redirect
        self.tokens: Claims = {}  # and for the token endpoint's answer
        self.status = 200  # of the token endpoint
        self.page = ""  # the token endpoint's answer in place of JSON
        self.sign: Callable[[Claims], str] = self.signed
        self.grants: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def signed(self, claims: Claims) -> str:
        key = self.keys[-1]
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)

    def describe(self) -> Response:
        self.asked.append("description")
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        return jsonify(_with(told, self.description))

    def authorize(self) -> Any:
        """Sign every visitor in as `person`, and redirect to the client."""
        asked = request.args
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["redirect_uri"] == self.callback
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.grants[code] = asked.to_dict()
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        return redirect(f"{asked['redirect_uri']}?{urlencode(_with(answer, self.answer))}")

    def token(self) -> Any:
        self.asked.append("token")
        pair = f"{CLIENT_ID}:{CLIENT_SECRET}".encode()
        assert request.headers["Authorization"] == f"Basic {base64.b64encode(pair).decode()}"
        grant = self.grants.pop(request.form["code"], None)
        if grant is None:
            return jsonify(error="invalid_grant"), 400
        assert request.form["grant_type"] == "authorization_code"
        assert request.form["redirect_uri"] == grant["redirect_uri"]
        challenge = create_s256_code_challenge(request.form["code_verifier"])
        assert challenge == grant["code_challenge"]
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "nonce": grant["nonce"],
            "iat": moment,
            "exp": moment + 300,
            **self.person,
        }
        tokens = {
            "access_token": "of-the-provider",
            "token_type": "Bearer",
            "id_token": self.sign(_with(claims, self.claims)),
        }
        return self.page or jsonify(_with(tokens, self.tokens)), self.status

    def show_keys(self) -> Response:
        self.asked.append("keys")
        return jsonify(keys=[key.as_dict(private=False) for key in self.keys])

    def userinfo(self) -> Response:
        self.asked.append("userinfo")
        assert request.headers["Authorization"] == "Bearer of-the-provider"
        return jsonify(self.person)


def _with(values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in {**values, **others}.items() if v is not None}


def client_of(issuer: str, **others: Any) -> OpenIdClient:
    values = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "Orchard", **others}
    return OpenIdClient(issuer=issuer, **values)


def configure(app: Flask, monkeypatch: pytest.MonkeyPatch, *clients: OpenIdClient) -> None:
    """Set the app's OpenID providers to these clients."""
    openid_provider.provider_of.cache_clear()
    settings = replace(app.extensions["settings"], openid=clients)
    monkeypatch.setitem(app.extensions, "settings", settings)


def callback_of(browser: Browser, start: str = START) -> str:
    """Return the address to which the provider redirects the browser."""
    there = browser.get(start)
    assert there.status_code == 302, there.text
    return httpx.get(there.location).headers["Location"].removeprefix(PUBLIC_URL)


def go(browser: Browser, start: str = START) -> TestResponse:
    """Follow the redirects to the provider and back."""
    return browser.get(callback_of(browser, start))


def refusal(app: Flask, answer: TestResponse) -> str:
    """Return the reason of the refusal in the audit trail."""
    assert answer.status_code == 400, answer.text
    assert "was not completed" in answer.text
    with app.app_context():
        assert rows(User) == rows(Session) == []
        (event,) = events("session.refused")
    why: str = event.changes["openid"][1]
    return why


def link(browser: Browser) -> TestResponse:
    return browser.post(LINK, form=LINK)
