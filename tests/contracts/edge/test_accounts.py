"""Contract of `AccountStore`."""

from edge_node.accounts.store import Account
from edge_node.adapters.store import Store
from xmpp.sasl import ScramVerifier

VERIFIERS = (
    ScramVerifier("sha256", b"\0salt", 4_096, b"stored", b"server"),
    ScramVerifier("sha1", b"salt", 10_000, b"stored1", b"server1"),
)
ANNA = Account("anna", disabled=False, verifiers=VERIFIERS, display_name="Anna Ärmel")
BRUNO = Account("bruno", disabled=True, verifiers=(), display_name="")


class TestAccounts:
    async def test_an_empty_replica(self, store: Store) -> None:
        version, accounts = await store.accounts.load()
        assert (version, list(accounts)) == (0, [])

    async def test_a_difference_is_applied(self, store: Store) -> None:
        await store.accounts.apply(3, [ANNA, BRUNO], [], full=False)
        version, accounts = await store.accounts.load()
        assert (version, list(accounts)) == (3, [ANNA, BRUNO])
        renamed = Account("anna", disabled=False, verifiers=VERIFIERS[:1], display_name="Anna B.")
        await store.accounts.apply(4, [renamed], ["bruno", "nobody"], full=False)
        version, accounts = await store.accounts.load()
        assert (version, list(accounts)) == (4, [renamed])

    async def test_a_full_state_replaces_everything(self, store: Store) -> None:
        await store.accounts.apply(3, [ANNA], [], full=False)
        await store.accounts.apply(2, [BRUNO], [], full=True)
        version, accounts = await store.accounts.load()
        assert (version, list(accounts)) == (2, [BRUNO])
