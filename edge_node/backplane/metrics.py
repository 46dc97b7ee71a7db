"""What both ends of the backplane tell of each other."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class BackplaneMetrics:
    """What a listener process tells of its core."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.absent = Gauge("edge_listener_core_absent", "1 while the core is away.", registry=registry)
        self.losses = Counter("edge_listener_core_losses_total", "Times the core was lost.", registry=registry)
        self.held_back = Counter(
            "edge_listener_congestion_total", "Times the core took less than was written.", registry=registry
        )


class ServerMetrics:
    """What the core tells of its listener processes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.listeners = Gauge("edge_listeners", "Listener processes connected to the core.", registry=registry)
        self.losses = Counter("edge_listener_losses_total", "Listener connections lost.", registry=registry)
        self.congestion = Counter(
            "edge_backplane_congestion_total", "Times a listener took less than was written.", registry=registry
        )
