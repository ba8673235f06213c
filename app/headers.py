"""Reading headers of an ASGI scope."""

from typing import Any


def header(scope: Any, name: bytes) -> str | None:
    """The first header of that (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
