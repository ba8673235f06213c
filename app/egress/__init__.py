"""Guarded calls to the world outside: HTTP and DNS TXT, for addresses that other people name."""

from app.egress.addresses import AllowList, refusal
from app.egress.client import Answer, Call, Egress
from app.egress.errors import EgressError, EgressFailed, EgressRefused

__all__ = ["AllowList", "Answer", "Call", "Egress", "EgressError", "EgressFailed", "EgressRefused", "refusal"]
