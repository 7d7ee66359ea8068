"""Logs: one JSON object a line, or for a person's terminal one readable line. Everything in the process goes through here.

Events are codes with key-values; `room`, `sid`, `agent`, `attempt` and `dispatch_id` mean the same in all of them.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

BLANK: Final = "[blanked]"

_SECRET_NAMES: Final = re.compile("metadata|token|secret|password|authorization", re.IGNORECASE)
"""`turnPassword`, `api_secret`, `Authorization`, `job_metadata`, …: whoever logs them errs, and is protected."""

_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
"""A JWT, wherever it stands: libraries put headers into the texts of their exceptions."""

_DEEPEST: Final = 8


def configure(stream: TextIO, *, level: str, pretty: bool) -> None:
    """Send all logs of the process to this stream. `level` (debug, info, warning, error) is for our own events.

    Libraries are heard from warnings upwards only: below, they log what they were given.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    render = _rendering(stream, pretty=pretty)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_COMMON, *render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_no_fault_of_a_sender)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_COMMON],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


def blank_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001  # a processor's signature
    """Defence in depth: what is named like a secret or looks like a token never leaves the process."""
    return {name: _blanked(name, value, 0) for name, value in event.items()}


def _blanked(name: str, value: Any, depth: int) -> Any:
    if _SECRET_NAMES.search(name) and value is not None:
        return BLANK
    if isinstance(value, str):
        return _TOKEN.sub(BLANK, value)
    if depth >= _DEEPEST:
        return BLANK
    if isinstance(value, Mapping):
        return {key: _blanked(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_blanked("", item, depth + 1) for item in value]
    return value


_COMMON: Final[tuple[Processor, ...]] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.format_exc_info,
    blank_secrets,
)


def _rendering(stream: TextIO, *, pretty: bool) -> tuple[Processor, ...]:
    if pretty:
        # Plain: rich tracebacks show the values of local variables.
        plain = structlog.dev.plain_traceback
        return (structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="at", exception_formatter=plain),)
    return (structlog.processors.JSONRenderer(serializer=_json),)


def _json(event: EventDict, **_: Any) -> str:
    """ASCII only: half of a character in the name of a room must not keep a line from being written."""
    return json.dumps(event, default=str, separators=(",", ":"))


def _is_no_fault_of_a_sender(record: logging.LogRecord) -> bool:
    """What aiohttp says of bytes that are no HTTP: it repeats them, headers included, and strangers send as they like."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
