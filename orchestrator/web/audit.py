"""GET /audit: who did what."""

import dataclasses

from aiohttp import web

from orchestrator.core.audit import AuditEntry
from orchestrator.web.answers import answer
from orchestrator.web.filters import BadFilter, read_paging
from orchestrator.web.operation_models import AuditList, AuditView
from orchestrator.web.operation_ports import Audit
from orchestrator.web.requests import Refused
from orchestrator.web.sessions import bad_request


class AuditDoor:
    """The handler. Raises Refused."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def get(self, request: web.Request) -> web.Response:
        try:
            cursor, limit = read_paging(request.query)
        except BadFilter as bad:
            raise Refused(bad_request(bad)) from bad
        try:
            entries, following = await self._audit.page(cursor=cursor, limit=limit)
        except ValueError as error:
            raise Refused(bad_request(BadFilter("cursor", "It is none that this service has given out."))) from error
        return answer(AuditList(entries=tuple(map(_view, entries)), cursor=following))


def _view(entry: AuditEntry) -> AuditView:
    return AuditView(id=entry.id, at=entry.at, **dataclasses.asdict(entry.deed))
