"""Twirp over HTTP, as a server: a call's protobuf or JSON in, its answer or its refusal out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

from aiohttp import web
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError, Message

from orchestrator.sandbox.model import ApiError
from orchestrator.sandbox.signing import Credentials, Right, Unauthorized

Request = TypeVar("Request", bound=Message)

PROTOBUF: Final = "application/protobuf"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Call(Generic[Request]):
    """One call of the API: what it takes, who may make it, and what answers it."""

    request: type[Request]
    right: Right
    answer: Callable[[Request], Awaitable[Message]]


class Twirp:
    """The calls, by "service/method", for whoever has a token of these credentials."""

    def __init__(self, calls: Mapping[str, Call[Any]], credentials: Credentials) -> None:
        self._calls = calls
        self._credentials = credentials

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one HTTP request whose route has named its `call`."""
        try:
            return await self._answered(request)
        except Unauthorized:
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="invalid token")  # plain text: not Twirp's
        except ApiError as refusal:
            return _refused(request, refusal)

    async def _answered(self, request: web.Request) -> web.Response:
        rights = self._credentials.rights(request.headers.get("Authorization"))
        call = self._calls.get(request.match_info["call"])
        if call is None:
            raise _bad_route(f'no handler for path "{request.path}"')
        asked = _decoded(call.request, request.content_type, await request.read())
        if not rights.allow(call.right, getattr(asked, "room", "")):
            raise ApiError(HTTPStatus.UNAUTHORIZED, "unauthenticated", "permissions denied")
        answer = await call.answer(asked)
        if request.content_type == JSON:
            return web.Response(body=_json(answer), content_type=JSON)
        return web.Response(body=answer.SerializeToString(), content_type=PROTOBUF)


def _decoded(kind: type[Request], content_type: str, body: bytes) -> Request:
    try:
        match content_type:
            case "application/protobuf":
                return kind.FromString(body)
            case "application/json":
                return Parse(body, kind(), ignore_unknown_fields=True)
            case _:
                raise _bad_route(f'unexpected Content-Type: "{content_type}"')
    except (DecodeError, ParseError, UnicodeDecodeError) as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, "malformed", "the request could not be decoded") from error


def _json(answer: Message) -> bytes:
    """As LiveKit writes it, which is not as it writes webhooks: names as in protobuf, and defaults with the rest."""
    text = MessageToJson(answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None)
    return text.encode()


def _bad_route(message: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "bad_route", message)


def _refused(request: web.Request, refusal: ApiError) -> web.Response:
    """Twirp's refusals are JSON whatever was asked in; without a message it is somebody else's, with an empty body."""
    if refusal.status == 0:
        if request.transport:
            request.transport.abort()
        return web.Response()
    if not refusal.message:
        return web.Response(status=refusal.status)
    return web.json_response({"code": refusal.code, "msg": refusal.message}, status=refusal.status)
