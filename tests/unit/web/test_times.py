"""Times: RFC 3339, UTC, milliseconds, whatever number comes."""

import pytest

from orchestrator.web.times import rfc3339


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_763_712_000.1234, "2025-11-21T08:00:00.123Z"),
        (1_763_712_000.0, "2025-11-21T08:00:00.000Z"),
        (-5.0, "1970-01-01T00:00:00.000Z"),
        (9.2e18, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_time_is_written_with_milliseconds_and_a_z(seconds: float, written: str) -> None:
    assert rfc3339(seconds) == written
