"""Errors as RFC 9457 problem+json: the one shape in which this service says no."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from orchestrator.web.answers import HEADERS

CONTENT_TYPE: Final = "application/problem+json"


def problem(
    status: int,
    title: str,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **extensions: object,
) -> web.Response:
    """An error answer. `detail` says what is wrong with this request; `extensions` are members of the document."""
    document: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    if detail is not None:
        document["detail"] = detail
    return web.Response(
        status=status,
        reason=_phrase(status),
        body=json.dumps(document | extensions, ensure_ascii=False).encode("utf-8", "backslashreplace"),
        content_type=CONTENT_TYPE,
        headers={**HEADERS, **(headers or {})},
    )


def _phrase(status: int) -> str | None:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else None
