"""The certificate of SIP over TLS and of the page: the admins' own one read, or one of ours made.

Ours is signed by a small authority of this bureau, made once for ten years and bound to this machine's names
(`nameConstraints`), so that a phone or a browser is told to trust it once, and the certificate under it is
renewed without anybody noticing. Time is an argument. Must not know who uses it. Invariant: what is returned has
a key that fits. Who watches for its end is `papers`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from autocom.shelf import write_whole

DAY = 86400.0
WARN = 21 * DAY
"""Seconds before its end that a certificate is complained about, and ours renewed."""

AUTHORITY_LASTS = timedelta(days=3650)
LASTS = timedelta(days=397)  # what browsers take at most


class CertificateFault(Exception):  # noqa: N818 - says what is wrong with it
    """A certificate that cannot be used; the message says why and which file."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key in PEM files. `expires` in UTC epoch seconds; `authority`: the file that phones
    must trust, where it is ours."""

    certificate: Path
    key: Path
    names: tuple[str, ...]
    expires: float
    authority: Path | None = None

    def left(self, now: float) -> float:
        """Seconds until its end; negative after it."""
        return self.expires - now


def read(certificate: Path, key: Path, authority: Path | None = None) -> Certificate:
    """The one in these files (the chain may follow it). Raises CertificateFault."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        raise CertificateFault(f"{error.filename}: {error.strerror}") from None
    except (ValueError, TypeError) as error:  # TypeError: a key with a password
        raise CertificateFault(f"{certificate} or {key} cannot be used: {error}") from None
    if found.public_key() != private.public_key():
        raise CertificateFault(f"the key in {key} is not that of {certificate}")
    return Certificate(certificate, key, _names(found), found.not_valid_after_utc.timestamp(), authority)


def own(folder: Path, names: Sequence[str], now: float) -> Certificate:
    """Ours for these names and addresses, made or renewed where it is missing, due, or for others. Raises
    CertificateFault where it cannot be written."""
    try:
        return _own(folder, tuple(dict.fromkeys(names)), now)
    except OSError as error:
        raise CertificateFault(f"{error.filename or folder}: {error.strerror}") from None


def _own(folder: Path, wanted: tuple[str, ...], now: float) -> Certificate:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = folder / "authority.crt"
    files = (folder / "server.crt", folder / "server.key")
    try:
        found = read(*files, authority)
        if authority.exists() and found.names == wanted and found.left(now) > WARN:
            return found
    except CertificateFault:
        pass  # missing, or half written: made anew below
    today = datetime.fromtimestamp(now, UTC)
    signed_by, signing = _authority(folder, wanted, today)
    private = ec.generate_private_key(ec.SECP256R1())
    made = (
        # a title that cannot be read as a DNS name: OpenSSL would hold it against the constraints
        _builder(_title(f"autocom at {wanted[0]}"), signed_by.subject, private, today, LASTS)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in wanted]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, hashes.SHA256())
    )
    write_whole(files[1], (_pem_of(private),))
    write_whole(files[0], (made.public_bytes(serialization.Encoding.PEM), authority.read_bytes()))
    return read(*files, authority)


def _authority(
    folder: Path, names: tuple[str, ...], today: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The one that is there, where it may sign for these names long enough; else a new one."""
    files = (folder / "authority.crt", folder / "authority.key")
    allowed = [_constraint(name) for name in names]
    try:
        found = x509.load_pem_x509_certificate(files[0].read_bytes())
        key = serialization.load_pem_private_key(files[1].read_bytes(), None)
        limits = found.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        lasts = found.not_valid_after_utc > today + LASTS
        if (
            lasts
            and limits is not None
            and set(allowed) <= set(limits)
            and isinstance(key, ec.EllipticCurvePrivateKey)
        ):
            return found, key
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        pass  # missing or not ours any more: made anew
    signing = ec.generate_private_key(ec.SECP256R1())
    title = _title(f"autocom authority of {names[0]}")
    made = (
        _builder(title, title, signing, today, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        # not critical, against RFC 5280 4.2.1.10: Linphone's TLS (mbed TLS) does not know it and would refuse the
        # authority; OpenSSL and browsers hold us to it all the same
        .add_extension(
            x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None), critical=False
        )
        .add_extension(_may_sign(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signing.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
    write_whole(files[1], (_pem_of(signing),))
    write_whole(files[0], (made.public_bytes(serialization.Encoding.PEM),))
    return made, signing


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    today: datetime,
    lasts: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))  # clocks of phones
        .not_valid_after(today + lasts - timedelta(days=1))
    )


def _may_sign() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _title(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _constraint(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(name))
    except ValueError:
        return x509.DNSName(name)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in found if isinstance(each, x509.DNSName | x509.IPAddress))


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
