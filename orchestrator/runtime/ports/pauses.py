"""The agent names of which operators have paused dispatching."""

from collections.abc import Mapping
from typing import Protocol

from orchestrator.core.pauses import Pause


class Pauses(Protocol):
    """Shared by all replicas. Raises StoreUnavailable."""

    async def pause(self, agent_name: str, pause: Pause) -> None:
        """Until it is over; a pause of before is forgotten."""
        ...

    async def resume(self, agent_name: str) -> None: ...

    async def look(self) -> Mapping[str, Pause]:
        """All that were not ended, by agent name; those whose time is over may be among them."""
        ...
