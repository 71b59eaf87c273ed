"""Signed tokens (JWT) of an identity provider, checked against the keys that the operator named.

Each key has one algorithm. What a token says of its own algorithm only chooses among the keys: no token
can have a public key taken for a shared secret, or go without a signature.

The libraries that check signatures are imported where there is a key: they take 9 MiB, and most servers have none.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novasphere.api.v1 import options_pb2

from novasphere_server.clock import Clock
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.core.refusals import Refused

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

_SKEW_US = 60_000_000  # by how much the clocks of others may differ from ours
_LONGEST = 8192  # characters; what HTTP and gRPC carry in one header
_LONGEST_NAME = 255
_SMALLEST_RSA = 2048  # bits
_MOST_KEYS = 100
_UNREADABLE = (0,)  # the version of a file that cannot be read
_LAST_SECOND = 10**12  # what comes later fits no clock of ours
_SCOPES = {
    "read": options_pb2.SCOPE_READ,
    "write": options_pb2.SCOPE_WRITE,
    "admin": options_pb2.SCOPE_ADMIN,
    "agent": options_pb2.SCOPE_AGENT,
}
# What a key of this type and curve is used with.
_ALGORITHMS = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}


class JwksError(Exception):
    """The file of keys cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """Whose tokens are taken. Empty values: any issuer, any audience, no such keys."""

    secret: str = field(default="", repr=False)
    jwks: Path | None = None
    issuer: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class _Key:
    """A key and the one algorithm that it is for."""

    mark: str  # tells it from every other key
    key_id: str  # empty: tokens need not name it
    algorithm: str
    key: AllowedPublicKeys | bytes = field(repr=False)


class Jwts:
    """Tells who holds a signed token."""

    def __init__(self, settings: JwtSettings, clock: Clock) -> None:
        """Reads the keys. Raises JwksError."""
        self._settings = settings
        self._clock = clock
        self._secret = (
            (_Key("secret", "", "HS256", settings.secret.encode()),) if settings.secret else ()
        )
        self._version: tuple[int, ...] = ()
        self._public: Sequence[_Key] = ()
        self.reread()
        if self._secret or self._public:
            import jwt  # noqa: F401 - now, and not while the first caller waits

    def reread(self) -> bool:
        """Reads the file of keys if it is another than the last time. Returns whether it was.

        Raises JwksError, once for each version of a file that cannot be used; the keys stay as they were.
        """
        path = self._settings.jwks
        if path is None:
            return False
        last, self._version = self._version, _UNREADABLE
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            text = b"" if version == last else path.read_bytes()
        except OSError as error:
            if last == _UNREADABLE:
                return False
            raise JwksError(f"{path} cannot be read: {error.strerror}") from None
        self._version = version
        if version == last:
            return False
        try:
            self._public = _public_keys(text)
        except JwksError as error:
            raise JwksError(f"{path} {error}") from None
        return True

    def trusts(self, mark: str) -> bool:
        """Returns whether the key of that mark is one that tokens are checked with now."""
        return any(key.mark == mark for key in (*self._secret, *self._public))

    @staticmethod
    def is_one(token: str) -> bool:
        """Returns whether the text has the shape of a signed token."""
        return token.count(".") == 2 and token.startswith("ey")  # base64 of {"

    def verify(self, token: str) -> Principal:
        """Returns who holds the token. Raises Refused."""
        if not (self._secret or self._public):
            raise _refused("this server has no key that signed tokens could be checked with")
        if len(token) > _LONGEST:
            raise _refused(f"longer than {_LONGEST} characters")
        import jwt

        try:
            payload, key = self._opened(token)
            claims = json.loads(payload)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _refused(f"malformed ({type(error).__name__})") from None
        if not isinstance(claims, dict):
            raise _refused("the claims are not an object")
        return self._principal(claims, key)

    def _opened(self, token: str) -> tuple[bytes, _Key]:
        """Returns what was signed, and with which key. Raises Refused, and much else if the token is not well formed."""
        import jwt

        header = jwt.get_unverified_header(token)
        algorithm, key_id = str(header.get("alg")), header.get("kid")
        fitting = [key for key in (*self._secret, *self._public) if key.algorithm == algorithm]
        if not fitting:
            raise _refused(f"no key is for the algorithm {algorithm[:16]!r}")
        if key_id is not None:
            fitting = [key for key in fitting if key.key_id in ("", key_id)]
            if not fitting:
                raise _refused(f"no key has the id {str(key_id)[:64]!r}")
        for key in fitting:
            try:
                signed = jwt.api_jws.decode_complete(token, key.key, [key.algorithm])
            except jwt.InvalidSignatureError:
                continue
            return bytes(signed["payload"]), key
        raise _refused("the signature is not that of any key")

    def _principal(self, claims: Mapping[str, Any], key: _Key) -> Principal:
        settings = self._settings
        issuer, subject = claims.get("iss", ""), claims.get("sub", "")
        if not (_is_name(subject) and subject):
            raise _refused("sub is missing, or no name")
        if not _is_name(issuer):
            raise _refused("iss is no name")
        # The issuer may hold colons; with none in the subject no two callers share a name.
        name = f"{PrincipalKind.JWT}:{issuer}:{subject.replace('%', '%25').replace(':', '%3A')}"
        if settings.issuer and issuer != settings.issuer:
            raise _refused("iss is not the issuer whose tokens are taken", name)
        if settings.audience and settings.audience not in _texts(claims.get("aud", ())):
            raise _refused("aud is not this server", name)
        return Principal(
            PrincipalKind.JWT,
            name,
            _scopes(claims, name),
            _namespaces(claims, name),
            expires_at_us=self._expiry(claims, name),
            signed_with=key.mark,
        )

    def _expiry(self, claims: Mapping[str, Any], name: str) -> int:
        """Returns when the token stops working, in microseconds: at its time, or at the end of what clocks
        may differ by if that has passed.
        """
        now_us = self._clock.now_us()
        if "nbf" in claims:
            not_before_us = _instant(claims["nbf"])
            if not_before_us is None:
                raise _refused("nbf is not a time", name)
            if now_us < not_before_us - _SKEW_US:
                raise _refused("not valid yet", name)
        expires_at_us = _instant(claims.get("exp"))
        if expires_at_us is None:
            raise _refused("exp is missing, or not a time", name)
        if now_us >= expires_at_us:
            expires_at_us += _SKEW_US
        if now_us >= expires_at_us:
            raise _refused("expired", name)
        return expires_at_us


def _refused(why: str, claimed: str = "") -> Refused:
    return Refused(PrincipalKind.JWT, why, claimed=claimed)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isprintable()


def _instant(value: object) -> int | None:
    """Returns the microseconds of a NumericDate, None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return int(min(max(value, 0), _LAST_SECOND) * 1_000_000)


def _texts(value: object) -> Sequence[str]:
    """Returns the texts of a claim that is one or a list of them; none if it is neither."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return ()


def _scopes(claims: Mapping[str, Any], name: str) -> frozenset[options_pb2.Scope.ValueType]:
    """Returns the scopes that the token names. Those of other programs are none of ours."""
    spaced, listed = claims.get("scope", ""), claims.get("scopes", [])
    if not isinstance(spaced, str) or not isinstance(listed, list):
        raise _refused("scope is not a text, or scopes not a list", name)
    words = [*spaced.split(), *_texts(listed)]
    return frozenset(_SCOPES[word] for word in words if word in _SCOPES)


def _namespaces(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    if "namespaces" not in claims:
        return frozenset()
    listed = claims["namespaces"]
    # Nothing that is wrong here may end as all namespaces, which an empty set means.
    if not (isinstance(listed, list) and listed and all(_is_name(item) and item for item in listed)):
        raise _refused("namespaces is not a list of names", name)
    return frozenset(listed)


def _public_keys(text: bytes) -> list[_Key]:
    """Returns the keys of a JWKS file that this server can use. Raises JwksError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise JwksError("is not JSON") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise JwksError('is no set of keys (JWKS): it must hold {"keys": [...]}')
    if len(listed) > _MOST_KEYS:
        raise JwksError(f"holds more than {_MOST_KEYS} keys")
    keys = [key for key in map(_public_key, listed) if key is not None]
    if not keys:
        raise JwksError("holds no public key for RS256, ES256 or EdDSA")
    return keys


def _public_key(data: object) -> _Key | None:
    """Returns a key of the set, None if it is for something else. Raises JwksError."""
    if not isinstance(data, dict):
        raise JwksError("holds a key that is not an object")
    key_id, kind, curve = data.get("kid", ""), data.get("kty"), data.get("crv", "")
    algorithm = _ALGORITHMS.get((str(kind), str(curve)))
    if algorithm is None or data.get("use", "sig") != "sig" or data.get("alg", algorithm) != algorithm:
        return None
    if not isinstance(key_id, str):
        raise JwksError("holds a key whose kid is not a text")
    if "d" in data:
        raise JwksError(f"holds the private half of the key {key_id!r}: put the public one there")
    import jwt
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        key = jwt.PyJWK(data, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise JwksError(f"holds a broken key: {key_id!r}") from None
    if isinstance(key, RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise JwksError(f"holds an RSA key of fewer than {_SMALLEST_RSA} bits: {key_id!r}")
    return _Key(_mark(data), key_id, algorithm, key)


def _mark(data: Mapping[str, Any]) -> str:
    public = {name: data[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in data}
    return hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()
