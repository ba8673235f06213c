"""A certificate authority for tests, and certificates of either key kind."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


class Issued(NamedTuple):
    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def header(self) -> str:
        """The value of `Client-Cert` (RFC 9440 section 2.1)."""
        return f":{base64.b64encode(self.der).decode()}:"

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    def write(self, folder: Path, name: str) -> tuple[str, str]:
        """The paths of the certificate and of its key, as PEM."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        pkcs8 = serialization.PrivateFormat.PKCS8
        key.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
        return str(certificate), str(key)


def new_key(kind: str) -> Key:
    return rsa.generate_private_key(65_537, 2_048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


def name_of(common: str) -> x509.Name:
    """`CN=common,O=Example` as RFC 4514 writes it."""
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Authority:
    """Signs what it is asked to; its own certificate is `issued`."""

    def __init__(self, common: str = "Test CA") -> None:
        key = new_key("ec")
        name = name_of(common)
        builder = _builder(name, key, NOW - DAY, NOW + DAY).issuer_name(name)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.issued = Issued(builder.sign(key, hashes.SHA256()), key)

    def client(
        self,
        common: str | x509.Name,
        kind: str = "ec",
        uris: Sequence[str] = (),
        after: datetime = NOW - DAY,
        before: datetime = NOW + DAY,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> Issued:
        key = new_key(kind)
        name = name_of(common) if isinstance(common, str) else common
        builder = _builder(name, key, after, before)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if uris:
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
            builder = builder.add_extension(names, critical=False)
        return self._sign(builder, key)

    def server(self, host: str = "localhost") -> Issued:
        key = new_key("ec")
        names = [x509.DNSName(host), x509.IPAddress(IPv4Address("127.0.0.1"))]
        builder = _builder(name_of(host), key, NOW - DAY, NOW + DAY)
        return self._sign(builder.add_extension(x509.SubjectAlternativeName(names), critical=False), key)

    def _sign(self, builder: x509.CertificateBuilder, key: Key) -> Issued:
        builder = builder.issuer_name(self.issued.certificate.subject)
        return Issued(builder.sign(self.issued.key, hashes.SHA256()), key)


def _builder(name: x509.Name, key: Key, after: datetime, before: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(name).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(after).not_valid_after(before)
