"""Challenges: what some senders want answered at an endpoint before they send anything. All of it is data."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from services.integrations.definitions.parts import Expression, Part

#: The text that a sender shows for an endpoint to know it by, among the secrets of an instance.
VERIFY_TOKEN = "verifyToken"
Proof: TypeAlias = Literal["signature", "token", "none"]
ParameterName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class ChallengeSource(Part, kw_only=True, frozen=True):
    """Where a text of a challenge is: a parameter of the URL's query, or, by JMESPath, in the body. One of the two."""

    query: ParameterName | None = None
    body: Expression | None = None


class ChallengeExample(Part, kw_only=True, frozen=True):
    """A challenge as the sender makes it, and the text that it wants back."""

    query: dict[str, str] | None = None
    body: Any = msgspec.UNSET
    answer: str


class Challenge(Part, kw_only=True, frozen=True):
    """A request that is answered with the text at `value`, and is no event.

    It is one where it comes with this HTTP method, has a text at `value`, and `when`, JMESPath over `{query, body}`,
    holds. `proof` is what it must show: a `signature` of the definition, the instance's verifyToken at `token`, or
    `none`. The answer is plain text, or with `member` a JSON object that has the text under this name.
    """

    method: Literal["GET", "POST"] = "POST"
    value: ChallengeSource
    when: Expression | None = None
    proof: Proof
    token: ChallengeSource | None = None
    member: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    examples: Annotated[list[ChallengeExample], Meta(max_length=20)] | None = None
