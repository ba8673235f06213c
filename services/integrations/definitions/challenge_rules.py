"""The rules of what a definition says of the challenge of a sender."""

import re

from services.integrations.definitions.challenges import VERIFY_TOKEN, Challenge, ChallengeSource
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.faults import Faults, joined
from services.integrations.definitions.model import Definition
from services.integrations.definitions.schemas import property_names
from services.integrations.definitions.templates import check_header

_AT = "webhook.challenge"
_MEMBER = re.compile(r"(?:[^{}]|\{(?:value|hmac)\})*")
#: What the proxies in front of the server say, and no sender: it would be sent back to whoever asks.
_OF_PROXIES = ("forwarded", "x-forwarded-", "x-real-ip", "client-cert", "x-client-cert", "x-ssl-", "via")


def check_challenge(definition: Definition, faults: Faults) -> None:
    """Put every fault under its path, which begins with `webhook.challenge`."""
    found = None if definition.webhook is None else definition.webhook.challenge
    if found is None:
        return
    _place(found, found.value, f"{_AT}.value", faults)
    if found.value.header is not None and found.value.header.lower().startswith(_OF_PROXIES):
        faults.add(f"{_AT}.value.header", "is a header of proxies, and not for anybody to be told")
    _proof(found, faults)
    _answer(found, faults)
    names = property_names(definition.secrets_schema)
    if found.proof == "token" and names is not None and VERIFY_TOKEN not in names:
        faults.add("secretsSchema.properties", f"must name {VERIFY_TOKEN}, by which the sender is known")
    with faults.at(f"{_AT}.when"):
        if found.when is not None:
            compile_expression(found.when)


def _proof(found: Challenge, faults: Faults) -> None:
    if found.proof == "signature" and found.value.body is None:
        faults.add(f"{_AT}.proof", "signature covers the body alone, and the value is not in it")
    if (found.token is not None) != (found.proof == "token"):
        faults.add(f"{_AT}.token", "goes with the proof token: it says where the text is that must be verifyToken")
    if found.token is not None:
        _place(found, found.token, f"{_AT}.token", faults)


def _answer(found: Challenge, faults: Faults) -> None:
    if found.members is None:
        if found.hmac is not None:
            faults.add(f"{_AT}.hmac", "goes with members, where {hmac} says where it stands")
        return
    if found.member is not None:
        faults.add(f"{_AT}.member", "cannot stand beside members")
    for name, text in found.members.items():
        if not (name.isprintable() and text.isprintable()) or _MEMBER.fullmatch(text) is None:
            faults.add(
                joined(_AT, "members", name), "must be printable, with no braces but those of {value} and {hmac}"
            )
    whole = "".join(found.members.values())
    if "{value}" not in whole and "{hmac}" not in whole:
        faults.add(f"{_AT}.members", "must have {value} or {hmac} in one of its texts: the sender wants its own back")
    if ("{hmac}" in whole) != (found.hmac is not None):
        faults.add(f"{_AT}.hmac", "goes with {hmac} in a text of members: one says how, and the other where")
    for number, example in enumerate(found.examples or ()):
        if found.hmac is not None and example.signing_secret is None:
            faults.add(f"{_AT}.examples.{number}.signingSecret", "must be given: the answer is signed with it")


def _place(found: Challenge, place: ChallengeSource, at: str, faults: Faults) -> None:
    if [place.query, place.header, place.body].count(None) != 2:
        faults.add(at, "must have exactly one of query, header and body")
    with faults.at(f"{at}.header"):
        if place.header is not None:
            check_header(place.header, "")
    if place.body is not None and found.method == "GET":
        faults.add(f"{at}.body", "is of no use with the method GET, which has no body")
    if place.query is not None and not (place.query.isascii() and place.query.isprintable()):
        faults.add(f"{at}.query", "must be printable ASCII")
    with faults.at(f"{at}.body"):
        if place.body is not None:
            compile_expression(place.body)
