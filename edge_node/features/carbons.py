"""XEP-0280: a message that one of an account's resources sends or gets is copied to its others.

Copies are made of rendered bytes; nothing is parsed again.
"""

from collections.abc import Callable, Iterable

from edge_node.pipeline.feature import Feature, Query, Request, Spec, Stages, To
from edge_node.pipeline.passage import Passage
from edge_node.sessions.session import Session
from xmpp import namespaces
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.payloads import carbons
from xmpp.payloads.stanza_id import render_archive_id
from xmpp.stanza import Stanza, with_payload


def feature(keep: Callable[[Session], None]) -> Feature:
    """Carbons for all accounts; each resource turns them on for itself.

    Args:
        keep: writes a session down after a change.
    """

    def enable(request: Request) -> Stanza:
        return turn(request, on=True)

    def disable(request: Request) -> Stanza:
        return turn(request, on=False)

    def turn(request: Request, *, on: bool) -> Stanza:
        session = request.session
        if session is None or not request.is_own:
            raise StanzaError(StanzaCondition.NOT_ALLOWED)
        if session.carbons is not on:
            session.carbons = on
            keep(session)
        return request.stanza.result()

    return Feature(
        name="carbons",
        specs=(Spec("XEP-0280", "1.0.1"), Spec("XEP-0334", "1.0.0", "no-copy")),
        server_features=(namespaces.CARBONS,),
        account_features=(namespaces.CARBONS,),
        iq={
            Query("set", carbons.ENABLE, To.ACCOUNT): enable,
            Query("set", carbons.DISABLE, To.ACCOUNT): disable,
        },
        inbound=Stages(copies=(_copy_received,)),
        outbound=Stages(copies=(_copy_sent,)),
    )


def _copy_received(passage: Passage) -> None:
    """XEP-0280 section 7: the other enabled resources of the recipient."""
    account = passage.account
    if account is None or not passage.traits.copied_when_received or len(account.sessions) <= len(passage.targets):
        return
    others = [
        session
        for session in account.sessions.values()
        if _wants(session) and session not in passage.targets and session not in (passage.session, passage.held)
    ]
    if others:
        _send(carbons.received(passage.delivered, passage.stanza.type, account.jid), others)


def _copy_sent(passage: Passage) -> None:
    """XEP-0280 section 8: the other enabled resources of the sender, who are told its id in their own archive."""
    sender = passage.session
    if sender is None or not passage.traits.copied_when_sent:
        return
    account = sender.account
    if len(account.sessions) < 2 or passage.account is account:
        return  # what is sent to the own account reaches the others by section 7
    others = [session for session in account.sessions.values() if session is not sender and _wants(session)]
    if others:
        rendered = passage.rendered
        if passage.is_archived_for_sender:
            rendered = with_payload(rendered, render_archive_id(passage.acceptance.id, account.jid))
        _send(carbons.sent(rendered, passage.stanza.type, account.jid), others)


def _send(carbon: Stanza, to: Iterable[Session]) -> None:
    for session in to:
        carbon.to = session.jid
        session.deliver(carbon.render())


def _wants(session: Session) -> bool:
    return session.carbons and not session.is_asleep
