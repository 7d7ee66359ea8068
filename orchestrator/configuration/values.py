"""How durations, rates and sizes are written, and what they become: seconds, calls a second, bytes."""

import math
import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2}

# Twelve digits are 30,000 years in seconds.
_DURATION: Final = re.compile(r"(?P<number>\d{1,12}(?:\.\d+)?)\s*(?P<unit>ms|s|m|h|d)?")
_RATE: Final = re.compile(r"(?P<number>\d{1,12}(?:\.\d+)?)\s*(?:/\s*(?P<unit>s|m|h))?")
_SIZE: Final = re.compile(r"(?P<number>\d{1,12})\s*(?P<unit>B|KiB|MiB)?")


def duration(value: Any) -> float:
    """Seconds, from "6s", "1.5s", "500ms", "2m", "1h", "1d" or a number of seconds."""
    match = _read(_DURATION, value)
    if match is None:
        raise PydanticCustomError(
            "duration",
            "{given} is no duration. Write a number with ms, s, m, h or d, such as 6s or 1.5s",
            {"given": _shown(value)},
        )
    return float(match["number"]) * _SECONDS[match["unit"] or "s"]


def rate(value: Any) -> float:
    """Calls a second, from "200/s", "600/m" or a number of calls a second."""
    match = _read(_RATE, value)
    if match is None:
        raise PydanticCustomError(
            "rate", "{given} is no rate. Write a number per s, m or h, such as 200/s", {"given": _shown(value)}
        )
    return float(match["number"]) / _SECONDS[match["unit"] or "s"]


def size(value: Any) -> int:
    """Bytes, from "64KiB", "1MiB" or a number of bytes."""
    match = _read(_SIZE, value)
    if match is None:
        raise PydanticCustomError(
            "size",
            "{given} is no size. Write a whole number of bytes, or one with KiB or MiB, such as 64KiB",
            {"given": _shown(value)},
        )
    return int(match["number"]) * _BYTES[match["unit"] or ""]


def _read(form: re.Pattern[str], value: Any) -> re.Match[str] | None:
    # A bool is an int to Python, and `yes` is a bool to YAML.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return form.fullmatch(str(value).strip())


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _more_than_nothing(value: float) -> float:
    if value <= 0:
        raise PydanticCustomError("positive", "it must be more than 0: it cannot be switched off")
    return value


_WRITTEN_DURATION: Final = {
    "anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h|d)?$"}, {"type": "number", "minimum": 0}]
}
_WRITTEN_RATE: Final = {
    "anyOf": [
        {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(/\s*(s|m|h))?$"},
        {"type": "number", "exclusiveMinimum": 0},
    ]
}
_WRITTEN_SIZE: Final = {
    "anyOf": [{"type": "string", "pattern": r"^\d+\s*(B|KiB|MiB)?$"}, {"type": "integer", "exclusiveMinimum": 0}]
}

Seconds = Annotated[float, BeforeValidator(duration), WithJsonSchema(_WRITTEN_DURATION)]
"""A duration that 0 switches off."""

SomeSeconds = Annotated[float, BeforeValidator(duration), AfterValidator(_more_than_nothing), WithJsonSchema(_WRITTEN_DURATION)]
"""A duration that cannot be switched off."""

PerSecond = Annotated[float, BeforeValidator(rate), AfterValidator(_more_than_nothing), WithJsonSchema(_WRITTEN_RATE)]

Bytes = Annotated[int, BeforeValidator(size), AfterValidator(_more_than_nothing), WithJsonSchema(_WRITTEN_SIZE)]
