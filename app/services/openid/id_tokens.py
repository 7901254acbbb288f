"""Validation of ID tokens: signature, issuer, audience, nonce and times.

OpenID Connect Core 1.0, 3.1.3.7.
"""

from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from app.errors import SignInRefused
from app.services.openid.provider import Provider

# Only asymmetric algorithms: with HMAC or none, anybody who knows a public key could sign.
KEY_TYPES = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "Ed25519": "OKP",
    "EdDSA": "OKP",
}
LEEWAY = 30  # seconds of accepted clock skew
OPTIONAL = ("email", "email_verified", "preferred_username")
REFUSED = "The sign-in service sent an invalid ID token. Start the sign-in again."


def read(provider: Provider, id_token: str, nonce: str, access_token: str) -> dict[str, Any]:
    """Return the claims of a valid token. Raises SignInRefused, ProviderAway."""
    client = provider.client
    try:
        jwk = _key(provider, _header(id_token))
        key = JWKRegistry.import_key(jwk)
        token = jwt.decode(id_token, key, algorithms=list(KEY_TYPES))
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": client.issuer},
                "aud": {"essential": True, "value": client.client_id},
            },
            params={"nonce": nonce, "client_id": client.client_id, "access_token": access_token},
        )
        claims.validate(leeway=LEEWAY)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SignInRefused(REFUSED, f"ID token: {type(error).__name__}") from error
    return dict(claims)


def _header(id_token: str) -> dict[str, Any]:
    return dict(jws.extract_compact(id_token.encode()).headers())


def _key(provider: Provider, header: dict[str, Any]) -> dict[str, Any]:
    """Return the key that the token names. Fetches the keys again if none matches (rotation)."""
    for anew in (False, True):
        fitting = [key for key in provider.keys(anew=anew) if _fits(key, header)]
        if len(fitting) == 1:  # a token may omit the key id if only one key matches
            return fitting[0]
    raise ValueError("no such key")


def _fits(key: dict[str, Any], header: dict[str, Any]) -> bool:
    alg = header.get("alg")
    return (
        isinstance(alg, str)
        and alg in KEY_TYPES
        and key.get("kty") == KEY_TYPES[alg]
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and header.get("kid", key.get("kid")) == key.get("kid")
    )
