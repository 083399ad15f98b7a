"""An authenticator in software: makes passkeys and uses them, as W3C Web Authentication says.

Only what a test needs of CTAP: attestation ``none``, ES256, flags that can be told to lie.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

UP, UV, AT = 0x01, 0x04, 0x40


class Authenticator:
    """One key, on one device; ``verifies``: whether it checks its user."""

    def __init__(self, origin: str, verifies: bool = True) -> None:
        self.origin = origin
        self.verifies = verifies
        self.count = 0
        self.id = secrets.token_bytes(16)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """What ``navigator.credentials.create`` gives, as JSON."""
        numbers = self._key.public_key().public_numbers()
        cose = encode_cbor(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cose
        data = self._data(options["rp"]["id"], AT) + credential
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"], lies)
        return {
            "id": bytes_to_base64url(self.id),
            "rawId": bytes_to_base64url(self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": bytes_to_base64url(client),
                "attestationObject": bytes_to_base64url(attestation),
            },
        }

    def use(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """What ``navigator.credentials.get`` gives, as JSON; ``lies`` stand in for the truth."""
        self.count += 1
        data = self._data(lies.get("rp", options["rpId"]), 0)
        client = self._client("webauthn.get", options["challenge"], lies)
        signed = data + hashlib.sha256(client).digest()
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        if lies.get("signature"):
            signature = lies["signature"]
        return {
            "id": bytes_to_base64url(self.id),
            "rawId": bytes_to_base64url(self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": bytes_to_base64url(client),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(signature),
            },
        }

    def _data(self, rp: str, more: int) -> bytes:
        flags = UP | more | (UV if self.verifies else 0)
        return hashlib.sha256(rp.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        said = {
            "type": lies.get("kind", kind),
            "challenge": lies.get("challenge", challenge),
            "origin": lies.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(said).encode()
