import ssl
import tomllib

from central_hub.settings import HubSettings
from chappe.administration.profile import resolve
from chappe.chat.profile import read_profile
from chappe.demo.configuration import lines, prepare
from chappe.demo.layout import Layout
from chassis.clock import SystemClock
from chassis.pki import Identity, identity_of_pem
from chassis.settings import load
from edge_node.settings import EdgeSettings


def prepared(layout: Layout, listeners: int = 0) -> Layout:
    layout.folder.mkdir(parents=True, exist_ok=True)
    prepare(layout, SystemClock(), listeners)
    return layout


def test_the_settings_are_settings(layout: Layout) -> None:
    prepared(layout, listeners=2)
    hub = load(HubSettings, layout.config("hub"), {})
    assert (hub.links.port, hub.store.folder) == (layout.links, layout.folder / "hub")
    for branch in layout.branches:
        edge = load(EdgeSettings, layout.config(branch.name), {})
        assert edge.uplink is not None
        assert edge.uplink.hub == f"127.0.0.1:{branch.wire}"
        assert edge.listeners.processes == 2
        assert edge.listeners.require_tls
        assert (edge.listeners.tcp.port, edge.listeners.tcp.tls_port) == (branch.starttls, branch.tls)
        identity = identity_of_pem(edge.uplink.certificate.read_bytes())
        assert identity == Identity("site", branch.name)


def test_the_profiles_are_profiles(layout: Layout) -> None:
    prepared(layout)
    profile = read_profile(layout.config("profile"))
    assert profile.ca == layout.ca
    assert profile.server_of("anna") == f"localhost:{layout.paris.starttls}"
    assert profile.server_of("chloe") == f"localhost:{layout.lyon.starttls}"
    assert len(resolve(layout.administrator, {}).read()) == 3


def test_certificates_are_made_once(layout: Layout) -> None:
    before = prepared(layout).ca.read_bytes()
    assert prepared(layout).ca.read_bytes() == before
    assert ssl.create_default_context(cafile=layout.ca).get_ca_certs()
    assert [key.name for key in layout.folder.glob("*.key") if key.stat().st_mode & 0o077] == []


def test_tables_are_written_as_toml() -> None:
    table = {"name": 'a "quoted" \\ text', "count": 3, "is_on": True, "inner": {"deeper": {"value": 0.5}, "x": ""}}
    assert tomllib.loads("".join(lines(table))) == table  # type: ignore[arg-type]  # nested further than the type says
