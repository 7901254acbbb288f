"""Sign-in through an OpenID provider: the authorization code flow with PKCE.

OpenID Connect Core 1.0, section 3.1, as RFC 9700 requires: PKCE by S256 (RFC 7636), `state` and
`nonce` bound to the browser, and the issuer in the response (RFC 9207).
app/services/openid/linked_accounts.py finds the local account.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from app.errors import Invalid, ProviderAway, SignInRefused
from app.models.linked_account import SUBJECT_MAX
from app.services.openid import id_tokens, provider_client
from app.services.openid.person import Person
from app.services.openid.provider import Provider, provider_of
from app.services.openid.provider_client import AWAY, Declined
from app.services.users import identifiers
from environment.openid import OpenIdClient

AGAIN = "That sign-in was not completed. Start it again."


@dataclass(frozen=True, kw_only=True)
class Start:
    """A started sign-in, kept by the browser to prove that the same browser finishes it.

    The response must come from `issuer`, which received the request (RFC 9700, 4.4.2).
    """

    issuer: str
    state: str
    nonce: str
    verifier: str


def begin(client: OpenIdClient, redirect_uri: str) -> tuple[str, Start]:
    """Return the provider's URL to redirect the browser to, and the start. Raises ProviderAway."""
    provider = provider_of(client)
    return provider.line.within_time(lambda: _begin(provider, redirect_uri))


def _begin(provider: Provider, redirect_uri: str) -> tuple[str, Start]:
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    address = prepare_grant_uri(
        provider.description()["authorization_endpoint"],
        client_id=provider.client.client_id,
        response_type="code",
        redirect_uri=redirect_uri,
        scope=provider.client.scope,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return address, Start(
        issuer=provider.client.issuer, state=state, nonce=nonce, verifier=verifier
    )


def finish(
    client: OpenIdClient, redirect_uri: str, started: Start, answer: Mapping[str, str]
) -> Person:
    """Return the person who came back with `answer`, the query of the redirect.

    Raises SignInRefused, ProviderAway.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), started.state.encode()):
        raise SignInRefused(AGAIN, "state")
    if started.issuer != client.issuer:
        raise SignInRefused(AGAIN, "another provider")
    provider = provider_of(client)
    return provider.line.within_time(lambda: _finish(provider, redirect_uri, started, answer))


def _finish(
    provider: Provider, redirect_uri: str, started: Start, answer: Mapping[str, str]
) -> Person:
    _check_issuer(provider, answer)
    if "error" in answer:
        raise _failure(answer["error"])
    if not answer.get("code"):
        raise SignInRefused(AGAIN, "no code")
    tokens = _redeem(provider, redirect_uri, started, answer["code"])
    id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise ProviderAway(AWAY) from ValueError("no ID token came, or no access token")
    claims = id_tokens.read(provider, id_token, started.nonce, access_token)
    return _person(provider, {**_more(provider, claims, access_token), **claims})


def _check_issuer(provider: Provider, answer: Mapping[str, str]) -> None:
    """Raise SignInRefused if the response comes from another provider (RFC 9207, 2.4)."""
    is_supported = (
        provider.description().get("authorization_response_iss_parameter_supported") is True
    )
    if (is_supported or "iss" in answer) and answer.get("iss") != provider.client.issuer:
        raise SignInRefused(AGAIN, "iss")


def _failure(error: str) -> Exception:
    """Return the error to raise, without the provider's text, which anybody can put into a link."""
    if error in ("server_error", "temporarily_unavailable"):
        return Declined(AWAY)
    if error == "access_denied":
        return SignInRefused("The sign-in service refused the sign-in, or you cancelled it.", error)
    return SignInRefused(AGAIN, error[:64] if error.isascii() and error.isprintable() else "error")


def _redeem(provider: Provider, redirect_uri: str, started: Start, code: str) -> dict[str, Any]:
    """Exchange the code for tokens at the token endpoint. A code is valid once."""
    description, client = provider.description(), provider.client
    form = prepare_token_request(
        "authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=started.verifier,
    )
    # The default is the secret in a header (OpenID Connect Discovery 1.0, section 3).
    ways = description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
    url, headers, form = ClientAuth(client.client_id, client.client_secret, way).prepare(
        "POST",
        description["token_endpoint"],
        {"Content-Type": "application/x-www-form-urlencoded"},
        form,
    )
    status, found = provider_client.post(url, headers, form)
    if found.get("error") == "invalid_grant":
        raise SignInRefused(AGAIN, "invalid_grant")
    if status != 200:
        raise Declined(AWAY) from ValueError(f"no token: {status}, {found.get('error')!r}")
    return found


def _more(provider: Provider, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
    """Return the claims that the ID token omits, from the UserInfo endpoint (Core, 5.3)."""
    address = provider.description().get("userinfo_endpoint")
    groups = [provider.client.groups_claim] if provider.client.admin_groups else []
    if claims.keys() >= {"email", *groups} or not address:
        return {}
    found = provider_client.get(address, {"Authorization": f"Bearer {access_token}"})
    if found.get("sub") != claims["sub"]:
        raise SignInRefused(AGAIN, "sub of userinfo")
    return {name: found[name] for name in (*id_tokens.OPTIONAL, *groups) if name in found}


def _person(provider: Provider, claims: dict[str, Any]) -> Person:
    subject = claims["sub"]
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= SUBJECT_MAX
        or not (subject.isascii() and subject.isprintable())
    ):
        raise SignInRefused(AGAIN, "sub")
    username = claims.get("preferred_username")
    return Person(
        issuer=provider.client.issuer,
        subject=subject,
        email=_email(claims.get("email")),
        email_verified=claims.get("email_verified") in (True, "true"),
        username=username if isinstance(username, str) else "",
        admin_groups=_admin_groups(provider.client, claims),
    )


def _admin_groups(client: OpenIdClient, claims: dict[str, Any]) -> tuple[str, ...]:
    """Return the admin groups of the person; a list that is missing or a reference counts as empty.

    Entra ID sends a reference in place of more than 200 groups, and people may join so many groups
    by themselves.
    """
    claim = claims.get(client.groups_claim)
    groups = claim if isinstance(claim, list) else [claim]
    return tuple(group for group in client.admin_groups if group in groups)


def _email(claim: object) -> str:
    try:
        return identifiers.checked_email(claim) if isinstance(claim, str) else ""
    except Invalid:
        return ""
