import pytest

from central_hub.directory.derivation import Derivation, UnusablePassword


async def test_every_hash_with_its_own_salt() -> None:
    derivation = Derivation(4096)
    sha1, sha256 = await derivation.verifiers("demo")
    derivation.close()
    assert (sha1.hash_name, sha256.hash_name) == ("SHA-1", "SHA-256")
    assert sha1.salt != sha256.salt
    assert sha1.matches("demo")
    assert sha256.matches("demo")
    assert not sha256.matches("other")


@pytest.mark.parametrize("password", ["", "a\x00b"])
async def test_unusable_password(password: str) -> None:
    derivation = Derivation(4096)
    with pytest.raises(UnusablePassword) as caught:
        await derivation.verifiers(password)
    derivation.close()
    assert caught.value.__cause__ is None


async def test_many_in_order_with_the_unusable_as_values() -> None:
    derivation = Derivation(4096)
    answers = await derivation.verifiers_of_many(["one", "", *["three"] * 40])
    derivation.close()
    assert isinstance(answers[1], UnusablePassword)
    assert [
        not isinstance(a, UnusablePassword) and a[0].matches(p)
        for a, p in ((answers[0], "one"), (answers[41], "three"))
    ] == [True, True]
