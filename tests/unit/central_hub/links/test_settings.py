from cascade.link import LinkSettings
from central_hub.links.settings import LinksSettings


def test_the_pure_machine_gets_the_bounds_that_an_operator_sets() -> None:
    bounds = {"window_envelopes": 7, "interest_accounts_max": 8, "dead_seconds": 10.0}
    files = dict.fromkeys(("certificate", "key", "authority"), "none")
    assert LinksSettings.model_validate(files | bounds).cascade() == LinkSettings(
        window_envelopes=7, interest_accounts_max=8, dead_seconds=10.0
    )
