from edge_node.accounts.directory import LocalDirectory
from edge_node.accounts.store import Account
from edge_node.adapters.memory import MemoryStore, open_store
from xmpp.sasl import ScramVerifier, derive

ONE, OTHER = (derive(password, b"salt", 4096, "SHA-1") for password in ("one", "other"))


def account(local: str, verifier: ScramVerifier | None = ONE, *, disabled: bool = False) -> Account:
    return Account(local, disabled, () if verifier is None else (verifier,), local.title())


async def directory_of(*accounts: Account) -> tuple[LocalDirectory, MemoryStore]:
    store = open_store()
    directory = LocalDirectory(store.accounts)
    await directory.apply(1, accounts, (), full=True)
    return directory, store


async def test_begins_with_what_the_store_has() -> None:
    _, store = await directory_of(account("anna"))
    directory = LocalDirectory(store.accounts)
    assert not directory.is_home("anna")
    await directory.load()
    assert (directory.version, len(directory), directory.get("anna")) == (1, 1, account("anna"))


async def test_who_may_log_in() -> None:
    directory, _ = await directory_of(account("anna"), account("bruno", disabled=True), account("chloe", None))
    found = directory.credentials("anna")
    assert found is not None
    assert dict(found.verifiers) == {ONE.hash_name: ONE}
    assert [directory.credentials(each) for each in ("bruno", "chloe", "nobody")] == [None, None, None]


async def test_a_disabled_account_is_still_at_home() -> None:
    directory, _ = await directory_of(account("bruno", disabled=True))
    assert directory.is_home("bruno")


async def test_a_difference_tells_whose_sessions_have_to_end() -> None:
    directory, store = await directory_of(account("anna"), account("bruno"), account("chloe"), account("david"))
    changes = [account("anna", OTHER), account("bruno", disabled=True), account("emil"), account("david")]
    gone, changed = await directory.apply(2, changes, ["chloe"], full=False)
    assert (sorted(gone), list(changed)) == (["bruno", "chloe"], ["anna"])
    assert [directory.is_home(each) for each in ("anna", "chloe", "emil")] == [True, False, True]
    assert (await store.accounts.load())[0] == directory.version == 2


async def test_a_full_statement_replaces_everything() -> None:
    directory, _ = await directory_of(account("anna"), account("bruno"))
    gone, changed = await directory.apply(9, [account("anna")], (), full=True)
    assert (list(gone), list(changed)) == (["bruno"], [])
    assert not directory.is_home("bruno")


async def test_the_usual_iterations_are_those_of_most() -> None:
    few, many = (derive("demo", b"salt", iterations, "SHA-256") for iterations in (5000, 4096))
    directory, _ = await directory_of(account("anna", few), account("bruno", many), account("chloe", many))
    assert directory.usual_iterations(7) == 4096
    nobody, _ = await directory_of(account("chloe", None))
    assert nobody.usual_iterations(7) == 7
