"""Which part of the project's API budget is whose: the runtime's Shares. The rule is in Lua."""

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script


class BudgetShares:
    """A replica that stops asking is forgotten, and what it had goes to those that go on asking."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._share = Script.load("share")

    async def share(self, replica: str, demand: float) -> float:
        keys = (self._keys.demands, self._keys.grants, self._keys.askers)
        return float(await self._share.run(self._connection, keys, (replica, repr(demand))))
