"""Every setting of the worker, once. What livekit-agents reads by itself (LIVEKIT_*) is not repeated here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

Number = TypeVar("Number", int, float)

_SPOKEN = {int: "a whole number", float: "a number"}


class SettingsError(ValueError):
    """An environment variable that cannot be used as it is; the message says which and why, without its value."""


@dataclass(frozen=True, slots=True)
class OpenAI:
    """A model service that speaks OpenAI's API; compatible servers have names of their own for the models."""

    api_key: str
    """OPENAI_API_KEY."""
    base_url: str | None
    """OPENAI_BASE_URL; None is OpenAI itself."""
    llm: str
    """ROLLCALL_WORKER_LLM."""
    stt: str
    """ROLLCALL_WORKER_STT."""
    tts: str
    """ROLLCALL_WORKER_TTS."""
    voice: str
    """ROLLCALL_WORKER_VOICE."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the worker's environment says."""

    host: str
    """ROLLCALL_WORKER_HOST: where the health endpoint listens; empty is every interface, as in livekit-agents."""
    port: int
    """ROLLCALL_WORKER_PORT: its port; 0 takes a free one."""
    jobs: int | None
    """ROLLCALL_WORKER_JOBS: how many jobs it takes at once; None leaves it to the CPU's load, as in livekit-agents."""
    room_metadata_wait: float
    """ROLLCALL_WORKER_ROOM_METADATA_WAIT, seconds: a room that CreateDispatch created gets its metadata after us."""
    openai: OpenAI | None
    """None without OPENAI_API_KEY: the agent then chimes and says that it has no model."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings of this environment; SettingsError where a number is none."""
        return cls(
            host=environment.get("ROLLCALL_WORKER_HOST", ""),
            port=_number(environment, "ROLLCALL_WORKER_PORT", int, 8081),
            jobs=_number(environment, "ROLLCALL_WORKER_JOBS", int, 0) or None,
            room_metadata_wait=_number(environment, "ROLLCALL_WORKER_ROOM_METADATA_WAIT", float, 1.0),
            openai=_openai(environment),
        )


def _openai(environment: Mapping[str, str]) -> OpenAI | None:
    api_key = environment.get("OPENAI_API_KEY", "").strip()
    if not api_key:
        return None
    return OpenAI(
        api_key=api_key,
        base_url=environment.get("OPENAI_BASE_URL") or None,
        llm=environment.get("ROLLCALL_WORKER_LLM") or "gpt-4.1-mini",
        stt=environment.get("ROLLCALL_WORKER_STT") or "gpt-4o-mini-transcribe",
        tts=environment.get("ROLLCALL_WORKER_TTS") or "gpt-4o-mini-tts",
        voice=environment.get("ROLLCALL_WORKER_VOICE") or "ash",
    )


def _number(environment: Mapping[str, str], name: str, kind: type[Number], default: Number) -> Number:
    written = environment.get(name)
    if not written:
        return default
    try:
        number = kind(written)
    except ValueError as error:
        raise SettingsError(f"{name} must be {_SPOKEN[kind]}") from error
    if not 0 <= number < float("inf"):
        raise SettingsError(f"{name} must not be negative or infinite")
    return number
