"""Which pages there are, and what is in them."""

from collections.abc import Callable, Mapping

from central_hub.settings import HubSettings
from chappe.reference.composition import Composed
from chappe.reference.figures import metrics_page
from chappe.reference.specifications import doap, xeps_page
from chassis.reference import settings_reference
from edge_node.settings import EdgeSettings

Page = Callable[[Composed], str]


PAGES: Mapping[str, Mapping[str, Page]] = {
    "settings": {
        "operations/edge-settings.md": lambda _: settings_reference(EdgeSettings, "Settings of an edge node"),
        "operations/hub-settings.md": lambda _: settings_reference(HubSettings, "Settings of the central hub"),
    },
    "xeps": {
        "xeps.md": lambda composed: xeps_page(composed.features),
        "chappe.doap": lambda composed: doap(composed.features),
    },
    "metrics": {"operations/metrics.md": metrics_page},
}
"""By subject, then by path under `docs/`."""


def written(subject: str, composed: Composed) -> dict[str, str]:
    """The pages of a subject, or with `docs` of all; by path under `docs/`."""
    subjects = PAGES if subject == "docs" else {subject: PAGES[subject]}
    return {path: page(composed) for pages in subjects.values() for path, page in pages.items()}
