"""Passkeys: W3C Web Authentication (Level 2 and 3), by py_webauthn. No I/O; time is an argument.

A ceremony has two halves. The first hands out a challenge, which is kept here, in memory, for five
minutes; the second takes it back with the authenticator's signature. A challenge is good once, for
the purpose it was made for; ``psn.identity.once`` bounds how many wait.

A passkey that verified its user (a fingerprint, a PIN: the flag UV) is two factors in one and signs
in alone. One that did not is something one has, and counts beside a password only.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import webauthn
from msgspec import Meta, Struct
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from psn.identity.once import Once
from psn.problems import Problem

log = logging.getLogger(__name__)

CHALLENGE_BYTES: Final = 32
CHALLENGE_SECONDS: Final = 300.0

Purpose = Literal["sign_in", "enrol"]
_Base64 = Annotated[str, Meta(min_length=1, max_length=20_000)]


class PasskeyRefused(Problem):
    """Why a passkey was not taken: ``wrong_passkey``, ``no_passkeys_here``, ``challenge_over``."""


class AssertionResponse(Struct, frozen=True):
    """What an authenticator signed."""

    clientDataJSON: _Base64
    authenticatorData: _Base64
    signature: _Base64
    userHandle: _Base64 | None = None


class Assertion(Struct, frozen=True):
    """``AuthenticationResponseJSON`` of the standard: a passkey was used. Base64url texts."""

    id: _Base64
    rawId: _Base64
    response: AssertionResponse
    type: Literal["public-key"] = "public-key"


class AttestationResponse(Struct, frozen=True):
    """What an authenticator says of the key that it made."""

    clientDataJSON: _Base64
    attestationObject: _Base64


class Attestation(Struct, frozen=True):
    """``RegistrationResponseJSON`` of the standard: a passkey was made. Base64url texts."""

    id: _Base64
    rawId: _Base64
    response: AttestationResponse
    type: Literal["public-key"] = "public-key"


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys are good: the relying party's id, and the origin of its pages."""

    id: str
    origin: str


def site(setting: str | None, scheme: str, host: str) -> Site:
    """The site by the setting ``PSN_ORIGIN``, or the host of the request when that is localhost.

    Raises :class:`PasskeyRefused` ``no_passkeys_here``. A name that a client may choose must not
    decide where keys are good, so other hosts need the setting.
    """
    if setting is not None:
        return Site(str(urlsplit(setting).hostname), setting)
    name = host.partition(":")[0].lower()
    if name != "localhost":
        raise PasskeyRefused(
            "no_passkeys_here",
            "This network is not set up for passkeys at this address.",
            "Use a code of your authenticator; the administrator can set PSN_ORIGIN.",
        )
    return Site(name, f"{scheme}://{host.lower()}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One half of a ceremony that waits for the other."""

    purpose: Purpose
    person: int | None
    """Whose it is, when that was proved before: by a session, a password or a provider."""
    password: str | None = field(default=None, repr=False)
    """The kept hash of the password that proved it."""


class Challenges:
    """The challenges that wait, each good once."""

    def __init__(self) -> None:
        self._waiting: Once[Challenge] = Once(CHALLENGE_SECONDS)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def new(
        self,
        purpose: Purpose,
        person: int | None,
        asker: str,
        now: float,
        password: str | None = None,
    ) -> bytes:
        """A fresh challenge; ``asker`` is an address or a person, ``now`` in seconds."""
        made = secrets.token_bytes(CHALLENGE_BYTES)
        self._waiting.put(made, Challenge(purpose, person, password), asker, now)
        return made

    def take(self, made: bytes, purpose: Purpose, now: float) -> Challenge:
        """What a challenge was made for, which ends it; raises :class:`PasskeyRefused`."""
        challenge = self._waiting.take(made, now)
        if challenge is None or challenge.purpose != purpose:
            raise PasskeyRefused(
                "challenge_over",
                "This use of the passkey took too long, or was sent a second time.",
                "Start again.",
            )
        return challenge


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as it is kept: the credential's id, its public key, its own counter."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def enrolment_options(
    where: Site,
    network: str,
    person: int,
    name: str,
    full_name: str,
    challenge: bytes,
    there: Iterable[bytes],
) -> dict[str, Any]:
    """``PublicKeyCredentialCreationOptionsJSON``: what a browser needs to make a passkey.

    ``there`` are the person's credentials, so that one authenticator is not enrolled twice.
    """
    options = webauthn.generate_registration_options(
        rp_id=where.id,
        rp_name=network,
        user_id=f"person:{person}".encode(),
        user_name=name,
        user_display_name=full_name,
        challenge=challenge,
        timeout=int(CHALLENGE_SECONDS * 1_000),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in there],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return _plain(options)


def use_options(where: Site, challenge: bytes, allowed: Sequence[bytes]) -> dict[str, Any]:
    """``PublicKeyCredentialRequestOptionsJSON``: what a browser needs to use a passkey.

    ``allowed``: those of one person who has proved his password; none: whichever is there, and
    then it must verify its user.
    """
    wanted = UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=where.id,
        challenge=challenge,
        timeout=int(CHALLENGE_SECONDS * 1_000),
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
        user_verification=wanted.PREFERRED if allowed else wanted.REQUIRED,
    )
    return _plain(options)


def challenge_in(credential: Assertion | Attestation) -> bytes:
    """The challenge that the browser says it answers; raises :class:`PasskeyRefused`."""
    try:
        said = json.loads(webauthn.base64url_to_bytes(credential.response.clientDataJSON))
        return webauthn.base64url_to_bytes(said["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise unknown() from problem


def credential_id(credential: Assertion | Attestation) -> bytes:
    """Which passkey it is; raises :class:`PasskeyRefused`."""
    try:
        return webauthn.base64url_to_bytes(credential.rawId)
    except ValueError as problem:
        raise unknown() from problem


def enrolled(credential: Attestation, challenge: bytes, where: Site) -> Passkey:
    """The new passkey; raises :class:`PasskeyRefused`."""
    try:
        made = webauthn.verify_registration_response(
            credential=msgspec.to_builtins(credential),
            expected_challenge=challenge,
            expected_rp_id=where.id,
            expected_origin=where.origin,
        )
    except Exception as problem:  # the library lets through whatever CBOR and X.509 raise
        log.debug("a passkey was not enrolled: %s", type(problem).__name__)
        raise unknown() from None
    return Passkey(made.credential_id, made.credential_public_key, made.sign_count)


def used(
    credential: Assertion, challenge: bytes, where: Site, passkey: Passkey
) -> tuple[int, bool]:
    """The passkey's new counter, and whether it verified its user.

    Raises :class:`PasskeyRefused`, also when the counter went back: the key was copied (§6.1.1).
    """
    try:
        proof = webauthn.verify_authentication_response(
            credential=msgspec.to_builtins(credential),
            expected_challenge=challenge,
            expected_rp_id=where.id,
            expected_origin=where.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
        )
    except Exception as problem:  # as above
        log.debug("a passkey was refused: %s", type(problem).__name__)
        raise unknown() from None
    return proof.new_sign_count, proof.user_verified


def unknown() -> PasskeyRefused:
    """The passkey is none that may sign in here; which of the reasons it is, is not told."""
    return PasskeyRefused(
        "wrong_passkey",
        "This passkey is not good here.",
        "Use another one, or sign in with name, password and code.",
    )


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return plain
