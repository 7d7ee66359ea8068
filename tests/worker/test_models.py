"""Which models a persona gets, as livekit-agents takes them."""

from __future__ import annotations

import pytest
from livekit.agents import inference
from livekit.plugins import openai

from worker.models import Names, models_of, names_of
from worker.personas import Models, Persona, Provider
from worker.settings import ModelSettings

KEYS = {"OPENAI_API_KEY": "sk-1", "LLAMA_KEY": "sk-2"}


def persona(models: Models, *, voice: str | dict[Provider, str] | None = None, language: str | None = None) -> Persona:
    return Persona(name="p", instructions="i", models=models, voice=voice, language=language)


def test_without_a_provider_there_are_no_models() -> None:
    assert models_of(persona(Models()), ModelSettings(Provider.NONE)) == {}
    assert models_of(persona(Models(Provider.NONE)), ModelSettings(Provider.OPENAI, keys=KEYS)) == {}


async def test_openai_s_models_go_to_the_server_and_with_the_key_that_the_persona_names() -> None:
    own = persona(
        Models(Provider.OPENAI, llm="llama", base_url="http://127.0.0.1:1/v1", key_from="LLAMA_KEY"), language="de-AT"
    )
    models = models_of(own, ModelSettings(Provider.OPENAI, base_url="http://127.0.0.1:2/v1", keys=KEYS))
    assert isinstance(models["stt"], openai.STT)
    assert isinstance(models["llm"], openai.LLM)
    assert isinstance(models["tts"], openai.TTS)
    for model in (models["stt"], models["llm"], models["tts"]):
        assert (str(model._client.base_url), model._client.api_key) == ("http://127.0.0.1:1/v1/", "sk-2")
    assert (models["llm"].model, models["stt"]._opts.languages) == ("llama", ["de"])


async def test_a_persona_that_names_no_language_is_understood_in_any() -> None:
    models = models_of(persona(Models(Provider.OPENAI)), ModelSettings(Provider.OPENAI, keys=KEYS))
    assert isinstance(models["stt"], openai.STT)
    assert (models["stt"]._opts.detect_language, models["stt"]._opts.languages) == (True, [])


async def test_realtime_is_one_model_that_hears_and_speaks() -> None:
    models = models_of(
        persona(Models(Provider.REALTIME, base_url="http://127.0.0.1:1/v1"), voice="cedar"),
        ModelSettings(Provider.NONE, keys=KEYS),
    )
    assert (models["stt"], models["tts"]) == (None, None)
    assert isinstance(models["llm"], openai.realtime.RealtimeModel)
    assert (models["llm"].model, models["llm"]._opts.voice) == ("gpt-realtime", "cedar")


async def test_inference_takes_livekit_s_strings_with_their_language_and_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "secret-of-more-than-thirty-two-characters")
    own = persona(
        Models(Provider.INFERENCE, stt="deepgram/nova-3:de", llm="openai/gpt-5-mini", tts="cartesia/sonic-3:some-voice")
    )
    models = models_of(own, ModelSettings(Provider.NONE))
    assert isinstance(models["stt"], inference.STT)
    assert isinstance(models["tts"], inference.TTS)
    assert isinstance(models["llm"], inference.LLM)
    assert (models["stt"].model, str(models["stt"]._opts.language)) == ("deepgram/nova-3", "de")
    assert (models["llm"].model, models["tts"].model, models["tts"]._opts.voice) == (
        "openai/gpt-5-mini",
        "cartesia/sonic-3",
        "some-voice",
    )


def test_what_the_persona_does_not_say_is_the_worker_s_setting_and_else_what_is_usual() -> None:
    settings = ModelSettings(Provider.OPENAI, llm="llama", voice="amy")
    assert names_of(persona(Models()), settings) == Names("gpt-4o-mini-transcribe", "llama", "gpt-4o-mini-tts", "amy")
    assert names_of(persona(Models(llm="own"), voice="sage"), settings).llm == "own"
    assert names_of(persona(Models(), voice="sage"), settings).voice == "sage"


def test_the_worker_s_models_are_of_its_own_provider_and_mean_nothing_to_another() -> None:
    settings = ModelSettings(Provider.OPENAI, llm="llama", voice="amy")
    assert names_of(persona(Models(Provider.REALTIME)), settings) == Names("", "gpt-realtime", "", "marin")


def test_a_voice_may_be_named_for_each_provider() -> None:
    voices = {Provider.OPENAI: "echo", Provider.REALTIME: "cedar"}
    assert names_of(persona(Models(Provider.REALTIME), voice=voices), ModelSettings(Provider.NONE)).voice == "cedar"
    assert names_of(persona(Models(Provider.INFERENCE), voice=voices), ModelSettings(Provider.NONE)).voice is None
