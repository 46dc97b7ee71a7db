"""Where everything of the demo is: files in one folder, ports on loopback."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOMAIN: Final = "corp.example"
PASSWORD: Final = "demo"  # noqa: S105 - known to everybody, on loopback
DEFAULT_FOLDER: Final = Path(".demo")
HOST: Final = "127.0.0.1"
MARK: Final = "demo.lock"
"""A folder with this file in it is a demo's, and may be removed."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One site's ports."""

    name: str
    title: str
    starttls: int
    tls: int
    http: int
    operations: int
    wire: int
    """Where the demo listens for the site's link to the hub, so that it can cut it."""

    def ports(self) -> dict[int, str]:
        """Every port, and what it is for."""
        return {
            self.starttls: f"{self.title}, STARTTLS",
            self.tls: f"{self.title}, TLS",
            self.http: f"{self.title}, HTTP",
            self.operations: f"{self.title}, metrics",
            self.wire: f"{self.title}'s link",
        }


@dataclass(frozen=True, slots=True)
class Layout:
    """One demo."""

    folder: Path
    offset: int = 0
    """Added to every port, where the usual ones are taken."""

    @property
    def paris(self) -> Branch:
        """The first site."""
        return Branch("paris", "Paris", *(self.offset + port for port in (5222, 5223, 5280, 7411, 7421)))

    @property
    def lyon(self) -> Branch:
        """The second site."""
        return Branch("lyon", "Lyon", *(self.offset + port for port in (5322, 5323, 5380, 7412, 7422)))

    @property
    def branches(self) -> tuple[Branch, Branch]:
        """Both sites."""
        return self.paris, self.lyon

    @property
    def links(self) -> int:
        """The hub's port for sites."""
        return self.offset + 7401

    @property
    def administration(self) -> int:
        """The hub's port for administrators."""
        return self.offset + 7402

    @property
    def operations(self) -> int:
        """The hub's port for probes and metrics."""
        return self.offset + 7403

    def ports(self) -> dict[int, str]:
        """Every port of the demo, and what it is for."""
        hub = {self.links: "hub, links", self.administration: "hub, administration", self.operations: "hub, metrics"}
        return hub | self.paris.ports() | self.lyon.ports()

    @property
    def lock(self) -> Path:
        """Held while the demo runs."""
        return self.folder / MARK

    @property
    def control(self) -> Path:
        """The socket where a running demo takes orders."""
        return self.folder / "control.sock"

    @property
    def ca(self) -> Path:
        """The authority that everything trusts."""
        return self.folder / "ca.pem"

    @property
    def administrator(self) -> Path:
        """Profile for `chappe site` and `chappe account`."""
        return self.folder / "administrator.toml"

    @property
    def people(self) -> Path:
        """The company, as it is imported."""
        return self.folder / "people.csv"

    @property
    def peopled(self) -> Path:
        """Is there once the company is loaded and people know each other."""
        return self.folder / "peopled"

    def config(self, name: str) -> Path:
        """The settings of a process."""
        return self.folder / f"{name}.toml"

    def log(self, name: str) -> Path:
        """What a process logged since it was started."""
        return self.folder / f"{name}.log"
