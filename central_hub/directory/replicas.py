"""What each site's copy of its accounts has confirmed, and who waits for a confirmation."""

import asyncio


class Replicas:
    """Site name to the version that its edge holds durably; 0 for a site that has not been heard."""

    def __init__(self) -> None:
        """Nothing has been heard."""
        self._held: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[int, asyncio.Future[None]]]] = {}

    def held(self, site: str) -> int:
        """The version that `site` confirmed last."""
        return self._held.get(site, 0)

    def confirm(self, site: str, version: int) -> None:
        """Note what `site` says it holds; a lower version than before means that its copy was made anew."""
        self._held[site] = version
        waiting = self._waiting.pop(site, None)
        if waiting is None:
            return
        for wanted, future in waiting:
            if wanted > version:
                self._waiting.setdefault(site, []).append((wanted, future))
            elif not future.done():
                future.set_result(None)

    async def wait(self, site: str, version: int) -> None:
        """Return once `site` holds `version`; the caller bounds the wait."""
        if self.held(site) >= version:
            return
        entry = (version, asyncio.get_running_loop().create_future())
        waiting = self._waiting.setdefault(site, [])
        waiting.append(entry)
        try:
            await entry[1]
        finally:
            waiting = self._waiting.get(site, [])
            if entry in waiting:
                waiting.remove(entry)
                if not waiting:
                    del self._waiting[site]
