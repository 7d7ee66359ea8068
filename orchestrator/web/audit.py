"""GET /audit: who did what."""

import dataclasses

from aiohttp import web

from orchestrator.core.audit import AuditEntry
from orchestrator.web.answers import answer
from orchestrator.web.filters import following, read_paging
from orchestrator.web.operation_models import AuditList, AuditView
from orchestrator.web.operation_ports import Audit


class AuditDoor:
    """The handler. Raises BadFilter."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def get(self, request: web.Request) -> web.Response:
        cursor, limit = read_paging(request.query)
        with following(cursor):
            entries, further = await self._audit.page(cursor=cursor, limit=limit)
        return answer(AuditList(entries=tuple(map(_view, entries)), cursor=further))


def _view(entry: AuditEntry) -> AuditView:
    return AuditView(id=entry.id, at=entry.at, **dataclasses.asdict(entry.deed))
