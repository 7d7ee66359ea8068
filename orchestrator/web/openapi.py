"""GET /openapi.json: an OpenAPI 3.1 document, made of the route table and the models that the answers are made of."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from orchestrator.configuration.credentials import Scope
from orchestrator.web.answers import HEADERS
from orchestrator.web.auth import CSRF_HEADER
from orchestrator.web.entrance import COOKIE
from orchestrator.web.routes import Answer, Route

PATH: Final = "/openapi.json"

_REFERENCE: Final = "#/components/schemas/{model}"
_SECURITY: Final = "bearer"
_LOGIN: Final = "login"
_FOR_PEOPLE: Final = frozenset({Scope.READ, Scope.OPERATE})


class OpenApi:
    """The document of these routes, and the route under which it is found, which is described in it, too."""

    def __init__(self, routes: Iterable[Route], version: str) -> None:
        self.route = Route(
            "GET",
            PATH,
            self.get,
            scope=None,
            name="getOpenApi",
            summary="This document.",
            answers={200: Answer("An OpenAPI 3.1 document.")},
        )
        self._body = json.dumps(document((*routes, self.route), version)).encode()

    async def get(self, request: web.Request) -> web.Response:  # noqa: ARG002  # the signature of a handler
        return web.Response(body=self._body, content_type="application/json", headers=HEADERS)


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The document; `version` is that of the service."""
    routes = tuple(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rollcall",
            "summary": "The verified agent dispatcher for LiveKit.",
            "version": version,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {
                _SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A token of ROLLCALL_API_TOKENS; scopes {', '.join(Scope)}. operate may read, too.",
                },
                _LOGIN: {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": f"The cookie of POST /login, and with what changes something its `csrf` as {CSRF_HEADER}.",
                },
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "security": [
            *({_SECURITY: [scope.value]} for scope in route.scopes),
            *({_LOGIN: [scope.value]} for scope in route.scopes if scope in _FOR_PEOPLE),
        ],
        "responses": {str(status): _response(answer) for status, answer in sorted(route.answers.items())},
    }
    if route.parameters:
        operation["parameters"] = [
            {
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.place == "path",
                "description": parameter.description,
                "schema": parameter.schema,
            }
            for parameter in route.parameters
        ]
    if route.accepts is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _referred(route.accepts)}}}
    if route.body is not None:
        operation["requestBody"] = route.body
    return operation


def _response(answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.description}
    if answer.media_type is None:
        return response
    schema = {} if answer.model is None else _referred(answer.model)
    return response | {"content": {answer.media_type: {"schema": schema}}}


def _referred(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _schemas(routes: tuple[Route, ...]) -> Mapping[str, Any]:
    answered = {answer.model for route in routes for answer in route.answers.values() if answer.model is not None}
    accepted = {route.accepts for route in routes if route.accepts is not None}
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "serialization") for model in sorted(answered, key=lambda model: model.__name__)),
        *((model, "validation") for model in sorted(accepted, key=lambda model: model.__name__)),
    ]
    _, definitions = models_json_schema(modes, ref_template=_REFERENCE)
    return dict(definitions["$defs"])
