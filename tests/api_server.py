"""An API server that answers on loopback with TLS, and notes who asks."""

import contextlib
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_FIELDS = "buildDate compiler gitCommit gitTreeState goVersion major minor platform"
VERSION = {**dict.fromkeys(_FIELDS.split(), ""), "gitVersion": "v1.37.0"}


@dataclass
class ApiServer:
    """A server; `folder` has ca.crt, client.crt and client.key.

    `who` has the user of each request: its bearer token, or the name in its certificate.
    """

    folder: Path
    url: str = ""
    version: dict[str, str] = field(default_factory=lambda: dict(VERSION))
    who: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    def kubeconfig(
        self, user: Mapping[str, Any] | None = None, cluster: Mapping[str, Any] | None = None
    ) -> Path:
        """Write a kubeconfig with the context `here`; by default, it trusts the server."""
        trust = cluster or {"certificate-authority": "ca.crt"}
        text = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url, **trust}}],
            "users": [{"name": "u", "user": user or {}}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        }
        file = self.folder / "config"
        file.write_text(yaml.safe_dump(text))
        return file


@contextlib.contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    """Run a server that knows /version and nothing else; clients may show a certificate."""
    found = ApiServer(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            certificate: Any = self.connection.getpeercert()
            names = [value for (pair,) in (certificate or {}).get("subject", ()) for value in pair]
            found.who.append(self.headers.get("authorization") or "".join(names[1:]))
            known = self.path == "/version/"
            answer = found.version if known else {"message": "no", "reason": "No"}
            body = json.dumps(answer).encode()
            self.send_response(200 if known else 403)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    _make_certificates(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def _make_certificates(folder: Path) -> None:
    authority = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "ca", authority, authority, "ca")
    for name in ("server", "client"):
        _write(folder, name, ec.generate_private_key(ec.SECP256R1()), authority, name)


def _write(
    folder: Path,
    file: str,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
    name: str,
) -> None:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("ca"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / f"{file}.crt").write_bytes(certificate.public_bytes(pem))
    (folder / f"{file}.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
