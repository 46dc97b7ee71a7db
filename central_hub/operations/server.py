"""The port for administrators: gRPC with mutual TLS."""

import grpc

from cascade.transport.tls import CertificateFiles, server_credentials
from cascade.v1.administration_pb2_grpc import add_AdministrationServicer_to_server
from central_hub.operations.service import AdministrationService
from central_hub.operations.settings import AdministrationSettings
from chassis.binding import BindFailed

OPTIONS: list[tuple[str, int]] = [
    ("grpc.so_reuseport", 0),
    # Without these the commands' keepalive is answered with "too many pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.http2.max_ping_strikes", 0),
]
GRACE_SECONDS = 1.0
"""For calls that are under way when the hub leaves."""


class AdministrationServer:
    """Listens for administrators."""

    def __init__(self, settings: AdministrationSettings, service: AdministrationService, address: str) -> None:
        """Serve `service` at `address` (host:port)."""
        self._settings = settings
        self._address = address
        self._server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=settings.calls_max)
        add_AdministrationServicer_to_server(service, self._server)

    async def start(self) -> int:
        """Listen; return the port.  Raises BindFailed."""
        settings = self._settings
        files = CertificateFiles(settings.authority, settings.certificate, settings.key)
        try:
            port = self._server.add_secure_port(self._address, server_credentials(files))
        except (OSError, RuntimeError) as error:
            raise BindFailed(f"administration: cannot listen on {self._address}: {error}") from error
        await self._server.start()
        return port

    async def stop(self) -> None:
        """Let calls finish for the grace time, then close."""
        await self._server.stop(GRACE_SECONDS)
