"""How often each caller may ask: so many times a second, and a few at once. Counted by this process, for itself."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from orchestrator.runtime.ports import Clock
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused

BURST: Final = 5.0
"""How many may come at once, however low the rate is: a page that is loaded anew asks anew."""

CALLERS: Final = 10_000
"""How many are remembered at most, the ones who asked last: about 3 MB."""


@dataclass(slots=True)
class _Account:
    left: float
    at: float


class RateLimit:
    """`per_second` turns for each caller, and as many at once as come in a second, or five."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._per_second = per_second
        self._most = max(per_second, BURST)
        self._clock = clock
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._accounts)

    def take(self, caller: str) -> None:
        """Take a turn. Raises Refused when there is none."""
        wait = self.wait(caller)
        if wait:
            headers = {"Retry-After": str(wait)}
            raise Refused(problem(429, "Too Many Requests", "This caller asks too often.", headers=headers))

    def wait(self, caller: str) -> int:
        """Take a turn. 0: there was one; otherwise whole seconds until there is."""
        account = self._account(caller)
        if account.left >= 1:
            account.left -= 1
            return 0
        return max(math.ceil((1 - account.left) / self._per_second), 1)

    def _account(self, caller: str) -> _Account:
        """As it is now."""
        now = self._clock.monotonic()
        account = self._accounts.pop(caller, None) or _Account(self._most, now)
        account.left = min(account.left + (now - account.at) * self._per_second, self._most)
        account.at = now
        self._accounts[caller] = account
        if len(self._accounts) > CALLERS:
            self._accounts.popitem(last=False)
        return account
