"""Until when the certificates of a process are valid: the figure that an alarm is set on."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class CertificateExpiry(Collector):
    """Reads the files when somebody looks, so that it follows them.

    Argument: `certificates`, what each is for to its PEM file.
    """

    def __init__(self, certificates: Mapping[str, Path]) -> None:
        self._certificates = certificates

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "process_certificate_expiry_timestamp_seconds",
            "When a certificate ceases to be valid, in seconds since 1970; 0 if its file cannot be read.",
            labels=["use"],
        )
        for use, path in self._certificates.items():
            family.add_metric([use], expiry_seconds(path))
        yield family


def expiry_seconds(path: Path) -> float:
    """When the first of the certificates in a PEM file that does so ceases to be valid; 0 if it cannot be read."""
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return 0.0
    return min(certificate.not_valid_after_utc.timestamp() for certificate in chain)
