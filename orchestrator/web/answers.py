"""Answers with a JSON body, from the models that describe them."""

from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What is true now need not be true a second later."""


class View(BaseModel):
    """What an answer shows. A string below a field describes it, in the documents, too."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


def answer(model: BaseModel, status: int = 200) -> web.Response:
    body = model.model_dump_json(by_alias=True).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=HEADERS)
