"""The credentials that the server makes: how they are spelled, and what is kept of them.

    nsk_a1b2c3d4_<32 random><6 checksum>

The prefix says what it is (and lets scanners find leaked ones), the public part names it in lists and
logs, the checksum refuses typing errors without a look-up. Only the SHA-256 of the whole is kept: with
190 random bits there is nothing that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

API_KEY = "nsk"
JOIN_TOKEN = "nsj"  # noqa: S105 - a prefix, not a secret
AGENT = "nsa"
TICKET = "nst"

_PUBLIC = string.ascii_lowercase + string.digits
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PUBLIC_LENGTH, _RANDOM_LENGTH, _CHECKSUM_LENGTH = 8, 32, 6
_SHAPE = re.compile(r"(ns[kjat])_([a-z0-9]{8})_[0-9A-Za-z]{38}")


def new(prefix: str) -> str:
    """Returns a new secret; public_part() of it is its name."""
    public = "".join(secrets.choice(_PUBLIC) for _ in range(_PUBLIC_LENGTH))
    random = "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    body = f"{prefix}_{public}_{random}"
    return body + _checksum(body)


def prefix_of(secret: str) -> str:
    """Returns the prefix of a well-formed secret with the right checksum, else an empty string."""
    shape = _SHAPE.fullmatch(secret)
    if shape is None or _checksum(secret[:-_CHECKSUM_LENGTH]) != secret[-_CHECKSUM_LENGTH:]:
        return ""
    return shape[1]


def public_part(secret: str) -> str:
    return secret.split("_", 2)[1]


def sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
