"""Client certificates: the `Client-Cert` header of a proxy (RFC 9440), read, and mapped to a service principal.

Whether the header may be believed is decided in app.auth.proxies. What it held is then found in the request's
state, and nowhere else: a header that did not pass there does not exist.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509

from app.auth.principal import Principal
from app.auth.scopes import ROLES, scopes_of
from app.clock import SECOND, Clock
from app.errors import Unauthenticated
from app.settings import ServiceCertificate, SettingsError

#: Where the values of the header stand in the state of a request that came from a trusted proxy.
PRESENTED = "client_cert"
#: Bytes of the header; a longer one is no certificate that a proxy would pass on.
LONGEST = 16_384
_BINARY = re.compile(rb":([A-Za-z0-9+/]+={0,2}):")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DN = re.compile(r"[A-Za-z0-9.]+=")
#: What parsing a hostile certificate ends with, also in parts that are read late.
_UNREADABLE = (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


class ClientCertificate(msgspec.Struct, frozen=True):
    """What is read of a certificate. `subject` is RFC 4514 text; `after` and `before` are ms since the epoch."""

    subject: str
    uris: tuple[str, ...]
    after: int
    before: int


class CertificateRefused(Unauthenticated):
    """A certificate that was read, and gives no principal; `rule` and the rest go into the history."""

    denial = "auth.invalid_certificate"

    def __init__(self, message: str, rule: str, seen: str, service: ServiceCertificate | None = None) -> None:
        super().__init__(message)
        self.rule, self.seen, self.service = rule, seen, service


def presented(scope: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The values of `Client-Cert` that a trusted proxy sent with this request."""
    found = (scope.get("state") or {}).get(PRESENTED, ())
    return tuple(found)


def read_certificate(values: Sequence[bytes]) -> ClientCertificate:
    """The certificate in the one value of the header. Raises Unauthenticated."""
    if len(values) != 1:
        raise Unauthenticated("The request has more than one Client-Cert header.")
    return _read(values[0].strip(b" \t"))


@lru_cache(maxsize=1_024)
def _read(value: bytes) -> ClientCertificate:
    found = _BINARY.fullmatch(value) if len(value) <= LONGEST else None
    if found is None:
        raise Unauthenticated("The Client-Cert header is not `:BASE64:` (RFC 9440).")
    try:
        return _parsed(x509.load_der_x509_certificate(base64.b64decode(found[1], validate=True)))
    except binascii.Error:
        raise Unauthenticated("The Client-Cert header is not base64.") from None
    except _UNREADABLE:
        raise Unauthenticated("The Client-Cert header holds no certificate that can be read.") from None


def _parsed(certificate: x509.Certificate) -> ClientCertificate:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = tuple(names.get_values_for_type(x509.UniformResourceIdentifier))
    except x509.ExtensionNotFound:
        uris = ()
    return ClientCertificate(
        certificate.subject.rfc4514_string(),
        uris,
        int(certificate.not_valid_before_utc.timestamp()) * SECOND,
        # The second that is named is the last one that is good (RFC 5280 section 4.1.2.5).
        (int(certificate.not_valid_after_utc.timestamp()) + 1) * SECOND,
    )


class ServiceCertificates:
    """The services of the settings, by their subject or SAN URI. Raises SettingsError for an entry that is no use."""

    def __init__(self, services: Sequence[ServiceCertificate], clock: Clock) -> None:
        for service in services:
            _check(service)
        self._services = {service.subject: service for service in services}
        self._clock = clock

    def principal(self, certificate: ClientCertificate) -> Principal:
        """The service that the certificate stands for. Raises CertificateRefused."""
        service = self._service(certificate)
        now = self._clock.now_ms()
        if now < certificate.after:
            raise CertificateRefused("The client certificate is not valid yet.", "validity", service.subject, service)
        if now >= certificate.before:
            raise CertificateRefused("The client certificate has expired.", "validity", service.subject, service)
        return Principal(
            tenant=service.tenant,
            subject=service.subject,
            kind="service",
            scopes=scopes_of(service.roles, service.permissions),
            authn="certificate",
            name=service.name,
            roles=service.roles,
            until=certificate.before,
        )

    def _service(self, certificate: ClientCertificate) -> ServiceCertificate:
        # A name is matched as what it is: a SAN URI that reads like a subject must not pass for one.
        names = [certificate.subject] if _DN.match(certificate.subject) else []
        names += [uri for uri in certificate.uris if _URI.match(uri)]
        found = {name: self._services[name] for name in names if name in self._services}
        if len(found) == 1:
            return next(iter(found.values()))
        seen = certificate.subject or ", ".join(certificate.uris) or "no name"
        if found:
            raise CertificateRefused("The client certificate stands for more than one service.", "ambiguous", seen)
        raise CertificateRefused("The client certificate belongs to no service of this server.", "subject", seen)


def _check(service: ServiceCertificate) -> None:
    if not (_DN.match(service.subject) or _URI.match(service.subject)):
        raise SettingsError(f"service_certificates: {service.subject!r} is neither a subject (RFC 4514) nor a URI")
    strangers = sorted(set(service.roles) - set(ROLES))
    strangers += sorted(one for one in set(service.permissions) if not scopes_of((), (one,)))
    if strangers:
        raise SettingsError(f"service_certificates: {service.subject!r} names the unknown {', '.join(strangers)}")
