"""The bodies of authorizations, as the platform's document describes them."""

from typing import Literal

import msgspec

from rest.platform_v1.shapes import Instant


class _Shape(msgspec.Struct, rename="camel"):
    pass


class AuthorizationStart(_Shape, forbid_unknown_fields=True):
    """`redirectUri` is one of the tenant's redirect URIs, letter by letter."""

    redirect_uri: str


class AuthorizationStarted(_Shape):
    """Where to send the browser; `state` comes back with it."""

    authorization_url: str
    state: str


class AuthorizationCallback(_Shape, kw_only=True, forbid_unknown_fields=True):
    """What the browser came back with: `code`, or the provider's `error`; `iss` where it sends that (RFC 9207)."""

    code: str | None = None
    state: str
    iss: str | None = None
    error: str | None = None


class AuthorizationCompleted(_Shape):
    status: Literal["SUCCESS"]
    integration_instance_id: str


class RedirectCreation(_Shape, forbid_unknown_fields=True):
    """https, or http on a loopback host; without a fragment."""

    uri: str


class Redirect(_Shape):
    id: str
    uri: str
    created_at: Instant


class RedirectList(_Shape):
    items: list[Redirect]
