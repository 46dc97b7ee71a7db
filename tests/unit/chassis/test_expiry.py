from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from chassis.clock import MICROSECONDS, ManualClock
from chassis.expiry import CertificateExpiry, expiry_seconds
from chassis.pki import Authority, Subject

METRIC = "process_certificate_expiry_timestamp_seconds"


def test_each_certificate_is_shown_as_its_file_is_now(tmp_path: Path) -> None:
    clock = ManualClock()
    authority = Authority.create("test", clock)
    link, clients = tmp_path / "link.pem", tmp_path / "clients.pem"
    registry = CollectorRegistry()
    registry.register(CertificateExpiry({"uplink": link, "clients": clients}))
    for days in (3, 90):
        issued = authority.issue(Subject(common_name="paris"), timedelta(days=days))
        link.write_bytes(issued.certificate_pem)
        expected = clock.now_us() // MICROSECONDS + days * 86_400
        assert registry.get_sample_value(METRIC, {"use": "uplink"}) == expected
    assert registry.get_sample_value(METRIC, {"use": "clients"}) == 0


def test_a_chain_is_valid_as_long_as_all_of_it(tmp_path: Path) -> None:
    authority = Authority.create("test", ManualClock())
    parts = [authority.issue(Subject(common_name="x"), timedelta(days=days)) for days in (90, 7, 30)]
    paths = [tmp_path / "whole.pem", tmp_path / "part.pem"]
    paths[0].write_bytes(b"".join(part.certificate_pem for part in parts))
    paths[1].write_bytes(parts[1].certificate_pem)
    assert expiry_seconds(paths[0]) == expiry_seconds(paths[1]) > 0
