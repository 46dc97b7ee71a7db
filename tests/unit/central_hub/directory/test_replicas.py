import asyncio

import pytest

from central_hub.directory.replicas import Replicas


async def test_wait_ends_with_the_confirmation() -> None:
    replicas = Replicas()
    async with asyncio.TaskGroup() as tasks:
        five = tasks.create_task(replicas.wait("paris", 5))
        seven = tasks.create_task(replicas.wait("paris", 7))
        await asyncio.sleep(0)
        replicas.confirm("lyon", 9)
        replicas.confirm("paris", 5)
        await five
        assert not seven.done()
        replicas.confirm("paris", 8)
    await replicas.wait("paris", 8)
    assert (replicas.held("paris"), replicas.held("nice")) == (8, 0)


async def test_wait_that_is_given_up_leaves_nothing_behind() -> None:
    replicas = Replicas()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await replicas.wait("paris", 5)
    replicas.confirm("paris", 5)
    assert replicas.held("paris") == 5
