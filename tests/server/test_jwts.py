"""Signed tokens of an identity provider."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import signers
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from novasphere_server import logs
from novasphere_server.core.jwts import Jwts, JwtSettings
from novasphere_server.core.principals import Principal
from novasphere_server.core.refusals import Refused
from novasphere_server.settings import CannotStart, SettingsError, load
from novasphere_server.testing import MovableClock, RunningServer, running_server
from signers import SECRET, Signer

HS256 = signers.signer("HS256")
RS256 = signers.signer("RS256", "rsa")
ES256 = signers.signer("ES256", "ec")
EDDSA = signers.signer("EdDSA", "ed")
ALL = (HS256, RS256, ES256, EDDSA)
ISSUER = "https://id.example"


@asynccontextmanager
async def trusting(tmp_path: Path, **settings: Any) -> AsyncIterator[RunningServer]:
    """A server that takes the tokens of all four."""
    jwks = signers.publish(tmp_path / "jwks.json", RS256, ES256, EDDSA)
    async with running_server(tmp_path, jwt_secret=SECRET, jwt_jwks=jwks, **settings) as server:
        yield server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with trusting(tmp_path) as running:
        yield running


async def status(server: RunningServer, token: str, path: str = "/api/v1/nodes") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.get(server.http_url + path, headers=headers) as r:
        return r.status


@pytest.mark.parametrize("signer", ALL, ids=lambda signer: signer.algorithm)
async def test_a_signed_token_is_a_credential_with_the_scopes_it_names(server: RunningServer, signer):
    assert await status(server, signer.sign()) == 200
    assert await status(server, signer.sign(scope=None, scopes=["openid", "read"])) == 200
    assert await status(server, signer.sign(scope="write openid")) == 403
    assert await status(server, signer.sign(scope=None)) == 403
    assert await status(server, signer.sign(scope="write admin"), "/api/v1/keys") == 200


async def test_its_holder_is_named_after_issuer_and_subject(server: RunningServer):
    token = RS256.sign(iss=ISSUER, sub="system:alice", scope="admin read", namespaces=["team"])
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:
        wanted = {"name": "k", "scopes": ["read"], "namespaces": ["team"]}
        async with http.post("/api/v1/keys", json=wanted) as made:
            assert made.status == 201
            key_id = (await made.json())["key_id"]
        async with http.get(f"/api/v1/keys/{key_id}") as shown:
            assert (await shown.json())["created_by"] == f"jwt:{ISSUER}:system%3Aalice"
        # It is bound to its namespaces, like everything that it makes.
        async with http.post("/api/v1/keys", json={"name": "k", "scopes": ["read"]}) as refused:
            assert refused.status == 403


def unsigned(**claims: Any) -> str:
    token = jwt.encode({"sub": "a", "exp": time.time() + 60, "scope": "read"} | claims, "", "none")
    return str(token)


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_by_hand(header: Any, claims: Any, secret: bytes = SECRET.encode()) -> str:
    """A token with the right signature, whatever it holds."""
    content = f"{part(header)}.{part(claims)}"
    return f"{content}.{part(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


def with_public_key_as_secret(**claims: Any) -> str:
    """A token that is right if a public key is taken for a shared secret."""
    public = RS256.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    filled = {"sub": "a", "exp": time.time() + 60, "scope": "read"} | claims
    return signed_by_hand({"alg": "HS256", "kid": "rsa"}, filled, public)


def tampered(**claims: Any) -> str:
    header, _, signature = RS256.sign(**claims).split(".")
    _, other, _ = RS256.sign(**claims, sub="bob", scope="read admin").split(".")
    return f"{header}.{other}.{signature}"


STRANGER = signers.signer("RS256", "rsa")
LONG_AGO, LATER = time.time() - 3600, time.time() + 3600
OURS = {"iss": ISSUER, "aud": "ns"}
WRONG = {
    "expired": (RS256.sign(**OURS, exp=LONG_AGO), "expired"),
    "not valid yet": (RS256.sign(**OURS, nbf=LATER), "not valid yet"),
    "no exp": (RS256.sign(**OURS, exp=None), "exp is missing"),
    "no time": (RS256.sign(**OURS, nbf=None, exp=True), "exp is missing, or not a time"),
    "no sub": (RS256.sign(**OURS, sub=None), "sub is missing"),
    "another issuer": (RS256.sign(iss="https://evil.example", aud="ns"), "iss is not"),
    "no issuer": (RS256.sign(aud="ns"), "iss is not"),
    "another audience": (RS256.sign(iss=ISSUER, aud=["other"]), "aud is not"),
    "no audience": (RS256.sign(iss=ISSUER), "aud is not"),
    "all namespaces by mistake": (RS256.sign(**OURS, namespaces=[]), "namespaces is not"),
    "namespaces of another type": (RS256.sign(**OURS, namespaces="a"), "namespaces is not"),
    "scopes of another type": (RS256.sign(**OURS, scopes="read"), "scope is not"),
    "no signature": (unsigned(**OURS), "no key is for the algorithm 'none'"),
    "another algorithm of the key": (Signer("RS512", RS256.key, "rsa").sign(**OURS), "no key is for"),
    "a public key as secret": (with_public_key_as_secret(**OURS), "the signature is not"),
    "an unknown key": (Signer("RS256", STRANGER.key, "new").sign(**OURS), "no key has the id 'new'"),
    "somebody else's key": (STRANGER.sign(**OURS), "the signature is not"),
    "another secret": (Signer("HS256", "x" * 32).sign(**OURS), "the signature is not"),
    "changed claims": (tampered(**OURS), "the signature is not"),
    "not base64": ("ey!.ey!.x", "malformed"),
}


async def test_a_token_that_is_not_good_is_refused_and_only_the_log_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    logs.configure("json", "info")
    async with trusting(tmp_path, jwt_issuer=ISSUER, jwt_audience="ns") as server:
        assert await status(server, RS256.sign(iss=ISSUER, aud=["other", "ns"])) == 200
        told = set()
        for name, (token, why) in WRONG.items():
            capsys.readouterr()
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                aiohttp.ClientSession(server.http_url) as http,
                http.get("/api/v1/commands:watch", headers=headers) as answer,
            ):
                problem = await answer.json()
                told.add((answer.status, problem["code"], problem["detail"]))
            lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
            [refused] = [line for line in lines if line["event"] == "credential refused"]
            assert refused["kind"] == "jwt", name
            assert refused["why"].startswith(why), name
            assert token not in str(lines), name
        assert told == {(401, "UNAUTHENTICATED", "the credential is not valid")}


async def test_clocks_may_differ_by_a_minute(server: RunningServer):
    for signer in (HS256, EDDSA):
        assert await status(server, signer.sign(exp=time.time() - 50)) == 200
        assert await status(server, signer.sign(exp=time.time() - 70)) == 401
        assert await status(server, signer.sign(nbf=time.time() + 50)) == 200
        assert await status(server, signer.sign(nbf=time.time() + 70)) == 401


async def test_a_token_that_was_good_is_refused_once_it_has_expired(server: RunningServer):
    token = ES256.sign(exp=time.time() + 10)
    assert await status(server, token) == 200
    server.clock.advance(30)  # within what clocks may differ by
    assert await status(server, token) == 200
    server.clock.advance(60)
    assert await status(server, token) == 401


async def test_a_key_beside_a_token_that_is_not_good_serves(server: RunningServer):
    for headers in (
        {"Authorization": f"Bearer {RS256.sign(exp=1)}", "X-API-Key": server.admin_token},
        {"X-API-Key": RS256.sign()},
    ):
        async with (
            aiohttp.ClientSession(server.http_url, headers=headers) as http,
            http.get("/api/v1/nodes") as answer,
        ):
            assert answer.status == 200


async def test_a_verified_token_is_remembered(server: RunningServer, monkeypatch):
    token = RS256.sign()
    assert await status(server, token) == 200
    monkeypatch.setattr(jwt.PyJWS, "decode_complete", None)  # nothing can be verified any more
    assert await status(server, token) == 200


# -- the file of keys


async def test_a_changed_file_of_keys_is_followed(tmp_path: Path, until):
    old, new = signers.signer("ES256", "old"), signers.signer("ES256", "new")
    jwks = signers.publish(tmp_path / "jwks.json", old)
    async with running_server(tmp_path, jwt_jwks=jwks) as server:
        token = old.sign()
        assert await status(server, token) == 200
        signers.publish(jwks, old, new)
        await eventually(server, new.sign(), 200)
        assert await status(server, token) == 200
        signers.publish(jwks, new)  # what is remembered of the old key ends with it
        await eventually(server, token, 401)


async def eventually(server: RunningServer, token: str, wanted: int) -> None:
    deadline = time.monotonic() + 60
    while await status(server, token) != wanted:
        assert time.monotonic() < deadline, f"never {wanted}"


async def test_a_file_that_breaks_later_leaves_the_keys_as_they_were(
    tmp_path: Path, until, capsys: pytest.CaptureFixture[str]
):
    logs.configure("json", "warning")
    signer = signers.signer("EdDSA", "ed")
    jwks = signers.publish(tmp_path / "jwks.json", signer)
    async with running_server(tmp_path, jwt_jwks=jwks) as server:
        jwks.write_text('{"keys": [')
        heard = []
        await until(lambda: "is not JSON" in (heard.append(capsys.readouterr().err) or "".join(heard)))
        jwks.unlink()
        await until(
            lambda: "cannot be read" in (heard.append(capsys.readouterr().err) or "".join(heard))
        )
        assert await status(server, signer.sign()) == 200
        assert "".join(heard).count("stay as they were") == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read"),
        ("nonsense", "is not JSON"),
        ("[]", "no set of keys"),
        ('{"keys": []}', "no public key"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "no public key"),
        ('{"keys": [{"kty": "RSA", "n": "AQAB", "kid": "weak"}]}', "broken key: 'weak'"),
        (json.dumps({"keys": [{**EDDSA.jwk, "d": "c2VjcmV0"}]}), "private half of the key 'ed'"),
    ],
)
async def test_a_file_of_keys_that_cannot_be_used_keeps_the_server_from_starting(
    tmp_path: Path, text: str | None, why: str
):
    jwks = tmp_path / "jwks.json"
    if text is not None:
        jwks.write_text(text)
    with pytest.raises(CannotStart, match=f"jwt_jwks: .*jwks.json.*{why}") as caught:
        async with running_server(tmp_path, jwt_jwks=jwks):
            pass
    assert "c2VjcmV0" not in str(caught.value)


async def test_keys_for_other_ends_are_passed_over(tmp_path: Path):
    jwks = tmp_path / "jwks.json"
    others = [{"kty": "oct", "k": "c2VjcmV0"}, {**RS256.jwk, "use": "enc"}, {"kty": "new"}]
    jwks.write_text(json.dumps({"keys": [*others, EDDSA.jwk]}))
    async with running_server(tmp_path, jwt_jwks=jwks) as server:
        assert await status(server, EDDSA.sign()) == 200
        assert await status(server, RS256.sign()) == 401


# -- settings


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_short_secret_is_refused_and_not_shown(tmp_path: Path, where: str):
    environment = {"NOVASPHERE_DATA_DIR": str(tmp_path)}
    if where == "environment":
        environment["NOVASPHERE_JWT_SECRET"] = "much-too-short"
    else:
        (tmp_path / "config.toml").write_text('jwt_secret = "much-too-short"\n')
    with pytest.raises(SettingsError, match=r"(?i)jwt_secret.* must be 32 bytes or longer") as caught:
        load({}, environment)
    assert "too-short" not in str(caught.value)


def test_whose_tokens_are_taken_is_set_like_everything_else(tmp_path: Path):
    (tmp_path / "config.toml").write_text(f'jwt_secret = "{SECRET}"\njwt_issuer = "file"\n')
    environment = {"NOVASPHERE_DATA_DIR": str(tmp_path), "NOVASPHERE_JWT_AUDIENCE": "environment"}
    settings = load({"jwt_jwks": str(tmp_path / "k.json"), "jwt_issuer": "flag"}, environment)
    assert (settings.jwt_issuer, settings.jwt_audience) == ("flag", "environment")
    assert (settings.jwt_secret, settings.jwt_jwks) == (SECRET, tmp_path / "k.json")
    assert SECRET not in repr(settings)


# -- whatever is sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["sub", "iss", "aud", "exp", "nbf", "scope", "scopes", "namespaces"]), JSON
)
HEADERS = st.dictionaries(st.sampled_from(["kid", "typ", "crit", "b64", "cty", "jwk"]), JSON)


@given(HEADERS, CLAIMS | st.fixed_dictionaries({"sub": st.just("a"), "exp": JSON}) | JSON)
def test_whatever_is_signed_is_taken_or_refused(header: Any, claims: Any):
    judge(signed_by_hand({"alg": "HS256"} | header, claims))


@given(
    st.text(max_size=60)
    | st.tuples(JSON, JSON, st.binary(max_size=8)).map(lambda p: ".".join(map(part, p)))
)
def test_whatever_is_sent_is_refused(token: str):
    assert judge(token) is None
    assert judge("ey" + token) is None


def test_a_deep_token_is_refused():
    deep = b"[" * 3000 + b"]" * 3000
    assert judge(f"{part(deep)}.{part(deep)}.x") is None
    assert judge(signed_by_hand({"alg": "HS256"}, deep)) is None


def judge(token: str) -> Principal | None:
    try:
        return JWTS.verify(token)
    except Refused:
        return None


JWTS = Jwts(JwtSettings(secret=SECRET), MovableClock())
