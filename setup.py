"""What pyproject.toml cannot say: a release compiles the modules of the hot path (docs/adr/0014-compiled-hot-path.md).

An installation from the sources compiles nothing; `make wheel` asks for it.
"""

import os

from setuptools import Extension, setup

HOT = (
    "chassis/clock.py",
    "edge_node/accounts/directory.py",
    "edge_node/adapters/sqlite/batch.py",
    "edge_node/adapters/sqlite/group_commit.py",
    "edge_node/adapters/sqlite/owners.py",
    "edge_node/adapters/sqlite/rows.py",
    "edge_node/core/core.py",
    "edge_node/custody/port.py",
    "edge_node/features/carbons.py",
    "edge_node/features/archive/feature.py",
    "edge_node/features/archive/preferences.py",
    "edge_node/listeners/connection.py",
    "edge_node/listeners/listener.py",
    "edge_node/listeners/tcp.py",
    "edge_node/listeners/websocket.py",
    "edge_node/listeners/wheel.py",
    "edge_node/pipeline/destinations.py",
    "edge_node/pipeline/messages.py",
    "edge_node/pipeline/passage.py",
    "edge_node/pipeline/traits.py",
    "edge_node/sessions/account.py",
    "edge_node/sessions/registry.py",
    "edge_node/sessions/session.py",
    "xmpp/acknowledgement.py",
    "xmpp/client_stream.py",
    "xmpp/cutter.py",
    "xmpp/element.py",
    "xmpp/framing.py",
    "xmpp/items.py",
    "xmpp/jid.py",
    "xmpp/management.py",
    "xmpp/parser.py",
    "xmpp/payloads/stanza_id.py",
    "xmpp/server_stream.py",
    "xmpp/stanza.py",
    "xmpp/stream.py",
)
"""What runs for every message, as far as mypyc takes it; the others stay as they are, and all work with both."""


def extensions() -> list[Extension]:
    """The extension modules to build."""
    if os.environ.get("CHAPPE_COMPILED") != "1":
        return []
    from mypyc.build import mypycify  # noqa: PLC0415  needed for a release only

    return list(mypycify([*HOT], opt_level="3", debug_level="1"))


setup(ext_modules=extensions())
