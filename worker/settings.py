"""Every setting of the worker, once. What livekit-agents reads by itself (LIVEKIT_*) is not repeated here.

Where the orchestrator is and what the worker announces of itself is read by the modules that any worker may use without
these settings: `worker.orchestrator` and `worker.presence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from worker.personas import Persona, Personas, Provider
from worker.personas_file import PersonasError, read_personas
from worker.room_name import PatternError, RoomPattern

Number = TypeVar("Number", int, float)

_SPOKEN = {int: "a whole number", float: "a number"}

SHIPPED_PERSONAS = Path(__file__).with_name("personas.yaml")
OPENAI_KEY = "OPENAI_API_KEY"


class SettingsError(ValueError):
    """An environment variable that cannot be used as it is; the message says which and why, without its value."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What holds for personas that do not say otherwise."""

    provider: Provider
    """ROLLCALL_WORKER_MODELS; without it `openai` where OPENAI_API_KEY is set, else `none`."""
    base_url: str | None = None
    """OPENAI_BASE_URL; None is OpenAI itself."""
    llm: str | None = None
    """ROLLCALL_WORKER_LLM, of `provider`; None is the provider's usual one. So with the next three."""
    stt: str | None = None
    """ROLLCALL_WORKER_STT."""
    tts: str | None = None
    """ROLLCALL_WORKER_TTS."""
    voice: str | None = None
    """ROLLCALL_WORKER_VOICE."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables with a key that some persona needs, and their values."""

    def provider_of(self, persona: Persona) -> Provider:
        """Where this persona's models come from."""
        return persona.models.provider or self.provider


@dataclass(frozen=True, slots=True)
class Settings:
    """What the worker's environment says."""

    host: str
    """ROLLCALL_WORKER_HOST: where the health endpoint listens; empty is every interface, as in livekit-agents."""
    port: int
    """ROLLCALL_WORKER_PORT: its port; 0 takes a free one."""
    prometheus_port: int | None
    """ROLLCALL_WORKER_PROMETHEUS_PORT: where metrics are served; None serves none."""
    jobs: int | None
    """ROLLCALL_WORKER_JOBS: how many jobs it takes at once; None leaves it to the CPU's load, as in livekit-agents."""
    room_metadata_wait: float
    """ROLLCALL_WORKER_ROOM_METADATA_WAIT, seconds: a room that CreateDispatch created gets its metadata after us."""
    room_pattern: RoomPattern | None
    """ROLLCALL_WORKER_ROOM_PATTERN: what the names of rooms say, such as `support-{team}-*`."""
    personas: Personas
    """ROLLCALL_WORKER_PERSONAS: the file; the one in this package without it."""
    models: ModelSettings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings of this environment; SettingsError where one cannot be used, or a persona's models lack something."""
        personas = _personas(environment)
        models = _models(environment, personas)
        missing = list(_missing(personas, models, environment))
        if missing:
            raise SettingsError("\n".join(missing))
        return cls(
            host=environment.get("ROLLCALL_WORKER_HOST", ""),
            port=_number(environment, "ROLLCALL_WORKER_PORT", int, 8081),
            prometheus_port=_number(environment, "ROLLCALL_WORKER_PROMETHEUS_PORT", int, 0) or None,
            jobs=_number(environment, "ROLLCALL_WORKER_JOBS", int, 0) or None,
            room_metadata_wait=_number(environment, "ROLLCALL_WORKER_ROOM_METADATA_WAIT", float, 1.0),
            room_pattern=_pattern(environment),
            personas=personas,
            models=models,
        )


def settings_or_exit(environment: Mapping[str, str]) -> Settings:
    """The settings; where there are none the program ends, with what is wrong and without a traceback, which would bury it."""
    try:
        return Settings.from_environment(environment)
    except SettingsError as error:
        raise SystemExit(f"The worker does not start:\n{error}") from None


def _personas(environment: Mapping[str, str]) -> Personas:
    written = environment.get("ROLLCALL_WORKER_PERSONAS", "").strip()
    try:
        return read_personas(Path(written) if written else SHIPPED_PERSONAS)
    except PersonasError as error:
        raise SettingsError(str(error)) from error


def _pattern(environment: Mapping[str, str]) -> RoomPattern | None:
    written = environment.get("ROLLCALL_WORKER_ROOM_PATTERN", "").strip()
    try:
        return RoomPattern.parse(written) if written else None
    except PatternError as error:
        raise SettingsError(f"ROLLCALL_WORKER_ROOM_PATTERN: {error}") from error


def _models(environment: Mapping[str, str], personas: Personas) -> ModelSettings:
    usual = Provider.OPENAI if environment.get(OPENAI_KEY, "").strip() else Provider.NONE
    written = environment.get("ROLLCALL_WORKER_MODELS", "").strip()
    if written and written not in set(Provider):
        raise SettingsError(f"ROLLCALL_WORKER_MODELS must be one of {', '.join(Provider)}")
    names = {OPENAI_KEY, *(persona.models.key_from or OPENAI_KEY for persona in personas.all())}
    return ModelSettings(
        provider=Provider(written) if written else usual,
        base_url=environment.get("OPENAI_BASE_URL", "").strip() or None,
        llm=environment.get("ROLLCALL_WORKER_LLM") or None,
        stt=environment.get("ROLLCALL_WORKER_STT") or None,
        tts=environment.get("ROLLCALL_WORKER_TTS") or None,
        voice=environment.get("ROLLCALL_WORKER_VOICE") or None,
        keys={name: key for name in sorted(names) if (key := environment.get(name, "").strip())},
    )


def _missing(personas: Personas, models: ModelSettings, environment: Mapping[str, str]) -> dict[str, None]:
    """What the personas' models lack: a sentence each, and each once."""
    found: dict[str, None] = {}
    for persona in personas.all():
        match models.provider_of(persona):
            case Provider.OPENAI | Provider.REALTIME as provider:
                key = persona.models.key_from or OPENAI_KEY
                if key not in models.keys:
                    found[
                        f"{key} is not set, and the persona {persona.name} talks through the provider {provider}: set it."
                    ] = None
            case Provider.INFERENCE:
                if sentence := _inference_lacks(environment):
                    found[f"{sentence} The persona {persona.name} talks through LiveKit Inference."] = None
            case Provider.NONE:
                pass
    return found


def _inference_lacks(environment: Mapping[str, str]) -> str | None:
    def unset(*names: str) -> list[str]:
        return [name for name in names if not environment.get(name, "").strip()]

    own = unset("LIVEKIT_INFERENCE_API_KEY", "LIVEKIT_INFERENCE_API_SECRET")
    if not own:
        return None
    if lacking := unset("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        return f"{' and '.join(lacking)} must be set."
    if not environment.get("LIVEKIT_URL", "").strip().rstrip("/").endswith(".livekit.cloud"):
        return f"{' and '.join(own)} must be set, as LIVEKIT_URL is no project of LiveKit Cloud, whose service this is."
    return None


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
