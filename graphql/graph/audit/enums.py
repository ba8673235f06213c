"""The closed sets of the audit history."""

from enum import Enum

import strawberry


@strawberry.enum(description="How what was asked for ended.")
class AuditOutcome(Enum):
    ALLOW = strawberry.enum_value("allow", description="It was done.")
    DENY = strawberry.enum_value("deny", description="It was refused by a rule.")
    ERROR = strawberry.enum_value("error", description="It broke unexpectedly, and nothing was changed.")


@strawberry.enum(description="Through which surface it was asked.")
class AuditSurface(Enum):
    REST = strawberry.enum_value("rest", description="A REST interface.")
    GRAPHQL = strawberry.enum_value("graphql", description="The control plane.")
    AGENT = strawberry.enum_value("agent", description="An agent.")
    SYSTEM = strawberry.enum_value("system", description="A duty of the server itself.")
    CLI = strawberry.enum_value("cli", description="A command on the server's own machine.")


@strawberry.enum(description="Whether the actor is known or only said to be it.")
class Attribution(Enum):
    VERIFIED = strawberry.enum_value("verified", description="The credential was right.")
    CLAIMED = strawberry.enum_value("claimed", description="The credential named somebody and was not right.")


@strawberry.enum(description="What kind of caller acted.")
class ActorKind(Enum):
    USER = strawberry.enum_value("user", description="A person with a token.")
    SERVICE = strawberry.enum_value("service", description="A service, or a duty of the server.")
    INSTALLATION = strawberry.enum_value("installation", description="An installation with its key.")
    AGENT = strawberry.enum_value("agent", description="An agent.")
    OPERATOR = strawberry.enum_value("operator", description="Somebody on the server's own machine.")
