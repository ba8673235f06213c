"""Settings: from the environment (`DOVETAIL_*`) over one TOML file (`dovetail.toml` in the home folder).

One struct is the whole table; docs/operations/settings.md is compared with it by a test.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

PREFIX = "DOVETAIL_"


class SettingsError(Exception):
    """A setting is unknown or breaks its rule; the message names it."""


#: None of them is symmetric: with a published key, `HS256` or `none` would let anybody sign.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"
]  # fmt: skip


#: `typ` in the header of an access token: RFC 9068's, the general one, or none.
TokenType = Literal["at+jwt", "JWT", "absent"]


def _doc(text: str, **rules: Any) -> Meta:
    return Meta(description=text, **rules)


#: No mark that a pattern of Redis would read as more than itself, and no part of its own.
_NAME = r"^[A-Za-z0-9_-]{1,40}$"


class OidcIssuer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One foreign issuer of tokens. `algorithms` and `token_types` are allow-lists (RFC 8725 sections 3.1 and 3.11)."""

    issuer: str
    audience: str
    jwks_url: str | None = None
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
    tenant_claim: str = "tenant_id"
    roles_claim: str = "roles"
    permissions_claim: str = "permissions"
    subject_claim: str = "user_id"
    token_types: tuple[TokenType, ...] = ("at+jwt", "JWT", "absent")


class ServiceCertificate(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One service by its client certificate: `subject` is the subject's RFC 4514 text, or a SAN URI, exactly."""

    subject: str
    tenant: UUID
    name: str
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    home: Annotated[Path, _doc("Folder that holds all state: database, keys, logs, anchors.")] = Path("var")
    host: Annotated[str, _doc("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _doc("TCP port to listen on.", ge=1, le=65535)] = 8000
    base_url: Annotated[str | None, _doc("Public address of this server; default `http://HOST:PORT`.")] = None
    database_url: Annotated[
        str | None, _doc("`postgresql://…` or `sqlite:///PATH`; default a SQLite file in the home folder.")
    ] = None
    database_pool_size: Annotated[
        int, _doc("Connections of each process to PostgreSQL, or its SQLite readers.", ge=1, le=200)
    ] = 4
    redis_url: Annotated[str | None, _doc("`redis://…`: shared rate limits for several processes.")] = None
    redis_prefix: Annotated[
        Annotated[str, Meta(pattern=_NAME)] | None,
        _doc("First part of all names in Redis, 1 to 40 of A-Z, a-z, 0-9, _ and -; default from the keys folder."),
    ] = None
    orcid_base_url: Annotated[str, _doc("Where people and works are read from.")] = "https://pub.orcid.org"
    orcid_concurrency: Annotated[int, _doc("ORCID requests in flight at once.", ge=1, le=24)] = 4
    egress_allow: Annotated[
        tuple[str, ...],
        _doc("Hosts or CIDRs that outbound calls may reach although private; with `:PORT`, at that one."),
    ] = ()
    dns_servers: Annotated[
        tuple[str, ...], _doc("DNS servers for origin proofs, `ADDRESS[:PORT]`; default the system's.")
    ] = ()
    graphql_documents: Annotated[
        Literal["any", "trusted"], _doc("`trusted` runs only the documents of the manifest.")
    ] = "any"
    graphql_cost_per_minute: Annotated[int, _doc("GraphQL cost a token may use a minute.", ge=2_000)] = 60_000
    rate_limit_per_minute: Annotated[int, _doc("Requests a minute of an installation.", ge=1)] = 600
    rate_limit_burst: Annotated[int, _doc("Requests an installation may send at once.", ge=1)] = 300
    integration_reads_per_minute: Annotated[int, _doc("GETs a minute of a caller of integrations.", ge=1)] = 100
    integration_writes_per_minute: Annotated[
        int, _doc("POSTs, PUTs and DELETEs a minute of a caller of integrations.", ge=1)
    ] = 50
    walk_pages: Annotated[int, _doc("Pages that one walk through a list may reserve.", ge=0)] = 1_000
    walk_seconds: Annotated[int, _doc("How long the reservation of a walk lasts.", ge=1)] = 900
    page_cache_bytes: Annotated[
        int, _doc("Memory of each process for pages of lists that are sent again; 0 keeps none.", ge=0)
    ] = 33_554_432
    tombstone_days: Annotated[
        int, _doc("How long consumers are told of a row that is no longer listed, in days.", ge=1)
    ] = 90
    max_body_bytes: Annotated[int, _doc("Largest request body that is read.", ge=1_024)] = 1_048_576
    import_max_bytes: Annotated[
        int, _doc("Largest document that is imported over HTTP as a definition.", ge=1_024, le=67_108_864)
    ] = 67_108_864
    imports_at_once: Annotated[
        int, _doc("Imports of definitions that each process runs at once; a tenant runs one.", ge=1, le=64)
    ] = 2
    legacy_paths: Annotated[bool, _doc("Answer `/v1/people` and `/v1/publications`.")] = True
    legacy_sunset: Annotated[str, _doc("The day (YYYY-MM-DD) on which the `/v1` paths may go.")] = "2027-12-31"
    forwarded_allow_ips: Annotated[str, _doc("Proxies whose `X-Forwarded-*` headers are believed.")] = "127.0.0.1"
    trusted_proxies: Annotated[
        tuple[str, ...], _doc("Addresses or CIDRs of the proxies whose `Client-Cert` header is believed; default none.")
    ] = ()
    service_certificates: Annotated[
        tuple[ServiceCertificate, ...],
        _doc("Services by client certificate, a JSON list of objects with `subject`, `tenant` and `name`."),
    ] = ()
    token_ttl_seconds: Annotated[int, _doc("Life of a token from `dovetail token issue`.", ge=60)] = 43_200
    token_issuer: Annotated[str, _doc("`iss` of built-in tokens.")] = "dovetail"
    token_audience: Annotated[str, _doc("`aud` of built-in tokens.")] = "dovetail"
    oidc_issuers: Annotated[
        tuple[OidcIssuer, ...], _doc("Foreign token issuers, a JSON list of objects with `issuer` and `audience`.")
    ] = ()
    anchor_url: Annotated[str | None, _doc("Webhook that receives each audit anchor; a file is always written.")] = None
    anchor_minutes: Annotated[int, _doc("Minutes between audit anchors.", ge=1)] = 60
    pepper: Annotated[str | None, _doc("Key pepper, base64 of 32 bytes; default a file in the home folder.")] = None
    usage_recorded: Annotated[bool, _doc("Record which parameters and fields of the contracts each client uses.")] = (
        True
    )
    usage_days: Annotated[int, _doc("Days that the record of used parameters and fields is kept.", ge=1)] = 400
    execution_days: Annotated[int, _doc("Days that the record of executed methods is kept.", ge=1)] = 30
    circuit_open_seconds: Annotated[
        int, _doc("How long a circuit is open the first time; each time after doubles that.", ge=1, le=300)
    ] = 30
    oauth2_refresh_idle: Annotated[bool, _doc("Refresh OAuth2 tokens also of instances that nobody calls.")] = True
    delivery_days: Annotated[int, _doc("Days that the payloads of received webhooks are kept.", ge=1)] = 30
    delivery_replay_days: Annotated[
        int, _doc("Days that a received webhook without a signed timestamp is known again.", ge=1)
    ] = 400
    deliveries_per_minute: Annotated[int, _doc("Webhooks a minute of one instance.", ge=1)] = 600
    deliveries_per_address_per_minute: Annotated[
        int, _doc("Webhooks a minute from one address, for all instances.", ge=1)
    ] = 1_200
    encryption_key: Annotated[
        str | None, _doc("Key of stored secrets, base64 of 32 bytes; default a file in the home folder.")
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _doc("Least level that is logged.")] = "info"
    shutdown_seconds: Annotated[int, _doc("How long open requests may take when stopping.", ge=1)] = 15

    @property
    def url(self) -> str:
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def keys_dir(self) -> Path:
        return self.home / "keys"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'dovetail.sqlite').absolute()}"


#: What a caller of the server keeps its credential in, as the examples of the reference pages have it.
_OF_CALLERS = {f"{PREFIX}API_KEY", f"{PREFIX}TOKEN"}
_LISTS = {"egress_allow", "dns_servers", "trusted_proxies"}
_OBJECTS = {"oidc_issuers", "service_certificates"}


def _parse(name: str, text: str) -> Any:
    """None, as if it were not set, for an empty text."""
    if not text.strip():
        return None
    if name in _LISTS and not text.startswith('["'):
        return [part.strip() for part in text.split(",") if part.strip()]
    return msgspec.json.decode(text) if name in _LISTS | _OBJECTS else text


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = set(Settings.__struct_fields__)
    found: dict[str, Any] = {}
    for variable, text in environ.items():
        if variable in _OF_CALLERS:
            continue
        if not variable.startswith(PREFIX) or variable.startswith((f"{PREFIX}TEST_", f"{PREFIX}BENCH_")):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            raise SettingsError(f"{variable} is not a setting; see docs/operations/settings.md")
        try:
            found[name] = _parse(name, text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise SettingsError(f"{variable} is not valid JSON: {error}") from error
    return {name: value for name, value in found.items() if value is not None}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def load_settings(environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Settings from the environment over the TOML file; `given` values win over both.

    Raises SettingsError, naming the variable or the file, for an unknown name or a value against its rule.
    """
    environment = _from_environment(os.environ if environ is None else environ)
    chosen = {name: value for name, value in given.items() if value is not None}
    home = Path(chosen.get("home") or environment.get("home", Settings.__struct_defaults__[0]))
    path = home / "dovetail.toml"
    try:
        found = _from_file(path) | environment | chosen
        settings = msgspec.convert(found, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise SettingsError(f"{_source(str(error), path, environment, chosen)}: {error}") from error
    _refuse_namesakes(settings)
    return settings


def _source(error: str, path: Path, environment: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    """Where the value comes from that msgspec's message is about."""
    found = re.search(r" - at `\$\.(\w+)", error)
    name = found[1] if found else ""
    if name in chosen:
        return name
    return PREFIX + name.upper() if name in environment else str(path)


def _refuse_namesakes(settings: Settings) -> None:
    """The issuer's name alone picks the keys and the algorithms, so no two may share it; so for a certificate's."""
    issuers = [settings.token_issuer, *(foreign.issuer for foreign in settings.oidc_issuers)]
    subjects = [service.subject for service in settings.service_certificates]
    for where, names in (("oidc_issuers and token_issuer", issuers), ("service_certificates", subjects)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SettingsError(f"{where}: {twice[0]!r} stands there more than once")
