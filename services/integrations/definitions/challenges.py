"""Challenges: what some senders want answered at an endpoint before they send anything. All of it is data."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from services.integrations.definitions.parts import Expression, HeaderName, Part

#: The text that a sender shows for an endpoint to know it by, among the secrets of an instance.
VERIFY_TOKEN = "verifyToken"
MOST_MEMBERS = 10
Proof: TypeAlias = Literal["signature", "token", "none"]
MemberName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
#: `{value}` and `{hmac}` stand for what they name; there are no other braces.
MemberText: TypeAlias = Annotated[str, Meta(max_length=200)]
ParameterName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class ChallengeSource(Part, kw_only=True, frozen=True):
    """Where a text of a challenge is: a parameter of the URL's query, a header, or, by JMESPath, in the body. One."""

    query: ParameterName | None = None
    header: HeaderName | None = None
    body: Expression | None = None


class ChallengeHmac(Part, kw_only=True, frozen=True):
    """How the text is signed on its way back: an HMAC of it alone, under the instance's signingSecret."""

    algorithm: Literal["SHA-256"] = "SHA-256"
    encoding: Literal["hex", "base64"]


class ChallengeExample(Part, kw_only=True, frozen=True):
    """A challenge as the sender makes it, and the text that it wants back; with `members` the JSON as a text.

    With `hmac` it has a `signingSecret` of its own, which is nobody's.
    """

    query: dict[str, str] | None = None
    headers: dict[str, str] | None = None
    body: Any = msgspec.UNSET
    signing_secret: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    answer: str


class Challenge(Part, kw_only=True, frozen=True):
    """A request that is answered with the text at `value`, and is no event.

    It is one where it comes with this HTTP method, has a text at `value`, and `when`, JMESPath over `{query, body}`,
    holds. `proof` is what it must show: a `signature` of the definition, the instance's verifyToken at `token`, or
    `none`. The answer is plain text, or with `member` a JSON object that has the text under this name, or with
    `members` one of texts, in which `{value}` is the text and `{hmac}`, where `hmac` says how, its signature.
    """

    method: Literal["GET", "POST"] = "POST"
    value: ChallengeSource
    when: Expression | None = None
    proof: Proof
    token: ChallengeSource | None = None
    member: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    members: Annotated[dict[MemberName, MemberText], Meta(min_length=1, max_length=MOST_MEMBERS)] | None = None
    hmac: ChallengeHmac | None = None
    examples: Annotated[list[ChallengeExample], Meta(max_length=20)] | None = None
