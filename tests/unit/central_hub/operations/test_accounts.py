import pytest

from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.directory.derivation import Derivation
from central_hub.directory.directory import Directory
from central_hub.directory.sites import InvalidSiteName, Site, checked_site_name
from central_hub.operations.accounts import Accounts, InvalidRow, Outcome, PutOptions, Row


@pytest.fixture
async def store() -> MemoryDirectory:
    return MemoryDirectory()


@pytest.fixture
async def directory(store: MemoryDirectory) -> Directory:
    directory = Directory(store, edits_per_commit=100)
    await directory.put_site(Site("paris", "h", 1, 100))
    return directory


@pytest.fixture
def accounts(directory: Directory) -> Accounts:
    return Accounts(directory, Derivation(4096), "corp.example")


async def put(accounts: Accounts, *rows: Row, options: PutOptions | None = None) -> Outcome:
    outcome = Outcome(errors_max=2)
    await accounts.put(rows, outcome, options or PutOptions())
    return outcome


@pytest.mark.parametrize(
    ("text", "local"), [("anna", "anna"), ("ANNA", "anna"), ("anna@corp.example", "anna"), ("Zoë", "zoë")]
)
def test_local_part_in_its_normal_form(accounts: Accounts, text: str, local: str) -> None:
    assert accounts.local(text) == local


@pytest.mark.parametrize(
    "text", ["", "@", "anna@elsewhere.example", "anna/x", "a b", "a\x00", "x" * 1024, "@corp.example"]
)
def test_what_is_no_local_part(accounts: Accounts, text: str) -> None:
    with pytest.raises(InvalidRow):
        accounts.local(text)


async def test_new_then_changed_without_a_new_password(accounts: Accounts, store: MemoryDirectory) -> None:
    created = await put(accounts, Row(1, "anna", "paris", "demo", "Anna"))
    assert (created.created, created.versions) == (1, {"paris": 101})
    (before,) = await store.accounts_after("paris", 0, 9)
    updated = await put(accounts, Row(1, "anna", "paris", "", "Anna Petit"))
    (after,) = await store.accounts_after("paris", 0, 9)
    assert (updated.created, updated.updated) == (0, 1)
    assert after.account.display_name == "Anna Petit"
    assert after.verifiers == before.verifiers


async def test_row_without_a_display_name_keeps_it(accounts: Accounts, directory: Directory) -> None:
    await put(accounts, Row(1, "anna", "paris", "demo", "Anna"))
    await put(accounts, Row(1, "anna", "paris", "other", None))
    anna = directory.account("anna")
    assert anna is not None
    assert anna.display_name == "Anna"


async def test_errors_are_counted_beyond_those_described(accounts: Accounts) -> None:
    rows = [Row(n, f"new{n}", "paris", "", None) for n in range(1, 5)]
    outcome = await put(accounts, *rows, Row(5, "x", "paris", "demo", "bad\nname"), Row(6, "y", "", "demo", None))
    assert (outcome.refused, outcome.created) == (6, 0)
    assert [number for number, _, _ in outcome.errors] == [1, 2]


@pytest.mark.parametrize("create_only", [True, False])
async def test_same_account_twice_in_one_file(accounts: Accounts, *, create_only: bool) -> None:
    rows = (
        Row(1, "anna", "nowhere", "demo", None),
        Row(2, "anna", "paris", "demo", None),
        Row(3, "Anna", "paris", "other", None),
    )
    rehearsed = await put(accounts, *rows, options=PutOptions(create_only=create_only, dry_run=True))
    done = await put(accounts, *rows, options=PutOptions(create_only=create_only))
    assert (rehearsed.created, rehearsed.errors) == (done.created, done.errors)
    assert [(number, reason) for number, _, reason in done.errors] == [
        (1, "no such site: 'nowhere'"),
        (3, "the same account is in row 2"),
    ]


@pytest.mark.parametrize("password", ["a\x00", "\xad", "x\u0627"])
async def test_a_dry_run_refuses_the_passwords_that_an_import_refuses(accounts: Accounts, password: str) -> None:
    row = Row(1, "anna", "paris", password, None)
    rehearsed = await put(accounts, row, options=PutOptions(dry_run=True))
    done = await put(accounts, row)
    assert (rehearsed.created, rehearsed.errors) == (0, done.errors)
    assert len(done.errors) == 1


async def test_dry_run_changes_nothing(accounts: Accounts, directory: Directory) -> None:
    outcome = await put(accounts, Row(1, "anna", "paris", "demo", None), options=PutOptions(dry_run=True))
    assert (outcome.created, directory.population("paris")) == (1, 0)


async def test_initial_password_is_for_new_accounts_alone(accounts: Accounts, store: MemoryDirectory) -> None:
    options = PutOptions(initial_password="first")
    await put(accounts, Row(1, "anna", "paris", "", None), options=options)
    (before,) = await store.accounts_after("paris", 0, 9)
    await put(accounts, Row(1, "anna", "paris", "", None), options=options)
    (after,) = await store.accounts_after("paris", 0, 9)
    assert before.verifiers[0].matches("first")
    assert after.verifiers == before.verifiers


async def test_generated_accounts_share_one_password(accounts: Accounts, store: MemoryDirectory) -> None:
    outcome = Outcome(errors_max=1)
    await accounts.generate("paris", "Load", 501, "demo", outcome)
    records = await store.accounts_after("paris", 0, 1000)
    assert (outcome.created, len({record.verifiers for record in records})) == (501, 1)
    assert (records[0].account.local, records[-1].account.local) == ("load000001", "load000501")
    with pytest.raises(InvalidRow, match="no such site"):
        await accounts.generate("nowhere", "load", 1, "demo", outcome)
    with pytest.raises(InvalidRow, match="not a local part"):
        await accounts.generate("paris", "lo ad", 1, "demo", outcome)


@pytest.mark.parametrize("name", ["paris", "a", "site-2", "x" * 63])
def test_site_names(name: str) -> None:
    assert checked_site_name(name) == name


@pytest.mark.parametrize("name", ["", "Paris", "-a", "a-", "a.b", "a/b", "x" * 64, "a\n"])
def test_what_is_no_site_name(name: str) -> None:
    with pytest.raises(InvalidSiteName):
        checked_site_name(name)


def test_password_stays_out_of_representations() -> None:
    assert "secret" not in repr(Row(1, "anna", "paris", "secret", None))
    assert "secret" not in repr(PutOptions(initial_password="secret"))
