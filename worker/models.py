"""The models of a persona, as livekit-agents takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from livekit.agents import NOT_GIVEN, inference, llm, stt, tts
from livekit.plugins import openai

from worker.personas import Persona, Provider
from worker.settings import OPENAI_KEY, ModelSettings


@dataclass(frozen=True, slots=True)
class Names:
    """Which models, and in whose voice."""

    stt: str
    llm: str
    tts: str
    voice: str | None
    """None: the model's own."""


_USUAL = {
    Provider.INFERENCE: Names(stt="deepgram/nova-3", llm="openai/gpt-5-mini", tts="cartesia/sonic-3", voice=None),
    Provider.OPENAI: Names(stt="gpt-4o-mini-transcribe", llm="gpt-4.1-mini", tts="gpt-4o-mini-tts", voice="coral"),
    Provider.REALTIME: Names(stt="", llm="gpt-realtime", tts="", voice="marin"),
}


class Models(TypedDict, total=False):
    """Arguments of a livekit-agents Agent; what is left out there is not: a persona's agent never borrows a model."""

    stt: stt.STT[str] | None
    llm: llm.LLM[str] | llm.RealtimeModel
    tts: tts.TTS[str] | None


def names_of(persona: Persona, settings: ModelSettings) -> Names:
    """What the persona says; else the worker's settings, which are for their own provider only; else what is usual."""
    provider = settings.provider_of(persona)
    own, usual = persona.models, _USUAL[provider]
    general = settings if provider is settings.provider else ModelSettings(provider)
    return Names(
        stt=own.stt or general.stt or usual.stt,
        llm=own.llm or general.llm or usual.llm,
        tts=own.tts or general.tts or usual.tts,
        voice=_voice(persona, provider) or general.voice or usual.voice,
    )


def models_of(persona: Persona, settings: ModelSettings) -> Models:
    """The persona's models; none if its provider is `none`."""
    provider = settings.provider_of(persona)
    if provider is Provider.NONE:
        return Models()
    names = names_of(persona, settings)
    voice, language = names.voice or NOT_GIVEN, persona.language or NOT_GIVEN
    if provider is Provider.INFERENCE:
        # A model's name may carry its language or voice after a colon, as LiveKit writes it; said apart, it counts more.
        hearing, _, spoken = names.stt.partition(":")
        speaking, _, sound = names.tts.partition(":")
        return Models(
            stt=inference.STT(hearing, language=language or spoken or NOT_GIVEN),
            llm=inference.LLM(names.llm),
            tts=inference.TTS(speaking, voice=voice or sound or NOT_GIVEN, language=language),
        )
    key = settings.keys[persona.models.key_from or OPENAI_KEY]
    url = persona.models.base_url or settings.base_url or NOT_GIVEN
    if provider is Provider.REALTIME:
        return Models(
            stt=None,
            llm=openai.realtime.RealtimeModel(model=names.llm, voice=names.voice or "", api_key=key, base_url=url),
            tts=None,
        )
    return Models(
        stt=openai.STT(
            model=names.stt,
            # Its model takes the language alone, without the region.
            language=(persona.language or "en").partition("-")[0],
            detect_language=persona.language is None,
            api_key=key,
            base_url=url,
        ),
        llm=openai.LLM(model=names.llm, api_key=key, base_url=url),
        # Uncompressed: no decoder between the service's first byte and the first sound.
        tts=openai.TTS(model=names.tts, voice=names.voice or "", response_format="pcm", api_key=key, base_url=url),
    )


def _voice(persona: Persona, provider: Provider) -> str | None:
    return persona.voice if persona.voice is None or isinstance(persona.voice, str) else persona.voice.get(provider)
