"""Agencies' identity providers, asked over HTTP: their metadata, their keys, codes redeemed.

Documents are kept for half a minute: anyone may begin a sign-in, and a provider must not feel it,
but nobody should be sent to one that is gone. That it did not answer is kept for some seconds, too.
Several who need a document wait for the same question. A key that is not known makes the keys be
asked for again, but not more often than every so often.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from psn.directory import Provider
from psn.identity import openid, outbound
from psn.identity.openid import Distrusted, Key, Marks, Metadata, Subject
from psn.problems import Problem

log = logging.getLogger(__name__)

KEEP_SECONDS: Final = 30.0
"""Metadata and keys are asked for again after this."""
AGAIN_SECONDS: Final = 5.0
"""A provider that did not answer is left alone for so long."""
NEWER_KEYS_SECONDS: Final = 10.0
"""Keys are asked for out of turn at most this often."""
CODES_AT_ONCE: Final = 8
"""Codes that one provider is asked to redeem at once; further ones wait."""
PATIENCE_SECONDS: Final = 20.0
"""Longer nobody waits for a provider, its busyness included."""


class ProviderProblem(Problem):
    """Why a provider's word does not let anyone in; ``why`` is one word, for the audit."""

    def __init__(self, code: str, text: str, todo: str, why: str, retry: int | None = None) -> None:
        super().__init__(code, text, todo, retry)
        self.why = why


def away(provider: Provider) -> ProviderProblem:
    """It does not answer, or not so that it can be read."""
    return ProviderProblem(
        "provider_away",
        f"The sign-in of {provider.name} does not answer.",
        "Try again in a moment, or sign in with your password here.",
        "away",
        retry=5_000,
    )


def distrusted(provider: Provider, why: str) -> ProviderProblem:
    """Its answer cannot be trusted."""
    if why == "clock":
        return ProviderProblem(
            "provider_clock",
            f"The clocks of this network and of {provider.name} differ too much.",
            "Tell your administrator; sign in with your password meanwhile.",
            why,
        )
    return ProviderProblem(
        "provider_distrusted",
        f"The answer of {provider.name} is not one that this network can trust.",
        "Start again; if it stays so, tell your administrator.",
        why,
    )


@dataclass(slots=True)
class _Known:
    """What is known of one provider, and when it was learnt."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CODES_AT_ONCE))
    metadata: Metadata | None = None
    keys: list[Key] = field(default_factory=list)
    good_until: float = 0.0
    not_before: float = 0.0
    """It did not answer, and is not asked before this."""
    newer_keys_from: float = 0.0

    def metadata_of(self, provider: Provider) -> Metadata:
        """The metadata, which has been learnt."""
        if self.metadata is None:
            raise away(provider)
        return self.metadata


class Providers:
    """All providers of one server, and what is known of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[int, str], _Known] = {}

    def _of(self, provider: Provider) -> _Known:
        """An issuer that was changed is another one."""
        key = (provider.id, provider.issuer)
        if key not in self._known:
            for old in [each for each in self._known if each[0] == provider.id]:
                del self._known[old]
            self._known[key] = _Known()
        return self._known[key]

    async def metadata(self, provider: Provider) -> Metadata:
        """Its metadata; raises :class:`ProviderProblem`."""
        return (await self._learnt(provider)).metadata_of(provider)

    async def subject(
        self,
        provider: Provider,
        secret: str,
        code: str,
        redirect: str,
        marks: Marks,
        asked: float,
    ) -> Subject:
        """Who came back with this code; raises :class:`ProviderProblem`.

        ``asked``: when the sign-in was begun, seconds since 1970.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                known = await self._learnt(provider)
                async with known.turns:
                    return await self._redeemed(
                        known, provider, secret, code, redirect, marks, asked
                    )
        except TimeoutError:
            raise away(provider) from None
        except Distrusted as problem:
            log.warning("%s was not trusted: %s", provider.address, problem.why)
            raise distrusted(provider, problem.why) from problem

    async def _redeemed(
        self,
        known: _Known,
        provider: Provider,
        secret: str,
        code: str,
        redirect: str,
        marks: Marks,
        asked: float,
    ) -> Subject:
        metadata = known.metadata_of(provider)
        headers, form = openid.token_request(metadata, provider, secret, code, redirect, marks)
        answer = await _ask(provider, metadata.token_endpoint, headers, form)
        if answer.status >= 500:
            raise away(provider)
        if answer.status != 200:
            raise Distrusted("code")  # or the client's secret: the provider's log says which
        tokens = openid.read_tokens(answer.body)
        judged = (metadata, provider, marks.nonce, asked)
        try:
            return openid.subject_of(tokens, known.keys, *judged, time.time())
        except openid.UnknownKey:
            await self._newer_keys(known, provider)
            return openid.subject_of(tokens, known.keys, *judged, time.time())

    async def _learnt(self, provider: Provider) -> _Known:
        """What is known of it, asked for if that is not there or old."""
        known = self._of(provider)
        async with known.lock:
            now = self._clock()
            if now < known.good_until:
                return known
            if now < known.not_before:
                raise away(provider)
            try:
                metadata = await read_metadata(provider)
                known.keys = await read_keys(provider, metadata)
            except (Problem, Distrusted) as problem:
                known.not_before = self._clock() + AGAIN_SECONDS
                if isinstance(problem, Distrusted):
                    log.warning("%s was not trusted: %s", provider.address, problem.why)
                    raise distrusted(provider, problem.why) from problem
                raise
            known.metadata = metadata
            known.good_until = self._clock() + KEEP_SECONDS
        return known

    async def _newer_keys(self, known: _Known, provider: Provider) -> None:
        async with known.lock:
            now = self._clock()
            if now >= known.newer_keys_from:
                known.newer_keys_from = now + NEWER_KEYS_SECONDS
                known.keys = await read_keys(provider, known.metadata_of(provider))


async def read_metadata(provider: Provider) -> Metadata:
    """Ask for its metadata; raises :class:`ProviderProblem` and :class:`Distrusted`."""
    answer = await _ask(provider, openid.metadata_address(provider.issuer))
    if answer.status != 200:
        raise away(provider)
    return openid.read_metadata(answer.body, provider.issuer)


async def read_keys(provider: Provider, metadata: Metadata) -> list[Key]:
    """Ask for its keys; raises as :func:`read_metadata`."""
    answer = await _ask(provider, metadata.jwks_uri)
    if answer.status != 200:
        raise away(provider)
    return openid.read_keys(answer.body)


async def _ask(
    provider: Provider, address: str, headers: dict[str, str] | None = None, form: str | None = None
) -> outbound.Answer:
    try:
        return await outbound.ask(address, openid.host_of(provider.issuer), headers, form)
    except outbound.Unreached as problem:
        log.warning("%s was not reached: %s", provider.address, problem)
        raise away(provider) from problem
