"""Every `*.story` beside this file is performed by a company of its own."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.stories.company import company
from tests.stories.play import Misunderstood, Play, script

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.story")}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The logs of hub and links stay out of the output."""
    with capture_logs():
        yield


async def perform(text: str, folder: Path) -> None:
    """Play a story; what is wrong with it comes out as it is, not in the group of a task that it ended."""
    failure: Exception | None = None
    async with company(folder / "hub") as employer, AsyncExitStack() as stack:
        try:
            await Play(employer, stack).perform(script(text))
        except Exception as error:  # noqa: BLE001 - raised below
            failure = error
    if failure is not None:
        raise failure


@pytest.mark.parametrize("story", sorted(TEXTS))
async def test_story(story: str, tmp_path: Path) -> None:
    await perform(TEXTS[story], tmp_path)


async def test_more_heard_than_told_fails(tmp_path: Path) -> None:
    text = """A story that does not tell everything
    Anna lives in Paris
    Bruno lives in Paris
    Anna's desk comes online
    Bruno's desk comes online
    Anna's desk says "psst" to Bruno
    """
    with pytest.raises(AssertionError, match="has also heard"):
        await perform(text, tmp_path)


async def test_unknown_sentence_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misunderstood, match="Anna dances"):
        await perform("A title\nAnna dances", tmp_path)
