"""Identity providers of a test's own: keys, the files that publish them, and tokens signed with them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "a shared secret of at least 32 bytes"


@dataclass(frozen=True)
class Signer:
    """A private key and its name."""

    algorithm: str
    key: Any
    key_id: str | None = None

    def sign(self, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """Returns a token of alice's that is good for an hour, changed by `claims`; None leaves one out."""
        filled = {"sub": "alice", "exp": time.time() + 3600, "scope": "read"} | claims
        kept = {name: value for name, value in filled.items() if value is not None}
        named = ({"kid": self.key_id} if self.key_id else {}) | (headers or {})
        return jwt.encode(kept, self.key, algorithm=self.algorithm, headers=named)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as it is published."""
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        data = algorithm.to_jwk(self.key.public_key(), as_dict=True)
        return data | ({"kid": self.key_id} if self.key_id else {})


def signer(algorithm: str, key_id: str | None = None) -> Signer:
    match algorithm:
        case "HS256":
            return Signer(algorithm, SECRET)
        case "RS256":
            return Signer(algorithm, rsa.generate_private_key(65537, 2048), key_id)
        case "ES256":
            return Signer(algorithm, ec.generate_private_key(ec.SECP256R1()), key_id)
        case _:
            return Signer(algorithm, ed25519.Ed25519PrivateKey.generate(), key_id)


def publish(path: Path, *signers: Signer) -> Path:
    """Writes the public halves to a file at once, as careful operators do."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"keys": [each.jwk for each in signers]}))
    new.rename(path)
    return path
