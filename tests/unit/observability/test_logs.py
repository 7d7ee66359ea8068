"""Logs: one JSON object a line, nothing secret in it, libraries included."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from orchestrator.observability.logs import BLANK, configure

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJkZXZrZXkifQ.c2lnbmF0dXJl"


class Log(io.StringIO):
    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was written, without the times."""
        entries = [json.loads(line) for line in self.getvalue().splitlines()]
        for entry in entries:
            assert entry.pop("at").endswith("Z")
        return entries


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = Log()
    configure(stream, level="info", pretty=False)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_event_is_one_line_of_json_with_its_level_and_keys(log: Log) -> None:
    structlog.get_logger().info("verified", room="support-17", attempt=1)
    assert log.lines == [{"event": "verified", "level": "info", "room": "support-17", "attempt": 1}]


def test_what_is_bound_around_an_event_is_in_it(log: Log) -> None:
    with structlog.contextvars.bound_contextvars(room="support-17", sid="RM_1"):
        structlog.get_logger().warning("lost", agent="mary")
    assert log.lines == [{"event": "lost", "level": "warning", "room": "support-17", "sid": "RM_1", "agent": "mary"}]


def test_below_its_level_nothing_is_written(log: Log) -> None:
    structlog.get_logger().debug("webhook_received")
    assert log.lines == []


@pytest.mark.parametrize(
    "name", ["metadata", "job_metadata", "turnPassword", "api_secret", "token", "ROLLCALL_API_TOKENS", "Authorization"]
)
def test_what_is_named_like_a_secret_is_blanked_however_deep_it_is(log: Log, name: str) -> None:
    structlog.get_logger().info("x", **{name: "hush"}, room={"name": "a", name: {"b": "hush"}}, more=[{name: "hush"}])
    assert log.lines == [
        {"event": "x", "level": "info", name: BLANK, "room": {"name": "a", name: BLANK}, "more": [{name: BLANK}]}
    ]


def test_what_looks_like_a_token_is_blanked_wherever_it_stands(log: Log) -> None:
    structlog.get_logger().info("x", header=f"Bearer {JWT}", listed=[JWT])
    try:
        raise ValueError(f"bad header {JWT}")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert JWT not in log.getvalue()
    first, second = log.lines
    assert (first["header"], first["listed"]) == (f"Bearer {BLANK}", [BLANK])
    assert second["exception"].endswith(f"ValueError: bad header {BLANK}")


def test_what_contains_itself_ends(log: Log) -> None:
    endless: list[Any] = []
    endless.append(endless)
    structlog.get_logger().info("x", endless=endless)
    assert BLANK in log.getvalue()


def test_half_a_character_is_written_all_the_same(log: Log) -> None:
    structlog.get_logger().info("x", room="a\udc80")
    assert log.lines == [{"event": "x", "level": "info", "room": "a\udc80"}]


def test_a_line_break_in_a_name_forges_no_line(log: Log) -> None:
    structlog.get_logger().info("x", room='a\n{"event": "forged"}')
    assert len(log.lines) == 1


def test_what_no_json_has_is_written_as_text(log: Log) -> None:
    structlog.get_logger().info("x", error=ValueError("a"))
    assert log.lines == [{"event": "x", "level": "info", "error": "a"}]


def test_libraries_speak_the_same_way(log: Log) -> None:
    logging.getLogger("asyncio").warning("slow: %s", "callback")
    assert log.lines == [{"event": "slow: callback", "logger": "asyncio", "level": "warning"}]


def test_the_exception_of_a_library_is_in_its_line(log: Log) -> None:
    try:
        raise ValueError(JWT)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("unhandled")
    (line,) = log.lines
    assert line.pop("exception").endswith(f"ValueError: {BLANK}")
    assert line == {"event": "unhandled", "logger": "aiohttp.server", "level": "error"}


def test_libraries_are_heard_from_warnings_upwards(log: Log) -> None:
    configure(log, level="debug", pretty=False)
    logging.getLogger("livekit").info("request: everything")
    assert log.lines == []


def test_bytes_that_are_no_http_are_not_repeated(log: Log) -> None:
    try:
        raise BadHttpMessage("Invalid header: b'Authorization: Bearer hush\\x00'")
    except BadHttpMessage:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    assert log.lines == []


def test_for_a_person_a_line_is_readable(log: Log) -> None:
    configure(log, level="info", pretty=True)
    structlog.get_logger().info("verified", room="support-17", token="hush")
    hidden = "a local " + "value"
    try:
        raise ValueError("told")
    except ValueError:
        structlog.get_logger().exception("failed")
    text = log.getvalue()
    assert "verified" in text
    assert "room=support-17" in text
    assert "ValueError: told" in text
    assert "hush" not in text
    assert hidden not in text
