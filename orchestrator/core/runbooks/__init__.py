"""What a person on call does about each cause and each alert. The one source of GET /runbook and of docs/runbooks.

Texts may hold `code`. `support-18` stands for the room and `mary` for the agent: the commands are run by a test.
"""

from typing import Final

from orchestrator.core.alerts import AlertType
from orchestrator.core.causes import Cause
from orchestrator.core.runbooks.arriving import ARRIVING
from orchestrator.core.runbooks.lost import LOST
from orchestrator.core.runbooks.refused import REFUSED
from orchestrator.core.runbooks.runbook import Runbook
from orchestrator.core.runbooks.service import SERVICE
from orchestrator.core.runbooks.untaken import UNTAKEN

__all__ = ["AGENT", "OF_ALERTS", "OF_CAUSES", "Runbook"]

AGENT: Final = "mary"
"""Stands for the agent name."""

OF_CAUSES: Final[dict[Cause, Runbook]] = {**UNTAKEN, **ARRIVING, **LOST, **REFUSED}
OF_ALERTS: Final[dict[AlertType, Runbook]] = SERVICE
