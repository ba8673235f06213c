"""The rules of what a definition says of the challenge of a sender."""

from services.integrations.definitions.challenges import VERIFY_TOKEN, Challenge, ChallengeSource
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.faults import Faults
from services.integrations.definitions.model import Definition
from services.integrations.definitions.schemas import property_names

_AT = "webhook.challenge"


def check_challenge(definition: Definition, faults: Faults) -> None:
    """Put every fault under its path, which begins with `webhook.challenge`."""
    found = None if definition.webhook is None else definition.webhook.challenge
    if found is None:
        return
    _place(found, found.value, f"{_AT}.value", faults)
    _proof(found, faults)
    names = property_names(definition.secrets_schema)
    if found.proof == "token" and names is not None and VERIFY_TOKEN not in names:
        faults.add("secretsSchema.properties", f"must name {VERIFY_TOKEN}, by which the sender is known")
    with faults.at(f"{_AT}.when"):
        if found.when is not None:
            compile_expression(found.when)


def _proof(found: Challenge, faults: Faults) -> None:
    if found.proof == "signature" and found.value.body is None:
        faults.add(f"{_AT}.proof", "signature covers the body alone, and the value is in the query")
    if (found.token is not None) != (found.proof == "token"):
        faults.add(f"{_AT}.token", "goes with the proof token: it says where the text is that must be verifyToken")
    if found.token is not None:
        _place(found, found.token, f"{_AT}.token", faults)


def _place(found: Challenge, place: ChallengeSource, at: str, faults: Faults) -> None:
    if (place.query is None) == (place.body is None):
        faults.add(at, "must have exactly one of query and body")
    if place.body is not None and found.method == "GET":
        faults.add(f"{at}.body", "is of no use with the method GET, which has no body")
    if place.query is not None and not (place.query.isascii() and place.query.isprintable()):
        faults.add(f"{at}.query", "must be printable ASCII")
    with faults.at(f"{at}.body"):
        if place.body is not None:
            compile_expression(place.body)
