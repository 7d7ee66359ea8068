"""The logins of the model: until when each is kept."""

from orchestrator.core.login import Login
from tests.fakes.store.server import Line


class MemoryLogins:
    def __init__(self, line: Line) -> None:
        self._run = line.run
        self._now = line.server.now
        self._logins: dict[str, tuple[float, Login]] = {}

    def __len__(self) -> int:
        return len(self._logins)

    async def add(self, digest: str, login: Login, *, seconds: float) -> None:
        await self._run(lambda: self._logins.__setitem__(digest, (self._now() + seconds, login)))

    async def find(self, digest: str) -> Login | None:
        return await self._run(lambda: self._find(digest))

    async def drop(self, digest: str) -> None:
        await self._run(lambda: self._logins.pop(digest, None))

    def _find(self, digest: str) -> Login | None:
        until, login = self._logins.get(digest, (0.0, None))
        return login if self._now() < until else None
