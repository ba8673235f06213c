"""Paths as logs show them: the URL of a webhook endpoint holds a token, which is nobody's to read."""

import re

_WEBHOOK = re.compile(r"(/integrations/webhooks/)[^/?]+")


def shown_path(path: str) -> str:
    """The path without the token of an endpoint."""
    return _WEBHOOK.sub(r"\1***", path)
