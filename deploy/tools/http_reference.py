"""Writes docs/reference/http.md from the OpenAPI document of a service that is started for it, or checks that it is current.

python -m deploy.tools.http_reference            writes it
python -m deploy.tools.http_reference --check    fails when it is stale
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

import aiohttp
import structlog

from deploy.demo.loopback import HOST, free_port
from deploy.tools.generated import ROOT, cell, row, write_or_check
from orchestrator.app import Replica
from orchestrator.settings.model import Settings
from orchestrator.web.openapi import PATH

DOCUMENT: Final = ROOT / "docs" / "reference" / "http.md"

_HEAD: Final = """# HTTP API

What a service serves at `GET /openapi.json`, for people. Generators of clients and tests read that document.

- `{room}` is a room's name (its newest session) or its sid, as one percent-encoded segment.
- **Who may**: a bearer token of one of the scopes; `operate` may do what `read` may. "anybody" needs none. With `--dev` nobody
  needs one.
- Errors are `application/problem+json` (RFC 9457). JSON is snake_case, times are RFC 3339 in UTC with milliseconds, LiveKit's
  ids are as LiveKit writes them.
- A `GET` that lists takes `limit` and `cursor`; the answer's `cursor` goes on, and is null at the end.

Generated from the OpenAPI document by `python -m deploy.tools.http_reference`.

"""

_NOWHERE: Final = "1"
"""A port on which nobody listens: for the document neither LiveKit nor a store is needed."""

Json = Mapping[str, Any]


async def openapi() -> Json:
    """What a service with every route says of itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    port = free_port()
    settings = Settings.model_validate(
        {
            "livekit_url": f"ws://{HOST}:{_NOWHERE}",
            "livekit_api_key": "key",
            "livekit_api_secret": "a-secret-for-which-nobody-is-there",
            "host": HOST,
            "port": port,
            "dev": True,
        }
    )
    replica = Replica(settings, f"redis://{HOST}:{_NOWHERE}")
    await replica.start()
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://{HOST}:{port}{PATH}") as response:
            found: Json = await response.json()
            inlined: Json = _with_lists_inlined(found, found["components"]["schemas"])
            return inlined
    finally:
        await replica.stop()


def _with_lists_inlined(part: Any, schemas: Json) -> Any:
    """The closed lists stand where they are used: a section for each would say nothing more."""
    match part:
        case {"$ref": reference} if "properties" not in schemas[reference.rpartition("/")[2]]:
            described = {name: value for name, value in part.items() if name != "$ref"}
            return {**schemas[reference.rpartition("/")[2]], **described}
        case dict():
            return {name: _with_lists_inlined(value, schemas) for name, value in part.items()}
        case list():
            return [_with_lists_inlined(value, schemas) for value in part]
        case _:
            return part


def document(api: Json) -> str:
    """The whole page."""
    lines = [_HEAD, "| route | what it does | who may |", "|---|---|---|"]
    operations = list(_operations(api))
    for method, path, operation in operations:
        link = f"[`{method} {path}`](#{_anchor(method, path)})"
        lines.append(row(link, cell(operation["summary"]), _who(operation)))
    for method, path, operation in operations:
        lines += ["", f"## {method} {path}", "", f"{operation['summary']} Who may: {_who(operation)}.", ""]
        lines += _parameters(operation)
        lines += _body(operation)
        lines += ["| answer | | body |", "|---|---|---|"]
        for status, answer in operation["responses"].items():
            lines.append(row(status, cell(answer["description"]), _content(answer)))
    lines += ["", "# What goes to and fro", ""]
    for name, model in sorted(api["components"]["schemas"].items()):
        if "properties" in model:
            lines += _model(name, model)
    return "\n".join(lines) + "\n"


def _operations(api: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _anchor(method: str, path: str) -> str:
    """As GitHub makes it of a heading."""
    kept = "".join(letter for letter in f"{method} {path}".lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _who(operation: Json) -> str:
    scopes = sorted({scope for way in operation["security"] for scopes in way.values() for scope in scopes})
    return " or ".join(f"`{scope}`" for scope in scopes) or "anybody"


def _parameters(operation: Json) -> list[str]:
    asked = operation.get("parameters", ())
    lines = [row(f"`{p['name']}`", p["in"], _kind(p["schema"]), cell(p["description"])) for p in asked]
    return ["| parameter | in | | |", "|---|---|---|---|", *lines, ""] if lines else []


def _body(operation: Json) -> list[str]:
    kinds = operation.get("requestBody", {}).get("content", {})
    return [f"It takes {' or '.join(_media(kind, told) for kind, told in kinds.items())}.", ""] if kinds else []


def _content(answer: Json) -> str:
    return " or ".join(_media(kind, told) for kind, told in answer.get("content", {}).items())


def _media(kind: str, told: Json) -> str:
    reference = told.get("schema", {}).get("$ref", "")
    return _link(reference) if reference else f"`{kind}`"


def _model(name: str, model: Json) -> list[str]:
    head = [f"## {name}", "", cell(model.get("description", "")), ""] if model.get("description") else [f"## {name}", ""]
    needed = model.get("required", ())
    lines = [
        row(f"`{key}`" + ("" if key in needed else "?"), _kind(field), cell(field.get("description", "")))
        for key, field in model["properties"].items()
    ]
    return [*head, "| member | | |", "|---|---|---|", *lines, ""]


_WORDS: Final = {"string": "text", "integer": "number", None: "anything"}


def _kind(schema: Json) -> str:
    """What a value may be, in a few words."""
    match schema:
        case {"$ref": reference}:
            return _link(reference)
        case {"anyOf": parts} | {"oneOf": parts}:
            return " or ".join(_kind(part) for part in parts)
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array"}:
            return f"list of {_kind(schema.get('items', {}))}"
        case {"format": "date-time"}:
            return "time"
        case _:
            return str(_WORDS.get(schema.get("type"), schema.get("type")))


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def main() -> int:
    return write_or_check(DOCUMENT, document(asyncio.run(openapi())), "deploy.tools.http_reference")


if __name__ == "__main__":
    raise SystemExit(main())
