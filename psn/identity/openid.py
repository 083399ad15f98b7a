"""OpenID Connect as the relying party: what is asked, and whether an answer can be trusted. Pure.

OpenID Connect Core 1.0 and Discovery 1.0, the authorization code flow of RFC 6749 with PKCE (RFC
7636) and RFC 9207, as RFC 9700 advises. Authlib words the requests and judges the standard claims,
joserfc checks signatures (RFC 7515); what both leave to the caller is added here. No I/O: time,
randomness and documents are arguments.

Of one sign-in three values are random. ``state`` names it, ``nonce`` ties the ID token to it, and
the ``verifier`` the code. The provider is always asked to prove its user anew (``prompt=login``,
``max_age=0``), and must say when it did (``auth_time``): consoles are shared, and whoever sits down
at one must not become the one before him.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated, Any, Final
from urllib.parse import quote_plus, urlsplit

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from msgspec import Meta, Struct

from psn.directory import Provider

ALGORITHMS: Final = tuple(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
)
"""Signatures that are looked at at all: by a key pair, never by a shared secret, never none."""
LEEWAY_SECONDS: Final = 60
"""So much a provider's clock may differ from ours."""
RSA_BITS: Final = range(2_048, 8_193)
MOST_KEYS: Final = 100
LONGEST_TOKEN: Final = 32_768
LONGEST_SUBJECT: Final = 255
"""Characters: OpenID Connect Core 1.0, section 2, ``sub``."""
CHANGEABLE: Final = frozenset(
    [
        "address",
        "email",
        "family_name",
        "given_name",
        "middle_name",
        "name",
        "nickname",
        "phone_number",
        "preferred_username",
        "profile",
        "unique_name",
        "upn",
        "username",
    ]
)
"""Claims that can change or pass to somebody else (section 5.7), so that they name nobody."""

Key = RSAKey | ECKey
_Text = Annotated[str, Meta(max_length=2_000)]
_Texts = Annotated[list[_Text], Meta(max_length=500)]


class Distrusted(Exception):
    """An answer that cannot be trusted; ``why`` is one word, for the audit and the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class UnknownKey(Distrusted):
    """Signed with a key that is not among those known; there may be newer ones."""


class Metadata(Struct, frozen=True):
    """What is needed of a provider's metadata (Discovery 1.0, section 3)."""

    issuer: _Text
    authorization_endpoint: _Text
    token_endpoint: _Text
    jwks_uri: _Text
    id_token_signing_alg_values_supported: _Texts = msgspec.field(default_factory=lambda: ["RS256"])
    token_endpoint_auth_methods_supported: _Texts = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )
    code_challenge_methods_supported: _Texts = msgspec.field(default_factory=list)
    claims_supported: _Texts = msgspec.field(default_factory=list)
    authorization_response_iss_parameter_supported: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """The random values of one sign-in."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class Tokens(Struct, frozen=True):
    """What a token endpoint answers, as far as it matters here."""

    id_token: Annotated[str, Meta(max_length=LONGEST_TOKEN)] = msgspec.field()
    access_token: Annotated[str, Meta(max_length=LONGEST_TOKEN)] = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who the provider says it is, and how he proved it."""

    subject: str
    amr: tuple[str, ...] = ()
    """Methods (RFC 8176)."""
    acr: str | None = None

    def second_factor(self, provider: Provider) -> bool:
        """Whether there was a second factor with which that provider is trusted."""
        by_methods = not frozenset(provider.trusted_amr).isdisjoint(self.amr)
        return by_methods or (self.acr is not None and self.acr in provider.trusted_acr)


class _Claims(Struct):
    """Claims of an ID token, with the types they must have."""

    aud: str | list[str]
    exp: float
    iat: float
    nonce: str
    nbf: float | None = None
    auth_time: float | None = None
    amr: list[str] = msgspec.field(default_factory=list)
    acr: str | None = None
    at_hash: str | None = None
    azp: str | None = None


# -- addresses and documents


def host_of(address: str) -> str:
    """The host of an address, lower case; empty when there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_good_address(address: str, issuer: str) -> bool:
    """Whether a provider may have this address: https; on this machine itself also http."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises when it is none
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return False
    if parts.fragment or any(ord(letter) <= 32 or ord(letter) > 126 for letter in address):
        return False
    here = is_loopback(parts.hostname) and is_loopback(host_of(issuer))
    return parts.scheme == "https" or (parts.scheme == "http" and here)


def metadata_address(issuer: str) -> str:
    """Where a provider's metadata is (Discovery 1.0, section 4)."""
    return str(get_well_known_url(issuer, external=True))


def read_metadata(raw: bytes, issuer: str) -> Metadata:
    """The metadata of this issuer; raises :class:`Distrusted`."""
    try:
        found = msgspec.json.decode(raw, type=Metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Distrusted("metadata") from problem
    if found.issuer != issuer:
        raise Distrusted("issuer")
    ends = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    if not all(is_good_address(end, issuer) for end in ends):
        raise Distrusted("endpoint")
    return found


def read_keys(raw: bytes) -> list[Key]:
    """The keys of a JWK Set (RFC 7517) that can check signatures; raises :class:`Distrusted`.

    Others are left out: of another kind, for encryption, too short, or no key at all.
    """
    try:
        found = msgspec.json.decode(raw, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Distrusted("keys") from problem
    listed = found[:MOST_KEYS] if isinstance(found, list) else []
    keys = [key for each in listed if (key := _key(each)) is not None]
    if not keys:
        raise Distrusted("keys")
    return keys


def _key(said: Any) -> Key | None:
    if not isinstance(said, dict) or said.get("use", "sig") != "sig":
        return None
    try:
        if said.get("kty") == "EC":
            return ECKey.import_key(said)
        modulus = said["n"] if said.get("kty") == "RSA" else ""
        bits = int.from_bytes(base64.urlsafe_b64decode(modulus + "=="), "big").bit_length()
        return RSAKey.import_key(said) if bits in RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


# -- requests


def secret_purpose(issuer: str, client_id: str) -> str:
    """What a client's secret is sealed for: at another issuer it opens nothing."""
    return f"secret of client {client_id} at {issuer}"


def authorization_address(
    metadata: Metadata, provider: Provider, redirect: str, marks: Marks
) -> str:
    """Where the browser goes to prove its user (Core 1.0, section 3.1.2.1)."""
    return str(
        prepare_grant_uri(
            metadata.authorization_endpoint,
            provider.client_id,
            "code",
            redirect_uri=redirect,
            scope=provider.scopes,
            state=marks.state,
            nonce=marks.nonce,
            code_challenge=create_s256_code_challenge(marks.verifier),
            code_challenge_method="S256",
            prompt="login",
            max_age="0",
            acr_values=" ".join(provider.trusted_acr) or None,
        )
    )


def token_request(
    metadata: Metadata, provider: Provider, secret: str, code: str, redirect: str, marks: Marks
) -> tuple[dict[str, str], str]:
    """Headers and body that redeem a code (RFC 6749, sections 2.3.1 and 4.1.3)."""
    more: dict[str, str] = {}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    methods = metadata.token_endpoint_auth_methods_supported
    if "client_secret_basic" in methods:
        # Each part is form-encoded first, which Authlib's own client leaves out.
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif "client_secret_post" in methods:
        more = {"client_id": provider.client_id, "client_secret": secret}
    else:
        raise Distrusted("client_authentication")
    body = prepare_token_request(
        "authorization_code",
        code=code,
        redirect_uri=redirect,
        code_verifier=marks.verifier,
        **more,
    )
    return headers, str(body)


def check_issuer(metadata: Metadata, said: str | None) -> None:
    """Whose an authorization response says it is (RFC 9207); raises :class:`Distrusted`."""
    if said is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if said != metadata.issuer:
        raise Distrusted("issuer")


# -- answers


def read_tokens(raw: bytes) -> Tokens:
    """What a token endpoint answered; raises :class:`Distrusted`."""
    try:
        return msgspec.json.decode(raw, type=Tokens)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Distrusted("tokens") from problem


def subject_of(
    tokens: Tokens,
    keys: Sequence[Key],
    metadata: Metadata,
    provider: Provider,
    nonce: str,
    asked: float,
    now: float,
) -> Subject:
    """Whom an ID token is about, once everything in it is right (Core 1.0, section 3.1.3.7).

    ``asked`` is when the sign-in was begun, ``now`` the time, both in seconds since 1970. Raises
    :class:`Distrusted`, and :class:`UnknownKey` when newer keys may help.
    """
    token = _signed(tokens.id_token, keys, metadata)
    claims = _well_formed(token.claims)
    judged = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
        },
        params={
            "nonce": nonce,
            "client_id": provider.client_id,
            "access_token": tokens.access_token,
        },
    )
    try:
        judged.validate(now=int(now), leeway=LEEWAY_SECONDS)
    except ClaimError as problem:
        claim = problem.claim
        raise Distrusted("clock" if claim in ("exp", "iat", "nbf") else claim) from problem
    except (JoseError, ValueError, TypeError, OverflowError) as problem:
        raise Distrusted("claims") from problem
    if not hmac.compare_digest(claims.nonce.encode(), nonce.encode()):
        raise Distrusted("nonce")
    if isinstance(claims.aud, list) and claims.aud != [provider.client_id]:
        raise Distrusted("aud")  # nobody else is trusted with it
    if claims.at_hash is not None and not tokens.access_token:
        raise Distrusted("at_hash")
    _check_auth_time(claims.auth_time, asked, now)
    return Subject(_subject(token.claims.get(provider.claim)), tuple(claims.amr), claims.acr)


def _signed(text: str, keys: Sequence[Key], metadata: Metadata) -> jwt.Token:
    """The token, if one of these keys signed it."""
    supported = set(metadata.id_token_signing_alg_values_supported)
    allowed = [each for each in ALGORITHMS if each in supported]
    registry = JWSRegistry(algorithms=allowed, strict_check_header=False)
    registry.max_header_length = 8_192  # some providers put certificates into it
    if not allowed:
        raise Distrusted("algorithm")
    try:
        return jwt.decode(text, lambda signed: _chosen(signed.headers(), keys), registry=registry)
    except Distrusted:
        raise
    except UnsupportedAlgorithmError as problem:
        raise Distrusted("algorithm") from problem
    except BadSignatureError as problem:
        raise Distrusted("signature") from problem
    except Exception as problem:  # the library lets through what odd headers and keys raise
        raise Distrusted("id_token") from problem


def _chosen(header: dict[str, Any], keys: Sequence[Key]) -> Key:
    kind = ECKey if str(header["alg"]).startswith("ES") else RSAKey
    kid = header.get("kid")
    fitting = [key for key in keys if isinstance(key, kind) and kid in (None, key.kid)]
    if not fitting:
        raise UnknownKey("key")
    if len(fitting) > 1:
        raise Distrusted("key")  # it has to say which (Core 1.0, section 10.1)
    return fitting[0]


def _well_formed(claims: dict[str, Any]) -> _Claims:
    try:
        return msgspec.convert(claims, _Claims)
    except (msgspec.ValidationError, OverflowError) as problem:
        raise Distrusted("claims") from problem


def _check_auth_time(said: float | None, asked: float, now: float) -> None:
    """He proved himself for this sign-in and not before (Core 1.0, section 3.1.2.1, max_age)."""
    if said is None or not said >= asked - LEEWAY_SECONDS:
        raise Distrusted("auth_time")
    if said > now + LEEWAY_SECONDS:
        raise Distrusted("clock")


def _subject(said: Any) -> str:
    if not isinstance(said, str) or not is_subject(said):
        raise Distrusted("subject")
    return said


def is_subject(text: str) -> bool:
    """Whether a text can name somebody at a provider: 1 to 255 ASCII characters one can see."""
    return 0 < len(text) <= LONGEST_SUBJECT and text.isascii() and text.isprintable()
