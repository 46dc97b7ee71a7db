import pytest

from tests.support.streams import PLAINTEXT, UNBOUND, server_settings
from xmpp.authentication import Authentication
from xmpp.negotiation import Progress
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.server_negotiation import Negotiation


@pytest.mark.parametrize(("facts", "progress"), [(PLAINTEXT, Progress.NOTHING), (UNBOUND, Progress.ENCRYPTED)])
def test_inside_tls_that_much_is_done(facts: TransportFacts, progress: Progress) -> None:
    negotiation = Negotiation(Authentication(server_settings()), facts)
    assert negotiation.progress is progress
    assert (negotiation.facts, negotiation.bind, negotiation.backlog) == (facts, None, [])
