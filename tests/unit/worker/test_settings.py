"""What the worker's environment may say."""

import pytest

from worker.settings import OpenAI, Settings, SettingsError


def test_an_empty_environment_gives_the_health_port_of_livekit_agents_and_no_model() -> None:
    assert Settings.from_environment({}) == Settings(host="", port=8081, jobs=None, room_metadata_wait=1.0, openai=None)


def test_the_number_of_jobs_is_unlimited_unless_it_is_set() -> None:
    assert Settings.from_environment({"ROLLCALL_WORKER_JOBS": "4"}).jobs == 4
    assert Settings.from_environment({"ROLLCALL_WORKER_JOBS": "0"}).jobs is None


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_no_key(key: str) -> None:
    """Compose files pass on variables that nobody set."""
    assert Settings.from_environment({"OPENAI_API_KEY": key}).openai is None


def test_a_compatible_server_has_its_own_address_and_models() -> None:
    environment = {
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1",
        "ROLLCALL_WORKER_LLM": "llama",
        "ROLLCALL_WORKER_STT": "whisper",
        "ROLLCALL_WORKER_TTS": "piper",
        "ROLLCALL_WORKER_VOICE": "amy",
    }
    assert Settings.from_environment(environment).openai == OpenAI(
        api_key="key", base_url="http://127.0.0.1:8000/v1", llm="llama", stt="whisper", tts="piper", voice="amy"
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("ROLLCALL_WORKER_PORT", "http"),
        ("ROLLCALL_WORKER_PORT", "80.5"),
        ("ROLLCALL_WORKER_PORT", "-1"),
        ("ROLLCALL_WORKER_ROOM_METADATA_WAIT", "soon"),
        ("ROLLCALL_WORKER_ROOM_METADATA_WAIT", "nan"),
        ("ROLLCALL_WORKER_ROOM_METADATA_WAIT", "inf"),
    ],
)
def test_a_number_that_is_none_is_refused_by_name(name: str, written: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: written})
