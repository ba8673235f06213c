"""A definition as it is written: plain data, which services.integrations.definitions.checking holds to its rules.

On the wire and in the database the names are camelCase. What was not given is None and stays away from every answer, so
that a definition comes back as it was sent; the properties say what holds where nothing was given.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from services.integrations.definitions.parts import Expression, Part, Schema, Template
from services.integrations.definitions.webhooks import Webhook

DEFAULT_TIMEOUT_MS = 30_000
#: The largest public description that is known has 22,361 operations.
MOST_METHODS = 25_000
DEFAULT_RESPONSE_BYTES = 5 * 1024 * 1024
#: Under this name the instance's configuration is seen by templates, beside the parameters.
CONFIG = "_config"

DefinitionType: TypeAlias = Literal["http", "graphql", "webhook"]
Category: TypeAlias = Literal[
    "scm", "ci", "registry", "vault", "target", "router", "notification", "metrics", "generic"
]  # fmt: skip
AuthType: TypeAlias = Literal["none", "basic", "api_key", "bearer", "oauth2", "client_credentials", "jwt"]
SideEffect: TypeAlias = Literal["read", "write", "delete", "send"]
Idempotency: TypeAlias = Literal["safe", "idempotent", "key", "none"]
HttpMethod: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
ErrorCode: TypeAlias = Literal[
    "INTEGRATION_ERROR", "AUTH_ERROR", "RATE_LIMIT_EXCEEDED", "EXECUTION_ERROR", "TIMEOUT_ERROR"
]  # fmt: skip
MethodName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$(?!\n)")]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=1, le=300_000)]


class Body(Part, kw_only=True, frozen=True):
    """The body of a request: `template` is JMESPath over the parameters; all of them where it is absent.

    With `graphql` it gives the variables of `document`. With `multipart` a value may be an object with `filename`,
    `contentType` and `contentBase64`. With `raw` it gives the body itself: a text, or an object with `contentBase64`
    and perhaps `contentType`.
    """

    encoding: Literal["json", "form", "multipart", "graphql", "raw"] = "json"
    template: Expression | None = None
    document: Annotated[str, Meta(max_length=50_000)] | None = None
    operation_name: Annotated[str, Meta(max_length=200)] | None = None


class Request(Part, kw_only=True, frozen=True):
    """The HTTP request of a method; `query` maps a parameter's name to a template, left out where that has no value.

    `{name*}` in `query` repeats the parameter for each item of a list; for an object, with `*` in the parameter's own
    name, each property is sent, its name in the place of `*`. Values of `headers` are templates too, but their
    variables are put in as they are; a header of which no variable has a value is left out.
    """

    method: HttpMethod | None = None
    path: Template | None = None
    query: dict[str, Template] | None = None
    headers: dict[str, Template] | None = None
    body: Body | None = None


class RateLimits(Part, kw_only=True, frozen=True):
    """A token bucket for each instance and method."""

    requests_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)]
    burst_limit: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None

    @property
    def burst(self) -> int:
        return self.burst_limit or self.requests_per_minute


class Retry(Part, kw_only=True, frozen=True):
    """Tries in all, and the pauses between them, which grow by `multiplier`."""

    max_attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    initial_delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 200
    multiplier: Annotated[float, Meta(ge=1, le=10)] = 2.0
    max_delay_ms: Annotated[int, Meta(ge=0, le=300_000)] = 10_000


class Pagination(Part, kw_only=True, frozen=True):
    """How further pages are asked for: `parameter` takes the cursor, page or offset; `link` follows RFC 8288.

    `items` and `cursor` are JMESPath over the answer's body; `pages` bounds a walk through all of them.
    """

    style: Literal["cursor", "page", "offset", "link"]
    parameter: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    items: Expression | None = None
    cursor: Expression | None = None
    size_parameter: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    size: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    pages: Annotated[int, Meta(ge=1, le=1_000)] | None = None


class ExampleResponse(Part, kw_only=True, frozen=True):
    """What the upstream answers in an example; `body` is JSON."""

    status: Annotated[int, Meta(ge=100, le=599)] = 200
    headers: dict[str, str] | None = None
    body: Any = None

    @property
    def seen(self) -> dict[str, Any]:
        """As expressions over the whole answer see it: names of headers in lower case."""
        headers = {name.lower(): text for name, text in (self.headers or {}).items()}
        return {"status": self.status, "headers": headers, "body": self.body}


class Example(Part, kw_only=True, frozen=True):
    """A call and its outcome: parameters, the upstream's answer, the result. The definition's offline contract test."""

    params: dict[str, Any] = {}
    response: ExampleResponse = ExampleResponse()
    result: Any = msgspec.UNSET


class Method(Part, kw_only=True, frozen=True):
    """One thing that can be asked of the integration."""

    name: MethodName
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    side_effect: SideEffect | None = None
    param_schema: Schema | None = None
    result_schema: Schema | None = None
    request: Request | None = None
    result_path: Expression | None = None
    result_from: Literal["body", "answer"] | None = None
    rate_limits: RateLimits | None = None
    timeout_ms: Milliseconds | None = None
    retry: Retry | None = None
    idempotency: Idempotency | None = None
    idempotency_header: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    pagination: Pagination | None = None
    max_response_bytes: Annotated[int, Meta(ge=1, le=DEFAULT_RESPONSE_BYTES)] | None = None
    examples: Annotated[list[Example], Meta(max_length=20)] | None = None

    @property
    def verb(self) -> HttpMethod:
        """The HTTP method: the request's own, else POST where it has a body and GET where not."""
        if self.request is None or self.request.method is None:
            return "POST" if self.request is not None and self.request.body is not None else "GET"
        return self.request.method

    @property
    def effect(self) -> SideEffect:
        given: dict[str, SideEffect] = {"GET": "read", "HEAD": "read", "DELETE": "delete"}
        return self.side_effect or given.get(self.verb, "write")

    @property
    def repeats(self) -> Idempotency:
        """What a repeated call does: as declared, else as RFC 9110 section 9.2 says of the HTTP method."""
        given: dict[str, Idempotency] = {"GET": "safe", "HEAD": "safe", "PUT": "idempotent", "DELETE": "idempotent"}
        return self.idempotency or given.get(self.verb, "none")

    @property
    def timeout(self) -> int:
        """Milliseconds for the whole call, with its retries."""
        return self.timeout_ms or DEFAULT_TIMEOUT_MS

    @property
    def most_bytes(self) -> int:
        return self.max_response_bytes or DEFAULT_RESPONSE_BYTES


class Exchange(Part, kw_only=True, frozen=True):
    """A request that an assertion is exchanged with for a token: POST of `path` below the base URL, without a body.

    The variables of `path` are values of the configuration, `{_config.name}`. `tokenPath` and `expiresPath` are
    JMESPath over the answer; at the latter is an instant of RFC 3339, seconds since the epoch, or seconds from now.
    """

    path: Template
    token_path: Expression
    expires_path: Expression | None = None


class AuthConfig(Part, kw_only=True, frozen=True):
    """Where a static credential goes (`api_key`), or how its assertion is made (`jwt`, RFC 7519).

    With `challenge` (`basic`) the credentials wait until a 401 asks for them: for themselves alone, or with
    `registry-token` for a token too that its realm gives (CNCF Distribution, token authentication), without secrets as
    anybody. A realm is at the host of the base URL, at one of `realm_hosts`, or at the instance's own `realmHost`.

    An assertion lasts `lifetimeSeconds`, 300 where nothing is said, from its `iat`. That lies a minute back, or half of
    a life below two minutes, because clocks differ.

    With `exchange` (`jwt`) calls do not carry the assertion, but the token that it is exchanged for.
    """

    location: Literal["header", "query"] | None = msgspec.field(default=None, name="in")
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    prefix: Annotated[str, Meta(max_length=50)] | None = None
    algorithm: Literal["RS256", "ES256", "EdDSA", "HS256"] | None = None
    issuer: Annotated[str, Meta(max_length=500)] | None = None
    audience: Annotated[str, Meta(max_length=500)] | None = None
    lifetime_seconds: Annotated[int, Meta(ge=10, le=3_600)] | None = None
    challenge: Literal["basic", "registry-token"] | None = None
    realm_hosts: Annotated[list[str], Meta(max_length=20)] | None = None
    exchange: Exchange | None = None


class OAuth2Config(Part, kw_only=True, frozen=True):
    """The authorization server (RFC 6749, RFC 8414). `scope` is as it is sent.

    `clientId` may stand here for a public client; else it is one of the instance's secrets, as the client's secret is.
    """

    authorization_url: Annotated[str, Meta(max_length=2_000)] | None = None
    token_url: Annotated[str, Meta(max_length=2_000)] | None = None
    revocation_url: Annotated[str, Meta(max_length=2_000)] | None = None
    issuer: Annotated[str, Meta(max_length=2_000)] | None = None
    scope: Annotated[str, Meta(max_length=2_000)] | None = None
    audience: Annotated[str, Meta(max_length=500)] | None = None
    client_id: Annotated[str, Meta(max_length=500)] | None = None
    client_authentication: Literal["client_secret_basic", "client_secret_post", "none"] | None = None
    pkce: Literal["S256", "none"] | None = None
    authorization_params: dict[str, str] | None = None
    token_params: dict[str, str] | None = None


class Verification(Part, kw_only=True, frozen=True):
    """The method that a test of the connection calls."""

    method: MethodName
    params: dict[str, Any] | None = None


class Discovery(Part, kw_only=True, frozen=True):
    """The method that lists the resources of one type.

    `params` is JMESPath over `{parent, parts, query, limit, cursor}`: the id of a resource of which these are, the same
    parted at its slashes, and what the caller asked for. With `below` the ids are put behind that of their parent.
    `resources`, over the result, gives objects with `id`,
    `name` and what else there is; `cursor`, over the result, the next page's.
    """

    method: MethodName
    params: Expression | None = None
    resources: Expression | None = None
    cursor: Expression | None = None
    below: bool = False


class ErrorRule(Part, kw_only=True, frozen=True):
    """Which answers are errors, and which: `status` and `when` (JMESPath over `{status, headers, body}`) both hold.

    `message` is JMESPath over the same. The first rule that holds decides.
    """

    code: ErrorCode = "INTEGRATION_ERROR"
    status: list[Annotated[int, Meta(ge=100, le=599)]] | None = None
    when: Expression | None = None
    message: Expression | None = None
    retryable: bool | None = None


class Definition(Part, kw_only=True, frozen=True):
    """What can be connected, as its author writes it."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    description: Annotated[str, Meta(max_length=10_000)] = ""
    version: Annotated[str, Meta(max_length=64)]
    type: DefinitionType
    category: Category | None = None
    auth_type: AuthType
    base_url: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None
    allowed_hosts: Annotated[list[str], Meta(max_length=100)] | None = None
    methods: Annotated[list[Method], Meta(max_length=MOST_METHODS)] = []
    config_schema: Schema | None = None
    secrets_schema: Schema | None = None
    auth_config: AuthConfig | None = None
    oauth2_config: OAuth2Config | None = None
    default_config: dict[str, Any] | None = None
    verification: Verification | None = None
    discover: dict[str, Discovery] | None = None
    error_rules: Annotated[list[ErrorRule], Meta(max_length=100)] | None = None
    webhook: Webhook | None = None

    @property
    def exchange(self) -> Exchange | None:
        """What an assertion is exchanged with; None where calls carry it."""
        return self.auth_config.exchange if self.auth_type == "jwt" and self.auth_config is not None else None

    @property
    def takes_tokens(self) -> bool:
        """Whether calls carry a token that was asked for, and not the secrets of the instance."""
        return self.auth_type in ("oauth2", "client_credentials") or self.exchange is not None

    def method(self, name: str) -> Method | None:
        return next((method for method in self.methods if method.name == name), None)
