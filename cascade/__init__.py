"""The agreement between the sites and the central hub: how stanzas, presence and accounts cross, and who holds what.

Normative text: ``docs/protocol/cascade.md``.  Wire contract: ``proto/cascade/v1/link.proto``.

Values
    `cascade.envelope.Envelope`                  a stanza in transit, held or transient
    `cascade.frame`                              what crosses a link: `Frame` and its parts
    `cascade.codec`, `cascade.wire`              both to and from bytes; an outbox and a spool store `encode_envelope`

Pure machines (no I/O, no clock, no chance, no log, no coroutine)
    `cascade.site_link.SiteLink`                 a site's role, with `cascade.outbox.Outbox` and `cascade.inbox.Inbox`
    `cascade.hub_link.HubLink`                   the hub's role, one per connection
    `cascade.custody.Custody`                    at the hub: who is owed which answer (`CustodyLedger` per origin), and
                                                 what is owed to whom (`cascade.forwarding.Forwarding` per destination)
    `cascade.interest`, `cascade.presence`       who watches whom, newest state wins
    `cascade.link`                               what both roles share: `LinkSettings`, `LinkFailure`, pacing

Ports
    `cascade.spool.SpoolStore`                   the hub's durable store, with `MemorySpoolStore`
    `cascade.transport.ports`                    what a link client needs: `OutboxStore`, `LinkHandler`

The impure corner
    `cascade.transport.client.LinkClient`        a site's connection to the hub, for ever
    `cascade.transport.server.LinkServer`        the hub's listening side

Rule: only `cascade.codec` and `cascade.transport` know protobuf and gRPC.
"""
