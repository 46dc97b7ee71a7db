"""Contract of `SessionStore`."""

from edge_node.adapters.store import Store
from edge_node.sessions.store import SessionRecord
from tests.contracts.edge.driver import settled

PHONE = SessionRecord(2**64 - 1, b"\0secret", "anna", "phone", managed=True, checkpoint=b"\x80\0", updated_us=5)
LAPTOP = SessionRecord(4, b"", "anna", "laptop ü", managed=False, checkpoint=b"", updated_us=6)


def by_key(records: object) -> list[SessionRecord]:
    assert isinstance(records, list)
    return sorted(records, key=lambda record: record.key)


class TestSessions:
    async def test_saved_sessions_are_loaded(self, store: Store) -> None:
        store.sessions.save(PHONE)
        store.sessions.save(LAPTOP)
        await settled(store)
        assert by_key(await store.sessions.load_all()) == [LAPTOP, PHONE]

    async def test_saving_again_replaces(self, store: Store) -> None:
        newer = SessionRecord(PHONE.key, b"other", "anna", "phone", managed=False, checkpoint=b"2", updated_us=9)
        store.sessions.save(PHONE)
        await settled(store)
        store.sessions.save(LAPTOP)
        store.sessions.save(newer)
        await settled(store)
        assert by_key(await store.sessions.load_all()) == [LAPTOP, newer]

    async def test_a_deleted_session_is_forgotten(self, store: Store) -> None:
        store.sessions.save(PHONE)
        store.sessions.delete(PHONE.key)
        store.sessions.delete(12345)
        store.sessions.save(LAPTOP)
        await settled(store)
        store.sessions.delete(LAPTOP.key)
        store.sessions.save(PHONE)
        await settled(store)
        assert by_key(await store.sessions.load_all()) == [PHONE]
