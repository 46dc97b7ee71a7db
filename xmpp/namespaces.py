"""Namespace names, one constant a line, each with the document that defines it."""

from typing import Final

XML: Final = "http://www.w3.org/XML/1998/namespace"  # Namespaces in XML 1.0, section 3

CLIENT: Final = "jabber:client"  # RFC 6120, 4.8.2
STREAMS: Final = "http://etherx.jabber.org/streams"  # RFC 6120, 4.8.1
STREAM_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-streams"  # RFC 6120, 4.9.2
STANZA_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"  # RFC 6120, 8.3.2
TLS: Final = "urn:ietf:params:xml:ns:xmpp-tls"  # RFC 6120, 5
SASL: Final = "urn:ietf:params:xml:ns:xmpp-sasl"  # RFC 6120, 6
BIND: Final = "urn:ietf:params:xml:ns:xmpp-bind"  # RFC 6120, 7
SESSION: Final = "urn:ietf:params:xml:ns:xmpp-session"  # RFC 3921, 3 (offered as optional)
FRAMING: Final = "urn:ietf:params:xml:ns:xmpp-framing"  # RFC 7395, 3
ROSTER: Final = "jabber:iq:roster"  # RFC 6121, 2
ROSTER_VERSIONING: Final = "urn:xmpp:features:rosterver"  # RFC 6121, 2.6.1
PRE_APPROVAL: Final = "urn:xmpp:features:pre-approval"  # RFC 6121, 3.4

DATA_FORM: Final = "jabber:x:data"  # XEP-0004
LAST_ACTIVITY: Final = "jabber:iq:last"  # XEP-0012
DISCO_INFO: Final = "http://jabber.org/protocol/disco#info"  # XEP-0030
DISCO_ITEMS: Final = "http://jabber.org/protocol/disco#items"  # XEP-0030
MUC_USER: Final = "http://jabber.org/protocol/muc#user"  # XEP-0045
RESULT_SET: Final = "http://jabber.org/protocol/rsm"  # XEP-0059
CHAT_STATES: Final = "http://jabber.org/protocol/chatstates"  # XEP-0085
VERSION: Final = "jabber:iq:version"  # XEP-0092
CAPABILITIES: Final = "http://jabber.org/protocol/caps"  # XEP-0115
SERVER_INFO: Final = "http://jabber.org/network/serverinfo"  # XEP-0157
RECEIPTS: Final = "urn:xmpp:receipts"  # XEP-0184
STREAM_MANAGEMENT: Final = "urn:xmpp:sm:3"  # XEP-0198
PING: Final = "urn:xmpp:ping"  # XEP-0199
TIME: Final = "urn:xmpp:time"  # XEP-0202
DELAY: Final = "urn:xmpp:delay"  # XEP-0203
CONFERENCE: Final = "jabber:x:conference"  # XEP-0249
CARBONS: Final = "urn:xmpp:carbons:2"  # XEP-0280
FORWARD: Final = "urn:xmpp:forward:0"  # XEP-0297
ARCHIVE: Final = "urn:xmpp:mam:2"  # XEP-0313
ARCHIVE_EXTENDED: Final = "urn:xmpp:mam:2#extended"  # XEP-0313
ARCHIVE_GROUPCHAT_FIELD: Final = "urn:xmpp:mam:2#groupchat-field"  # XEP-0313
CHAT_MARKERS: Final = "urn:xmpp:chat-markers:0"  # XEP-0333
HINTS: Final = "urn:xmpp:hints"  # XEP-0334
JINGLE_MESSAGE: Final = "urn:xmpp:jingle-message:0"  # XEP-0353
STANZA_ID: Final = "urn:xmpp:sid:0"  # XEP-0359
OPENPGP: Final = "urn:xmpp:openpgp:0"  # XEP-0373
ENCRYPTION: Final = "urn:xmpp:eme:0"  # XEP-0380
OMEMO: Final = "urn:xmpp:omemo:2"  # XEP-0384
OMEMO_OLD: Final = "eu.siacs.conversations.axolotl"  # XEP-0384, until version 0.3
FASTEN: Final = "urn:xmpp:fasten:0"  # XEP-0422
RETRACT: Final = "urn:xmpp:message-retract:1"  # XEP-0424
CHANNEL_BINDING: Final = "urn:xmpp:sasl-cb:0"  # XEP-0440
REACTIONS: Final = "urn:xmpp:reactions:0"  # XEP-0444
