"""What the worker's environment may say."""

from pathlib import Path

import pytest

from worker.personas import Provider
from worker.settings import ModelSettings, Settings, SettingsError

CLOUD = {"LIVEKIT_URL": "wss://shop.livekit.cloud", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"}


def test_an_empty_environment_gives_the_health_port_of_livekit_agents_and_the_shipped_personas_without_a_model() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.prometheus_port, settings.jobs) == ("", 8081, None, None)
    assert (settings.room_metadata_wait, settings.room_pattern) == (1.0, None)
    assert settings.models == ModelSettings(Provider.NONE)
    assert (settings.personas.names, settings.personas.default.name) == (("mary", "tom"), "mary")


def test_the_shipped_mary_knows_her_name_and_finds_her_opening_hours() -> None:
    mary = Settings.from_environment({}).personas.default
    assert mary.instructions.startswith("You are Mary")
    assert mary.knowledge.search("When are you open on Saturday?")[0].title == "Opening hours"


def test_the_number_of_jobs_is_unlimited_unless_it_is_set() -> None:
    assert Settings.from_environment({"ROLLCALL_WORKER_JOBS": "4"}).jobs == 4
    assert Settings.from_environment({"ROLLCALL_WORKER_JOBS": "0"}).jobs is None


def test_metrics_are_served_where_a_port_is_named() -> None:
    assert Settings.from_environment({"ROLLCALL_WORKER_PROMETHEUS_PORT": "9100"}).prometheus_port == 9100


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_no_key(key: str) -> None:
    """Compose files pass on variables that nobody set."""
    assert Settings.from_environment({"OPENAI_API_KEY": key}).models.provider is Provider.NONE


def test_a_compatible_server_has_its_own_address_and_models() -> None:
    environment = {
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1",
        "ROLLCALL_WORKER_LLM": "llama",
        "ROLLCALL_WORKER_STT": "whisper",
        "ROLLCALL_WORKER_TTS": "piper",
        "ROLLCALL_WORKER_VOICE": "amy",
    }
    assert Settings.from_environment(environment).models == ModelSettings(
        Provider.OPENAI,
        base_url="http://127.0.0.1:8000/v1",
        llm="llama",
        stt="whisper",
        tts="piper",
        voice="amy",
        keys={"OPENAI_API_KEY": "key"},
    )


def test_no_key_is_shown() -> None:
    assert "sk-of-somebody" not in repr(Settings.from_environment({"OPENAI_API_KEY": "sk-of-somebody"}))


def test_the_provider_may_be_chosen_for_all() -> None:
    settings = Settings.from_environment({"OPENAI_API_KEY": "key", "ROLLCALL_WORKER_MODELS": "realtime"})
    assert settings.models.provider_of(settings.personas.default) is Provider.REALTIME
    assert Settings.from_environment({**CLOUD, "ROLLCALL_WORKER_MODELS": "inference"}).models.provider is Provider.INFERENCE
    with pytest.raises(SettingsError, match="ROLLCALL_WORKER_MODELS must be one of inference, openai, realtime, none"):
        Settings.from_environment({"ROLLCALL_WORKER_MODELS": "gpt"})


def personas(directory: Path, *models: str) -> dict[str, str]:
    entries = "".join(
        f"  p{number}: {{instructions: You are P., models: {written}}}\n" for number, written in enumerate(models)
    )
    file = directory / "personas.yaml"
    file.write_text(f"default: p0\npersonas:\n{entries}")
    return {"ROLLCALL_WORKER_PERSONAS": str(file)}


def test_what_the_models_of_any_persona_lack_is_said_at_the_start_in_a_sentence_each(tmp_path: Path) -> None:
    environment = personas(
        tmp_path, "{provider: openai}", "{provider: inference}", "{provider: realtime, key_from: MY_KEY}", "{provider: none}"
    )
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(environment)
    assert str(refused.value).splitlines() == [
        "OPENAI_API_KEY is not set, and the persona p0 talks through the provider openai: set it.",
        "LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set. The persona p1 talks through LiveKit Inference.",
        "MY_KEY is not set, and the persona p2 talks through the provider realtime: set it.",
    ]


def test_inference_is_a_service_of_the_cloud_and_a_server_s_own_key_does_not_open_it(tmp_path: Path) -> None:
    environment = {**personas(tmp_path, "{provider: inference}"), **CLOUD}
    assert Settings.from_environment(environment).models.provider is Provider.NONE
    own = {**environment, "LIVEKIT_URL": "ws://localhost:7880"}
    with pytest.raises(SettingsError, match="LIVEKIT_INFERENCE_API_KEY and LIVEKIT_INFERENCE_API_SECRET must be set"):
        Settings.from_environment(own)
    Settings.from_environment({**own, "LIVEKIT_INFERENCE_API_KEY": "key", "LIVEKIT_INFERENCE_API_SECRET": "secret"})


def test_a_file_that_is_not_there_is_named_with_the_variable_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml: cannot be read .*ROLLCALL_WORKER_PERSONAS"):
        Settings.from_environment({"ROLLCALL_WORKER_PERSONAS": str(tmp_path / "absent.yaml")})


def test_the_pattern_of_room_names_is_checked() -> None:
    pattern = Settings.from_environment({"ROLLCALL_WORKER_ROOM_PATTERN": "support-{team}-*"}).room_pattern
    assert pattern is not None
    assert pattern.parts("support-blue-1") == {"team": "blue"}
    with pytest.raises(SettingsError, match="ROLLCALL_WORKER_ROOM_PATTERN: "):
        Settings.from_environment({"ROLLCALL_WORKER_ROOM_PATTERN": "{a}{b}"})


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("ROLLCALL_WORKER_PORT", "http"),
        ("ROLLCALL_WORKER_PORT", "80.5"),
        ("ROLLCALL_WORKER_PORT", "-1"),
        ("ROLLCALL_WORKER_PROMETHEUS_PORT", "metrics"),
        ("ROLLCALL_WORKER_ROOM_METADATA_WAIT", "soon"),
        ("ROLLCALL_WORKER_ROOM_METADATA_WAIT", "nan"),
        ("ROLLCALL_WORKER_ROOM_METADATA_WAIT", "inf"),
    ],
)
def test_a_number_that_is_none_is_refused_by_name(name: str, written: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: written})
