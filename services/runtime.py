"""The parts of one running server, made once and given to every operation through its Context."""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog

from app.absence import Absence
from app.auth.certificates import CertificateRefused, ClientCertificate, ServiceCertificates
from app.auth.encryption import load_encryption_keys
from app.auth.peppers import load_audit_key, load_peppers
from app.auth.principal import NO_TENANT, Principal
from app.auth.signing import signing_key
from app.auth.tokens import BuiltInKeys, JwksKeys, TokenVerifier
from app.bus import Bus, MemoryBus
from app.clock import SECOND, SYSTEM_CLOCK, Clock
from app.database import Statement, bind, open_database
from app.egress import Egress, EgressError
from app.errors import InvalidToken, Unavailable
from app.settings import Settings
from app.shared_bus import RedisBus, connect
from models.piccolo_app import TABLES
from services.access.gate import Gate
from services.access.keys import Keys
from services.chain.decisions import Decisions
from services.chain.denials import Denials
from services.chain.entries import Entry, Surface, write_entries
from services.chain.sealing import Sealer
from services.chain.verifying import Anchor
from services.contracts.catalogue import Catalogue
from services.data_versions import DataVersions
from services.integrations.definitions.warm import WarmDefinitions
from services.integrations.execution.challenged import RegistryTokens
from services.integrations.execution.circuit_news import CircuitNews
from services.integrations.execution.circuits import Circuits
from services.integrations.execution.ledger import ExecutionLedger
from services.integrations.execution.vaults import VaultSecrets
from services.integrations.importing.slots import ImportSlots
from services.integrations.oauth2.refreshing import Refreshes
from services.jobs import JobRunner
from services.limits import Limiter
from services.page_cache import PageCache
from services.people.client import OrcidClient
from services.people.importing import SYNC
from services.people.ordering import ListedOrder
from services.people.syncing import run_sync
from services.shared_walks import RedisWalks
from services.usage.ledger import UsageLedger
from services.walks import MemoryWalks, Walks

LOG = structlog.get_logger("dovetail.runtime")
_JWKS_BYTES = 1_048_576
AUDIT_TOPIC = "audit:"
_HAS_TENANT = Statement("SELECT 1 FROM tenant WHERE id = {tenant}")


def audit_topic(tenant: UUID) -> str:
    return f"{AUDIT_TOPIC}{tenant}"


def _named_hosts(settings: Settings) -> tuple[str, ...]:
    """The hosts of the addresses in the settings: ORCID, the anchor webhook, the issuers of tokens."""
    issuers = [url for issuer in settings.oidc_issuers for url in (issuer.issuer, issuer.jwks_url)]
    named = (settings.orcid_base_url, settings.anchor_url, *issuers)
    return tuple(dict.fromkeys(host for url in named if url and (host := urlsplit(url).hostname)))


class Runtime:
    """Everything that outlives a request. `start` opens the database, `stop` writes out what is held in memory."""

    def __init__(self, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> None:
        self.settings, self.clock = settings, clock
        self.peppers = load_peppers(settings)
        self.audit_key = load_audit_key(settings.keys_dir)
        # Of its own, so that what is signed as a cursor can never be taken for a link of the chain.
        self.cursor_key = hmac.digest(self.audit_key, b"cursors of lists", "sha256")
        self.encryption = load_encryption_keys(settings, clock)
        self.signing_key = signing_key(settings.keys_dir)
        self.database = open_database(settings.database, settings.database_pool_size)
        self.egress = Egress(settings.egress_allow, dns_servers=settings.dns_servers)
        # What the operator names in the settings may be anywhere; what tenants name may not.
        self.own_egress = Egress((*settings.egress_allow, *_named_hosts(settings)))
        self.orcid = OrcidClient(self.own_egress, settings.orcid_base_url, settings.orcid_concurrency, clock=clock)
        # Who shares the keys folder is one installation; another one on the same Redis has names of its own.
        told = hmac.digest(self.audit_key, b"names in Redis", "sha256").hex()[:12]
        prefix = settings.redis_prefix or f"dovetail-{told}"
        self.redis = connect(settings.redis_url) if settings.redis_url else None
        absence = Absence()
        self.bus: Bus = MemoryBus() if self.redis is None else RedisBus(self.redis, absence, prefix=prefix)
        self._announcing: set[asyncio.Future[None]] = set()
        self.definitions = WarmDefinitions()
        self.imports = ImportSlots(settings.imports_at_once)
        self.reviews = asyncio.Semaphore(settings.imports_at_once)
        news = None if self.redis is None else CircuitNews(self.bus, self.announce)
        self.circuits = Circuits(self.database, clock, first_open=settings.circuit_open_seconds * SECOND, news=news)
        self.executions = ExecutionLedger(self.database, clock, settings.execution_days)
        self.registry_tokens = RegistryTokens()
        self.vaults = VaultSecrets(clock)
        self.refreshes = Refreshes(self)
        self._tenants: set[UUID] = set()
        self._services = ServiceCertificates(settings.service_certificates, clock)
        self.limiter = Limiter(settings.redis_url, absence, clock, prefix=prefix)
        walks = MemoryWalks(clock, ceiling=settings.walk_pages, seconds=settings.walk_seconds)
        self.walks: Walks = walks if self.redis is None else RedisWalks(self.redis, walks, absence, prefix=prefix)
        self.denials = Denials(clock, self.record)
        self.decisions = Decisions(self.denials, self.bus, shared=self.redis is not None)
        self.sealer = Sealer(self.database, self.audit_key, self._publish_audit)
        self.keys = Keys(self.database, self.peppers, clock)
        self.usage = UsageLedger(self.database, clock, recorded=settings.usage_recorded)
        self.versions = DataVersions(self.database, clock)
        self.pages = PageCache(clock, settings.page_cache_bytes)
        self.listed_order = ListedOrder(self.database)
        self.contracts = Catalogue()
        self.jobs = JobRunner(self, {SYNC: run_sync}, settings.orcid_concurrency)
        self.gate = Gate(
            keys=self.keys, limiter=self.limiter, walks=self.walks, denials=self.denials, settings=settings, clock=clock
        )
        foreign = [JwksKeys(issuer, self._fetch_json, clock) for issuer in settings.oidc_issuers]
        self.verifier = TokenVerifier([BuiltInKeys(self.signing_key, settings), *foreign], clock)

    async def start(self) -> None:
        bind(self.database, TABLES)
        await self.database.start()
        await self.bus.start()

    async def stop(self) -> None:
        """Write out what is held, then close; whatever fails, nothing stays open."""
        try:
            await self.write_out()
        finally:
            await self.close()

    async def write_out(self) -> None:
        """Denials, uses, executions and seals; a database that is away does not keep the rest."""
        await self.refreshes.stop()
        for write_out in (
            lambda: self.denials.flush(everything=True),
            self.usage.close,
            self.executions.flush,
            self.sealer.seal_all,
        ):
            try:
                await write_out()
            except Unavailable as error:
                LOG.warning("not everything could be written out", reason=str(error))

    async def close(self, *, hurry: bool = False) -> None:
        """Close everything, and write nothing out; what cannot be closed does not keep the rest.

        With `hurry` no statement that is on its way is waited for.
        """
        async with AsyncExitStack() as closing:
            # The last is closed first.
            closing.push_async_callback(self.database.stop, hurry=hurry)
            closing.push_async_callback(self.own_egress.close)
            closing.push_async_callback(self.egress.close)
            if self.redis is not None:
                closing.push_async_callback(self.redis.aclose)
            closing.push_async_callback(self.limiter.close)
            closing.push_async_callback(self.bus.stop)
            closing.push_async_callback(self.listed_order.close)
            self.circuits.close()
            await asyncio.gather(*self._announcing, return_exceptions=True)

    async def authenticate(self, token: str) -> Principal:
        """The principal of a bearer token. Raises InvalidToken, also for a tenant that this server does not have."""
        principal = await self.verifier.verify(token)
        if not await self._has_tenant(principal.tenant):
            raise InvalidToken("The bearer token names a tenant that this server does not have.")
        return principal

    async def authenticate_certificate(
        self, certificate: ClientCertificate, surface: Surface, request_id: str
    ) -> Principal:
        """The service of a client certificate. Raises CertificateRefused, and the history has it then."""
        try:
            principal = self._services.principal(certificate)
            if not await self._has_tenant(principal.tenant):
                text = "The service of the client certificate has a tenant that this server does not have."
                raise CertificateRefused(text, "tenant", str(principal.tenant))
        except CertificateRefused as refused:
            await self.denials.record(self._certificate_denial(refused, certificate, surface, request_id))
            raise
        return principal

    async def _has_tenant(self, tenant: UUID) -> bool:
        if tenant not in self._tenants:
            if not await self.database.fetch(_HAS_TENANT, tenant=tenant):
                return False
            self._tenants.add(tenant)
        return True

    def _certificate_denial(
        self, refused: CertificateRefused, certificate: ClientCertificate, surface: Surface, request_id: str
    ) -> Entry:
        service = refused.service
        return Entry(
            tenant=service.tenant if service else NO_TENANT,
            at=self.clock.now_ms(),
            actor_kind="service",
            actor_id=service.subject if service else certificate.subject,
            actor_name=service.name if service else None,
            attribution="claimed",
            surface=surface,
            action=refused.denial,
            outcome="deny",
            code=refused.code,
            rule=refused.rule,
            seen=refused.seen,
            request_id=request_id,
        )

    async def record(self, entries: list[Entry]) -> None:
        """Write audit events in a transaction of their own."""
        await self.database.in_transaction(lambda: write_entries(self.database, entries, self.audit_key))
        self.sealer.wake()

    async def send_anchor(self, anchor: Anchor) -> None:
        """Give an anchor to the webhook of the settings; one that cannot be given is logged, the file has it."""
        url = self.settings.anchor_url
        if url is None:
            return
        try:
            answer = await self.own_egress.post(url, msgspec.json.encode(anchor), content_type="application/json")
        except EgressError as error:
            LOG.error("the anchor webhook cannot be reached", reason=str(error), seq=anchor.seq)
            return
        if answer.status >= 300:
            LOG.error("the anchor webhook refused an anchor", status=answer.status, seq=anchor.seq)

    def announce(self, topic: str, message: Mapping[str, Any]) -> None:
        """Publish without waiting; to be called once the change that it tells of is committed."""
        task = asyncio.ensure_future(self.bus.publish(topic, message))
        self._announcing.add(task)
        task.add_done_callback(self._announced)

    def _announced(self, task: "asyncio.Future[None]") -> None:
        self._announcing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            LOG.error("an event could not be published", exc_info=task.exception())

    async def _publish_audit(self, tenant: UUID, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            await self.bus.publish(audit_topic(tenant), event)

    async def _fetch_json(self, url: str) -> Any:
        try:
            answer = await self.own_egress.get(url, max_bytes=_JWKS_BYTES)
            if answer.status != 200:
                raise Unavailable(f"{url} answered with status {answer.status}.")
            return msgspec.json.decode(answer.body)
        except (EgressError, msgspec.DecodeError) as error:
            raise Unavailable(f"{url} cannot be read: {error}") from error
