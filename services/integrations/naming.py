"""When two names are one: those that Unicode holds to be equal look alike, however each was typed."""

import unicodedata


def canonical(name: str) -> str:
    """The form by which names are compared; none is stored in it (see docs/decisions/0031)."""
    return unicodedata.normalize("NFC", name)
