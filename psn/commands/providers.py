"""``psn provider``: agencies' own identity providers, and who is whom there."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from psn import directory, keys
from psn.commands.rows import agency_of, person_of, writing
from psn.commands.terms import day
from psn.commands.words import counted, missing, need_name, settings, show, taken
from psn.identity import federation, openid, providers
from psn.identity.openid import Distrusted, Metadata
from psn.problems import Problem
from psn.schema import Agency, IdentityProvider, LinkedIdentity, Person, Session

_trusted = (
    click.option(
        "--trust-amr",
        "amr",
        multiple=True,
        help="A method (claim amr) that stands for our second factor; may be repeated.",
    ),
    click.option(
        "--trust-acr",
        "acr",
        multiple=True,
        help="A class (claim acr) that stands for our second factor; may be repeated.",
    ),
)


def _trusting(command: Any) -> Any:
    for option in reversed(_trusted):
        command = option(command)
    return command


@click.group()
def provider() -> None:
    """Agencies' own sign-in, by OpenID Connect."""


@provider.command(
    "add",
    short_help="Let an agency's people sign in at its own provider.",
    epilog="""
\b
Examples:
  psn provider add BPD --name "Belize Police" --issuer https://id.police.example/realms/bpd \\
      --client-id psn
  pass show psn | psn provider add BPD --name "Belize Police" \\
      --issuer https://login.example/tenant/v2.0 --client-id 6d1f… --claim oid --trust-amr mfa \\
      --secret-stdin
""",
)
@click.argument("code", metavar="AGENCY")
@click.option("--name", required=True, help="What the sign-in page calls it.")
@click.option("--issuer", required=True, help="Its issuer identifier, to the letter.")
@click.option("--client-id", required=True, help="What it calls this network.")
@click.option("--secret-stdin", is_flag=True, help="Read the client's secret, one line.")
@click.option("--scope", "scopes", default="openid", show_default=True, help="What to ask for.")
@click.option("--claim", default="sub", show_default=True, help="What tells its people apart.")
@_trusting
def add(
    code: str,
    name: str,
    issuer: str,
    client_id: str,
    secret_stdin: bool,
    scopes: str,
    claim: str,
    amr: tuple[str, ...],
    acr: tuple[str, ...],
) -> None:
    """Let the people of AGENCY sign in at its own provider, once they are linked."""
    need_name("name of a provider", name)
    _check(issuer, client_id, scopes, claim, (*amr, *acr))
    sealed = _sealed(issuer, client_id, _secret(secret_stdin))

    async def work() -> str:
        async with writing() as session:
            agency = await agency_of(session, code)
            if await _of(session, agency) is not None:
                todo = f"Remove it first: psn provider remove {agency.code}."
                raise taken("provider of", agency.code, todo)
            session.add(
                IdentityProvider(
                    agency_id=agency.id,
                    name=name,
                    issuer=issuer,
                    client_id=client_id,
                    client_secret=sealed,
                    scopes=scopes,
                    claim=claim,
                    trusted_amr=list(amr),
                    trusted_acr=list(acr),
                )
            )
            return agency.code

    agency = asyncio.run(work())
    click.echo(f"Provider of {agency} added. Register there as redirect address:")
    click.echo(f"  {_return_address(agency)}")
    click.echo(f"Then: psn provider check {agency}, and psn user link NAME SUBJECT.")


@provider.command(
    "change",
    short_help="Change its name, its secret, or what it is trusted with.",
    epilog="Example: psn provider change BPD --secret-stdin",
)
@click.argument("code", metavar="AGENCY")
@click.option("--name", help="What the sign-in page calls it.")
@click.option("--secret-stdin", is_flag=True, help="Read a new client's secret, one line.")
@click.option("--no-trust", is_flag=True, help="Ask for our own second factor always.")
@_trusting
def change(
    code: str,
    name: str | None,
    secret_stdin: bool,
    no_trust: bool,
    amr: tuple[str, ...],
    acr: tuple[str, ...],
) -> None:
    """Give it another name or secret, or trust it with other second factors than so far."""
    if name is not None:
        need_name("name of a provider", name)
    secret = _secret(True) if secret_stdin else None

    async def work() -> str:
        async with writing() as session:
            found = await _need(session, await agency_of(session, code))
            if name is not None:
                found.name = name
            if secret is not None:
                found.client_secret = _sealed(found.issuer, found.client_id, secret)
            if amr or acr or no_trust:
                found.trusted_amr, found.trusted_acr = list(amr), list(acr)
        return code.upper()

    click.echo(f"Provider of {asyncio.run(work())} changed.")


@provider.command("list", epilog="Example: psn provider list")
def list_providers() -> None:
    """Show every provider, and how many people are linked with it."""

    async def work() -> list[tuple[object, ...]]:
        linked = (
            select(func.count())
            .where(LinkedIdentity.provider_id == IdentityProvider.id)
            .scalar_subquery()
        )
        query = (
            select(IdentityProvider, Agency.code, linked)
            .join(Agency, Agency.id == IdentityProvider.agency_id)
            .where(IdentityProvider.retired_at.is_(None))
            .order_by(Agency.code)
        )
        async with writing() as session:
            return [
                (code, p.name, p.issuer, p.client_id, p.claim, _trust(p), count)
                for p, code, count in await session.execute(query)
            ]

    heads = ("agency", "name", "issuer", "client", "claim", "trusted with", "people")
    show(heads, asyncio.run(work()))


@provider.command("people", epilog="Example: psn provider people BPD")
@click.argument("code", metavar="AGENCY")
def people(code: str) -> None:
    """Show who is linked with an agency's provider, and as whom there."""

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            found = await _need(session, await agency_of(session, code))
            query = (
                select(Person.name, LinkedIdentity.subject, LinkedIdentity.created_at)
                .join(Person, Person.id == LinkedIdentity.person_id)
                .where(LinkedIdentity.provider_id == found.id)
                .order_by(Person.name)
            )
            return [(who, there, day(at)) for who, there, at in await session.execute(query)]

    show(("name", "there", "since"), asyncio.run(work()))


@provider.command(
    "remove",
    short_help="Let nobody sign in by it any more.",
    epilog="Example: psn provider remove BPD",
)
@click.argument("code", metavar="AGENCY")
def remove(code: str) -> None:
    """Nobody signs in by it any more; its links go, and the sessions that it opened end."""

    async def work() -> tuple[int, int]:
        async with writing() as session:
            found = await _need(session, await agency_of(session, code))
            now = datetime.now(UTC)
            found.retired_at, found.client_secret = now, None
            ended = await session.scalars(
                update(Session)
                .where(Session.provider_id == found.id, Session.ended_at.is_(None))
                .where(Session.ends_at > now)
                .values(ended_at=now)
                .returning(Session.person_id)
            )
            of_provider = LinkedIdentity.provider_id == found.id
            gone = await session.scalars(
                delete(LinkedIdentity).where(of_provider).returning(LinkedIdentity.id)
            )
            return len(gone.all()), len(ended.all())

    gone, ended = asyncio.run(work())
    click.echo(
        f"Provider of {code.upper()} removed; {counted(gone, 'person')} unlinked,"
        f" {counted(ended, 'session')} ended."
    )


@provider.command("check", epilog="Example: psn provider check BPD")
@click.argument("code", metavar="AGENCY")
def check(code: str) -> None:
    """Ask the provider what it can do, and say what would go wrong."""

    async def work() -> tuple[list[str], list[str]]:
        async with writing() as session:
            agency = await agency_of(session, code)
            row = await _need(session, agency)
            found = directory.Provider(
                row.id,
                row.agency_id,
                row.name,
                row.issuer,
                row.client_id,
                row.client_secret or b"",
                row.scopes,
                row.claim,
                tuple(row.trusted_amr),
                tuple(row.trusted_acr),
            )
        keys.load(settings().keys_directory).open(
            found.client_secret, openid.secret_purpose(found.issuer, found.client_id)
        )
        try:
            metadata = await providers.read_metadata(found)
            listed = await providers.read_keys(found, metadata)
        except Distrusted as problem:
            raise providers.distrusted(found, problem.why) from problem
        told = [
            f"issuer         {metadata.issuer}",
            f"people go to   {metadata.authorization_endpoint}",
            f"come back to   {_return_address(agency.code)}",
            f"codes          {metadata.token_endpoint}",
            f"keys           {len(listed)} at {metadata.jwks_uri}",
        ]
        return told, _doubts(metadata, found)

    told, doubts = asyncio.run(work())
    for line in told:
        click.echo(line)
    for doubt in doubts:
        click.echo(f"!  {doubt}")
    if not doubts:
        click.echo("Nothing speaks against it. Whether secret and address are right, shows a try.")


def _doubts(metadata: Metadata, provider: directory.Provider) -> list[str]:
    """What its own metadata says against a good sign-in."""
    found = []
    if not set(metadata.id_token_signing_alg_values_supported) & set(openid.ALGORITHMS):
        found.append("It signs ID tokens with no algorithm that is trusted here: nobody gets in.")
    methods = {"client_secret_basic", "client_secret_post"}
    if not methods & set(metadata.token_endpoint_auth_methods_supported):
        found.append("It knows no client secrets: nobody gets in.")
    if "S256" not in metadata.code_challenge_methods_supported:
        found.append("It does not say that it checks PKCE with S256.")
    claims = metadata.claims_supported
    for claim in (provider.claim, "auth_time"):
        if claims and claim not in claims:
            found.append(
                f"It does not say that its tokens have {claim}, without which none counts."
            )
    if not metadata.authorization_response_iss_parameter_supported:
        found.append("It does not name itself when it sends back (RFC 9207); its address tells.")
    if settings().origin is None:
        found.append("PSN_ORIGIN is not set: it works on localhost only.")
    return found


async def _of(session: AsyncSession, agency: Agency) -> IdentityProvider | None:
    return await session.scalar(
        select(IdentityProvider).where(
            IdentityProvider.agency_id == agency.id, IdentityProvider.retired_at.is_(None)
        )
    )


async def _need(session: AsyncSession, agency: Agency) -> IdentityProvider:
    found = await _of(session, agency)
    if found is None:
        raise missing("provider of", agency.code, "psn provider list")
    return found


async def link(session: AsyncSession, name: str, subject: str) -> str:
    """Link a person with who he is at his agency's provider; the provider's name."""
    if not openid.is_subject(subject):
        raise Problem(
            "bad_subject",
            f"{subject!r} names nobody at a provider.",
            f"Write the claim as it stands: at most {openid.LONGEST_SUBJECT} ASCII characters.",
        )
    person = await person_of(session, name)
    agency = await session.get_one(Agency, person.agency_id)
    found = await _need(session, agency)
    mine = LinkedIdentity.person_id == person.id
    same = select(LinkedIdentity).where(
        LinkedIdentity.provider_id == found.id, mine | (LinkedIdentity.subject == subject)
    )
    there = await session.scalar(same)
    if there is not None:
        what = person.name if there.person_id == person.id else subject
        raise taken("link of", what, f"See psn provider people {agency.code}; unlink it first.")
    session.add(LinkedIdentity(provider_id=found.id, person_id=person.id, subject=subject))
    return found.name


async def unlink(session: AsyncSession, name: str) -> Person:
    """Take away who a person is at his agency's provider."""
    person = await person_of(session, name)
    gone = await session.scalars(
        delete(LinkedIdentity)
        .where(LinkedIdentity.person_id == person.id)
        .returning(LinkedIdentity.id)
    )
    if not gone.all():
        raise missing("link of", person.name, "psn provider people AGENCY")
    return person


def _check(issuer: str, client_id: str, scopes: str, claim: str, trusted: tuple[str, ...]) -> None:
    if not openid.is_good_address(issuer, issuer) or "?" in issuer:
        raise Problem(
            "bad_issuer",
            f"{issuer!r} is no issuer.",
            "Write its address as its own metadata has it: https://…",
        )
    if "openid" not in scopes.split():
        raise Problem("bad_scope", f"{scopes!r} does not ask who it is.", "Add openid.")
    if claim in openid.CHANGEABLE:
        raise Problem(
            "bad_claim",
            f"{claim} can change, or be given to somebody else.",
            "Use sub, or another claim that names one person for good (with Entra: oid).",
        )
    if not all(openid.is_subject(each) for each in (client_id, claim, scopes, *trusted)):
        raise Problem(
            "bad_name", "That is no client, claim, method or class.", "Write it in ASCII."
        )


def _secret(from_stdin: bool) -> str:
    said = (
        sys.stdin.readline().rstrip("\r\n")
        if from_stdin
        else click.prompt("Client's secret", hide_input=True)
    )
    if not str(said).strip():
        raise Problem("no_secret", "The client's secret is empty.", "Copy it from the provider.")
    return str(said)


def _sealed(issuer: str, client_id: str, secret: str) -> bytes:
    own = keys.load(settings().keys_directory)
    return own.seal(secret.encode(), openid.secret_purpose(issuer, client_id))


def _return_address(agency: str) -> str:
    origin = settings().origin or "http://localhost:PORT"
    return federation.return_address(origin, agency)


def _trust(provider: IdentityProvider) -> str:
    said = [f"amr {each}" for each in provider.trusted_amr]
    return ", ".join(said + [f"acr {each}" for each in provider.trusted_acr])
