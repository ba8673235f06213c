"""The closed sets of words of integrations."""

from enum import Enum

import strawberry


@strawberry.enum(description="Where a definition stands in its life; there is no way back.")
class IntegrationDefinitionStatus(Enum):
    DRAFT = strawberry.enum_value("DRAFT", description="It can still be changed, and not be connected.")
    PUBLISHED = strawberry.enum_value("PUBLISHED", description="It can be connected, and never changes again.")
    DEPRECATED = strawberry.enum_value("DEPRECATED", description="Its instances work on; no new ones are made.")
    ARCHIVED = strawberry.enum_value("ARCHIVED", description="Its methods can no longer be called.")


@strawberry.enum(description="How an integration speaks.")
class IntegrationProtocol(Enum):
    HTTP = strawberry.enum_value("http", description="HTTP requests.")
    GRAPHQL = strawberry.enum_value("graphql", description="GraphQL documents.")
    WEBHOOK = strawberry.enum_value("webhook", description="Signed events that come in, or go out.")


@strawberry.enum(description="What an integration is for.")
class IntegrationCategory(Enum):
    SCM = strawberry.enum_value("scm", description="Source code.")
    CI = strawberry.enum_value("ci", description="Builds.")
    REGISTRY = strawberry.enum_value("registry", description="Artefacts and images.")
    VAULT = strawberry.enum_value("vault", description="Secrets.")
    TARGET = strawberry.enum_value("target", description="Places that are deployed to.")
    ROUTER = strawberry.enum_value("router", description="Traffic.")
    NOTIFICATION = strawberry.enum_value("notification", description="Messages to people and machines.")
    METRICS = strawberry.enum_value("metrics", description="Measurements.")
    GENERIC = strawberry.enum_value("generic", description="Anything else.")


@strawberry.enum(description="How an integration's calls are authenticated.")
class IntegrationAuthentication(Enum):
    NONE = strawberry.enum_value("none", description="Not at all.")
    BASIC = strawberry.enum_value("basic", description="User name and password (RFC 7617).")
    API_KEY = strawberry.enum_value("api_key", description="A key in a header or in the query.")
    BEARER = strawberry.enum_value("bearer", description="A bearer token (RFC 6750).")
    OAUTH2 = strawberry.enum_value("oauth2", description="OAuth 2.0 with a person's consent (RFC 6749).")
    CLIENT_CREDENTIALS = strawberry.enum_value("client_credentials", description="OAuth 2.0 without a person.")
    JWT = strawberry.enum_value("jwt", description="A signed assertion (RFC 7523).")


@strawberry.enum(description="Where an instance stands.")
class IntegrationStatus(Enum):
    PENDING_CONFIGURATION = strawberry.enum_value("PENDING_CONFIGURATION", description="It waits for a configuration.")
    PENDING_AUTHENTICATION = strawberry.enum_value("PENDING_AUTHENTICATION", description="It waits for credentials.")
    CONNECTED = strawberry.enum_value("CONNECTED", description="Its methods can be called.")
    DISCONNECTED = strawberry.enum_value("DISCONNECTED", description="Its credentials were deleted.")
    AUTH_ERROR = strawberry.enum_value("AUTH_ERROR", description="The other side refuses its credentials.")
    CONFIG_ERROR = strawberry.enum_value("CONFIG_ERROR", description="Its configuration does not fit.")


@strawberry.enum(description="What the last checks of an instance found.")
class IntegrationHealthStatus(Enum):
    HEALTHY = strawberry.enum_value("healthy", description="It answers.")
    DEGRADED = strawberry.enum_value("degraded", description="It failed once or twice, or is slow.")
    UNHEALTHY = strawberry.enum_value("unhealthy", description="It failed three times or more in a row.")
    UNKNOWN = strawberry.enum_value("unknown", description="It was not checked.")


@strawberry.enum(description="What became of a webhook whose signature held.")
class IntegrationDeliveryStatus(Enum):
    ACCEPTED = strawberry.enum_value("accepted", description="It was taken.")
    REJECTED = strawberry.enum_value("rejected", description="It does not fit the schema of its event.")
