"""The page's certificate for HTTPS: one of the user's, or one it makes for itself and keeps beside the keys."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import os
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from zeromag.errors import LinkError

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

DAYS = 825  # browsers trust none for longer
CERTIFICATE, KEY = "page.crt", "page.key"


def own_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Return certificate and key in `folder`, made for this machine's names when there are none that still hold.

    Raises
    ------
    LinkError
        If it cannot be made.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.exists() and key.exists() and _holds(certificate)):
        _make(certificate, key, host)
    return certificate, key


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 of a certificate as browsers show it, so that people can compare."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_first(certificate))).hexdigest().upper()
    return ":".join(digest[k : k + 2] for k in range(0, 64, 2))


def _first(certificate: Path) -> str:
    text = certificate.read_text(encoding="ascii")
    end = "-----END CERTIFICATE-----"
    return text[: text.index(end) + len(end)] + "\n"


def _holds(certificate: Path) -> bool:
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return found.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def _make(certificate: Path, key: Path, host: str) -> None:
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise LinkError(
            "HTTPS needs a certificate: give --certificate and --certificate-key, or `pip install zeromag[https]`"
        ) from error
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"zeromag on {socket.gethostname()}"[:64])])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in _names(host)]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    pem = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        certificate.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key.unlink(missing_ok=True)
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise LinkError(f"the page's certificate cannot be kept in {certificate.parent}: {error.strerror}") from error


def _names(host: str) -> list[str]:
    names = ["localhost", "127.0.0.1", socket.gethostname()]
    if host not in ("", "0.0.0.0", "::"):
        names.append(host)
    try:
        names += [str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)]
    except OSError:
        names = list(names)  # a machine that does not know its own name is reached by address alone
    return list(dict.fromkeys(names))


def _name(text: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
