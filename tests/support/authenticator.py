"""A passkey in software, for tests without a browser, by WebAuthn Level 2."""

import hashlib
import secrets
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from app.services.factors.webauthn_messages import Challenge, encoded

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40  # flags (WebAuthn Level 2, 6.1)


class Authenticator:
    def __init__(self, rp_id: str, origin: str) -> None:
        self.rp_id, self.origin = rp_id, origin
        self.id = secrets.token_bytes(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.count = 0
        self.aaguid = bytes(16)

    def make(self, challenge: Challenge, **client: str) -> str:
        """Return a browser's answer for a new passkey."""
        point = self.key.public_key().public_numbers()
        coordinates = {-2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        key = encode_cbor({1: 2, 3: -7, -1: 1, **coordinates})  # RFC 9053: EC2, ES256, P-256
        attested = self.aaguid + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(PRESENT | VERIFIED | ATTESTED) + attested
        statement = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=self._client("webauthn.create", challenge, client),
            attestationObject=statement,
        )

    def sign(
        self, challenge: Challenge, user_id: str = "", *, verified: bool = True, **client: str
    ) -> str:
        """Return a browser's answer for a use of the passkey."""
        told = self._client("webauthn.get", challenge, client)
        data = self._data(PRESENT | (VERIFIED if verified else 0))
        signature = self.key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(SHA256()))
        handle = {"userHandle": user_id.encode()} if user_id else {}
        return self._answer(
            clientDataJSON=told, authenticatorData=data, signature=signature, **handle
        )

    def _data(self, flags: int) -> bytes:
        rp = hashlib.sha256(self.rp_id.encode()).digest()
        return rp + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: Challenge, client: dict[str, str]) -> bytes:
        told = {"type": kind, "challenge": challenge.value, "origin": self.origin, **client}
        return orjson.dumps(told)

    def _answer(self, **response: Any) -> str:
        name = encoded(self.id)
        told = {part: encoded(value) for part, value in response.items()}
        answer = {"id": name, "rawId": name, "type": "public-key", "response": told}
        return orjson.dumps(answer).decode()
