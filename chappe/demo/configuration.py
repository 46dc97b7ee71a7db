"""What the demo writes before it starts anything: certificates once, settings at each start."""

import json
from collections.abc import Mapping

from chappe.demo.company import people, write_csv
from chappe.demo.layout import DOMAIN, HOST, PASSWORD, Branch, Layout
from chassis.clock import Clock
from chassis.pki import Authority, Credential, Identity, Subject

LOOPBACK = ("127.0.0.1", "::1")

Table = Mapping[str, "str | int | float | bool | Table"]


def prepare(layout: Layout, clock: Clock, listeners: int) -> None:
    """Write everything that is not there yet, and the settings anew.

    Args:
        layout: where.
        clock: for the certificates' validity.
        listeners: listener processes of each edge; 0: none.
    """
    if not layout.ca.exists():
        issue(layout, clock)
    write_csv(layout.people)
    write(layout, "hub", hub(layout))
    for branch in layout.branches:
        (layout.folder / branch.name).mkdir(exist_ok=True, mode=0o700)
        write(layout, branch.name, edge(branch, listeners))
    keys = {"hub": f"{HOST}:{layout.administration}", "ca": "ca.pem", "cert": "admin.pem", "key": "admin.key"}
    write(layout, "administrator", keys)
    write(layout, "profile", profile(layout))


def issue(layout: Layout, clock: Clock) -> None:
    """Make the authority and all certificates; the authority's file comes last, and says that all are there."""
    authority = Authority.create("Chappe demo authority", clock)
    subjects = {
        "hub": Subject(common_name="hub", hosts=("localhost",), addresses=LOOPBACK),
        "server": Subject(common_name=DOMAIN, hosts=(DOMAIN, "localhost"), addresses=LOOPBACK),
        "admin": Subject(common_name="admin", identity=Identity("admin", "demo")),
    }
    for branch in layout.branches:
        subjects[f"{branch.name}-link"] = Subject(common_name=branch.name, identity=Identity("site", branch.name))
    for name, subject in subjects.items():
        save(layout, name, authority.issue(subject))
    save(layout, "ca", authority.credential)


def save(layout: Layout, name: str, credential: Credential) -> None:
    """Write a certificate and its key."""
    credential.write(layout.folder / f"{name}.pem", layout.folder / f"{name}.key")


def hub(layout: Layout) -> Table:
    """Settings of the hub."""
    credentials = {"certificate": "hub.pem", "key": "hub.key", "authority": "ca.pem"}
    return {
        "domain": DOMAIN,
        "store": {"folder": "hub"},
        "links": {"host": HOST, "port": layout.links, **credentials},
        "administration": {"host": HOST, "port": layout.administration, **credentials},
        "operations": {"host": HOST, "port": layout.operations},
    }


def edge(branch: Branch, listeners: int) -> Table:
    """Settings of an edge."""
    link = f"{branch.name}-link"
    return {
        "domain": DOMAIN,
        "site": branch.name,
        "data": branch.name,
        "listeners": {
            "processes": listeners,
            "tls": {"certificate": "server.pem", "key": "server.key"},
            "tcp": {"host": HOST, "port": branch.starttls, "tls_port": branch.tls},
            "http": {"host": HOST, "port": branch.http},
        },
        "backplane": {"path": f"{branch.name}/backplane.sock"},
        "uplink": {
            "hub": f"{HOST}:{branch.wire}",
            "authority": "ca.pem",
            "certificate": f"{link}.pem",
            "key": f"{link}.key",
        },
        "operations": {"host": HOST, "port": branch.operations},
    }


def profile(layout: Layout) -> Table:
    """What `chappe chat` knows of the company."""
    lyon = f"localhost:{layout.lyon.starttls}"
    return {
        "domain": DOMAIN,
        "server": f"localhost:{layout.paris.starttls}",
        "ca": "ca.pem",
        "password": PASSWORD,
        "homes": {person.local: lyon for person in people() if person.site == layout.lyon.name},
    }


def write(layout: Layout, name: str, table: Table) -> None:
    """Write a settings file."""
    layout.config(name).write_text("".join(lines(table)), encoding="utf-8")


def lines(table: Table, path: str = "") -> list[str]:
    """Write a table as TOML; for these values JSON's notation is TOML's."""
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    written = [f"\n[{path}]\n"] if path and values else []
    written += [f"{key} = {json.dumps(value)}\n" for key, value in values.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            written += lines(value, f"{path}.{key}" if path else key)
    return written
