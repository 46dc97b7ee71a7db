"""Certificates of a whole cluster, made once for a test run by the product's own authority."""

import atexit
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import grpc

from chassis.clock import SystemClock
from chassis.pki import Authority, Identity, Role, Subject

DOMAIN = "corp.example"


@dataclass(frozen=True)
class CertificateFolder:
    """An authority, and a folder with what it has issued."""

    folder: Path
    authority: Authority

    @classmethod
    def create(cls, folder: Path) -> "CertificateFolder":
        """Make the authority, and certificates for the hub and for the domain's clients."""
        made = cls(folder, Authority.create("test authority", SystemClock()))
        made.ca.write_bytes(made.authority.credential.certificate_pem)
        made.issue("hub", Subject(common_name="hub", hosts=("localhost",), addresses=("127.0.0.1",)))
        hosts = (DOMAIN, "localhost")
        made.issue("domain", Subject(common_name=DOMAIN, hosts=hosts, addresses=("127.0.0.1",)))
        return made

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    def issue(self, name: str, subject: Subject) -> dict[str, str]:
        """Issue, under a name; gives the settings that point to it."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if not certificate.exists():
            self.authority.issue(subject).write(certificate, key)
        return {"certificate": str(certificate), "key": str(key)}

    def of(self, role: Role, name: str) -> dict[str, str]:
        """A site's or an administrator's certificate, with the authority beside it."""
        files = self.issue(f"{role}-{name}", Subject(common_name=name, identity=Identity(role, name)))
        return files | {"authority": str(self.ca)}

    def served(self, name: str) -> dict[str, str]:
        """The certificate of `hub` or `domain`."""
        return {"certificate": str(self.folder / f"{name}.pem"), "key": str(self.folder / f"{name}.key")}

    def credentials(self, role: Role, name: str) -> grpc.ChannelCredentials:
        """The same for a gRPC client."""
        files = self.of(role, name)
        return grpc.ssl_channel_credentials(
            self.ca.read_bytes(), Path(files["key"]).read_bytes(), Path(files["certificate"]).read_bytes()
        )


@cache
def certificates() -> CertificateFolder:
    """Those of this test run."""
    folder = Path(mkdtemp(prefix="chappe-certificates-"))
    atexit.register(rmtree, folder)
    return CertificateFolder.create(folder)
