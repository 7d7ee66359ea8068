"""Settings: where they come from, what they are by default, and that no start goes wrong in silence or shows a secret."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.configuration.credentials import Scope
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.configuration.values import duration, rate, size
from orchestrator.core.policy import Policy
from orchestrator.settings import Configuration, Settings, load_settings

SECRET = "hunter2-and-more-than-enough-characters"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and nothing of ours in the environment but what LiveKit needs."""
    monkeypatch.chdir(tmp_path)
    for name in Configuration.model_fields:
        for variable in (name.upper(), f"{name.upper()}_FILE", f"ROLLCALL_{name.upper()}", f"ROLLCALL_{name.upper()}_FILE"):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LIVEKIT_URL", "wss://livekit.example")
    monkeypatch.setenv("LIVEKIT_API_KEY", "APIkey")
    monkeypatch.setenv("LIVEKIT_API_SECRET", SECRET)
    return tmp_path


def refusal(**flags: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(flags)
    return str(caught.value)


# --- where they come from ----------------------------------------------------------------------------------------------


def test_flags_count_more_than_variables_and_variables_more_than_the_file(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / "rollcall.yaml").write_text("host: file\nport: 1\npulse_timeout: 1s\nredis_url: redis://file\n")
    monkeypatch.setenv("ROLLCALL_HOST", "variable")
    monkeypatch.setenv("ROLLCALL_PORT", "2")

    settings = load_settings({"host": "flag", "port": None})

    assert (settings.host, settings.port, settings.pulse_timeout) == ("flag", 2, 1.0)
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "redis://file"


def test_the_file_is_the_one_that_a_flag_or_else_a_variable_names(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, port in (("rollcall.yaml", 1), ("variable.yaml", 2), ("flag.yaml", 3)):
        (nowhere / name).write_text(f"port: {port}")

    assert load_settings().port == 1
    monkeypatch.setenv("ROLLCALL_CONFIG", "variable.yaml")
    assert load_settings().port == 2
    assert load_settings({"config": Path("flag.yaml")}).port == 3


def test_without_the_default_file_the_defaults_hold_and_a_note_says_that_there_are_no_routes() -> None:
    settings = load_settings()

    assert settings.port == 8080
    assert any("There are no routes" in note for note in settings.notes)


def test_a_file_that_is_named_and_not_there_is_refused() -> None:
    assert refusal(config=Path("nope.yaml")) == (
        "nope.yaml: There is no such file. Name the file that you mean, or set ROLLCALL_CONFIG to it."
    )


@pytest.mark.parametrize("name", ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "REDIS_URL", "ROLLCALL_API_TOKENS"])
def test_a_secret_may_be_in_a_file_that_a_variable_names(name: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"REDIS_URL": f"redis://:{SECRET}@x", "ROLLCALL_API_TOKENS": f"read:{SECRET}"}.get(name, SECRET)
    (nowhere / "secret").write_text(f"{text}\n")
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", "secret")

    settings = load_settings()

    value = getattr(settings, name.removeprefix("ROLLCALL_").lower())
    if name == "ROLLCALL_API_TOKENS":
        value = value[0].token
    assert SECRET in (value if isinstance(value, str) else value.get_secret_value())


def test_a_secret_given_twice_is_refused_because_nobody_can_tell_which_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET_FILE", "secret")

    assert refusal().startswith("environment variable LIVEKIT_API_SECRET_FILE: LIVEKIT_API_SECRET is set, too")


def test_a_secrets_file_that_cannot_be_read_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVEKIT_API_SECRET")
    monkeypatch.setenv("LIVEKIT_API_SECRET_FILE", "/nope")

    assert refusal() == (
        "environment variable LIVEKIT_API_SECRET_FILE: /nope cannot be read: No such file or directory. Name a file that can."
    )


def test_a_dotenv_file_is_not_read(nowhere: Path) -> None:
    (nowhere / ".env").write_text("ROLLCALL_PORT=1\n")

    assert load_settings().port == 8080


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("ROLLCALL_PORT", "  ")

    settings = load_settings()

    assert (settings.redis_url, settings.port) == (None, 8080)


def test_what_kubernetes_says_of_a_service_called_rollcall_is_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_PORT", "tcp://10.0.0.7:8080")
    monkeypatch.setenv("ROLLCALL_SERVICE_PORT", "8080")
    monkeypatch.setenv("ROLLCALL_PORT_8080_TCP", "tcp://10.0.0.7:8080")

    settings = load_settings()

    assert settings.port == 8080
    assert not any("There is no such setting" in note for note in settings.notes)


def test_a_mistyped_variable_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_PULS_PERIOD", "5s")

    note = "ROLLCALL_PULS_PERIOD: There is no such setting. Did you mean ROLLCALL_PULSE_PERIOD?"
    assert note in load_settings().notes


# --- what they are -----------------------------------------------------------------------------------------------------


def test_the_default_policy_is_the_cores() -> None:
    assert load_settings().default_policy == Policy()


def test_on_livekit_cloud_the_defaults_are_gentler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "wss://project.livekit.cloud")

    settings = load_settings()

    assert settings.cloud
    assert (settings.pulse_period, settings.api_budget, settings.accept_window) == (30.0, 10.0, 0.0)


@pytest.mark.parametrize("url", ["wss://livekit.cloud.example", "wss://notlivekit.cloud", "ws://127.0.0.1:7880"])
def test_elsewhere_the_defaults_are_those_of_a_server_of_ones_own(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", url)

    settings = load_settings()

    assert not settings.cloud
    assert (settings.pulse_period, settings.api_budget, settings.accept_window) == (3.0, 200.0, 6.0)


def test_what_is_set_counts_on_livekit_cloud_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "wss://project.livekit.cloud")
    monkeypatch.setenv("ROLLCALL_PULSE_PERIOD", "5s")

    assert load_settings().pulse_period == 5.0


@pytest.mark.parametrize("dev", ["1", "true", "yes"])
def test_for_development_it_listens_on_this_machine_alone(dev: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().host == "0.0.0.0"
    assert load_settings({"dev": True}).host == "127.0.0.1"
    monkeypatch.setenv("ROLLCALL_DEV", dev)
    assert load_settings().host == "127.0.0.1"
    assert load_settings({"host": "::1"}).host == "::1"


def test_the_state_is_kept_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert load_settings().state_dir == Path("/xdg/rollcall")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert load_settings().state_dir == Path.home() / ".local" / "state" / "rollcall"
    assert load_settings({"state_dir": Path("~/here")}).state_dir == Path.home() / "here"


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ({}, "http://localhost:8080"),
        ({"host": "::1", "port": 80}, "http://[::1]:80"),
        ({"public_url": "https://rollcall.example/"}, "https://rollcall.example"),
    ],
)
def test_links_begin_with_the_address_that_people_reach(flags: dict[str, Any], url: str) -> None:
    assert load_settings(flags).base_url == url


def test_api_tokens_are_read_by_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_API_TOKENS", "read:a:b, operate:c,read:d,")

    tokens = load_settings().api_tokens

    assert [(token.scope, token.token.get_secret_value()) for token in tokens] == [
        (Scope.READ, "a:b"),
        (Scope.OPERATE, "c"),
        (Scope.READ, "d"),
    ]


def test_the_webhooks_of_every_key_are_accepted(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text(f"keys: [{{key: APIold, secret: {'x' * 32}}}]")

    assert load_settings().webhook_secrets() == {"APIkey": SECRET, "APIold": "x" * 32}


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


# --- what is refused ---------------------------------------------------------------------------------------------------


def test_what_is_missing_is_said_at_once_with_where_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "")

    assert refusal().splitlines() == [
        f"{name.lower()}: It is not set, or empty. Set the environment variable {name}, or {name.lower()} in rollcall.yaml."
        for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    ]


def test_a_short_secret_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET", "hunter2")

    for flags in ({}, {"dev": True}):
        assert refusal(**flags) == (
            "environment variable LIVEKIT_API_SECRET: The secret has 7 characters, and needs at least 32. "
            "Make one with `openssl rand -hex 32`, and give the same to livekit-server."
        )


def test_the_pair_that_everybody_knows_is_for_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "devkey")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "secret")

    assert load_settings({"dev": True}).livekit_api_key == "devkey"
    assert "everybody knows them. Set a secret of at least 32 characters, or add --dev" in refusal()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("LIVEKIT_URL", "livekit.example", "It is no URL of this kind. Write it like wss://livekit.example."),
        ("LIVEKIT_URL", "wss://", "It is no URL of this kind. Write it like wss://livekit.example."),
        ("REDIS_URL", "http://redis", "It is no URL of this kind. Write it like redis://redis.example:6379/0."),
        ("ROLLCALL_PORT", "http", "It must be a whole number."),
        ("ROLLCALL_PULSE_PERIOD", "soon", '"soon" is no duration. Write a number with ms, s, m, h or d, such as 6s or 1.5s.'),
        ("ROLLCALL_API_BUDGET", "fast", '"fast" is no rate. Write a number per s, m or h, such as 200/s.'),
        ("ROLLCALL_WEBHOOK_BODY_LIMIT", "big", '"big" is no size. '),
        ("ROLLCALL_WEBHOOK_LEEWAY", "2m", "It must be less than or equal to 60."),
        ("ROLLCALL_LOG_LEVEL", "loud", "It must be 'debug', 'info', 'warning' or 'error'."),
        ("ROLLCALL_API_TOKENS", "hunter2", "A token lacks its scope. Write it as read:<token>."),
        ("ROLLCALL_API_TOKENS", "raed:hunter2", 'A token has no scope that exists. Did you mean "read"? '),
        ("ROLLCALL_API_TOKENS", "read:", "The token of scope read is empty. Write read:<token>."),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused_by_name(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    said = refusal()

    assert said.startswith(f"environment variable {variable}: {message}")
    assert "hunter2" not in said


def test_a_flag_that_cannot_be_meant_is_refused_by_name() -> None:
    assert refusal(port=70_000) == "--port: It must be less than or equal to 65535."


# --- what is noted -----------------------------------------------------------------------------------------------------


def test_without_tokens_a_note_says_that_everybody_gets_401(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any("No API tokens are set" in note for note in load_settings().notes)
    assert not any("No API tokens are set" in note for note in load_settings({"dev": True}).notes)
    monkeypatch.setenv("ROLLCALL_API_TOKENS", f"read:{SECRET}")
    assert not any("No API tokens are set" in note for note in load_settings().notes)


def test_a_token_that_can_be_guessed_is_noted_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_API_TOKENS", "read:hunter2")

    [note] = [note for note in load_settings().notes if "can be guessed" in note]

    assert "hunter2" not in note


def test_an_open_door_for_development_is_noted() -> None:
    assert any("can be reached from other machines" in note for note in load_settings({"dev": True, "host": "0.0.0.0"}).notes)
    assert not any("can be reached from other machines" in note for note in load_settings({"dev": True}).notes)


def test_secrets_are_not_shown_by_printing_the_settings(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@redis")
    monkeypatch.setenv("ROLLCALL_API_TOKENS", f"read:{SECRET}")
    (nowhere / "rollcall.yaml").write_text(
        f"keys: [{{key: old, secret: {SECRET}}}]\n"
        'alerts: [{webhook: {url: "https://x", secret: "whsec_aHVudGVyMi1hbmQtbW9yZS10aGFuLWVub3VnaA=="}}]'
    )

    shown = repr(load_settings()) + str(load_settings())

    assert "hunter2" not in shown
    assert "aHVudGVy" not in shown


# --- how values are written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("6s", 6),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        ("2m", 120),
        ("1h", 3600),
        ("1d", 86_400),
        ("7", 7),
        (7, 7),
        (0.5, 0.5),
        ("0s", 0),
    ],
)
def test_durations_become_seconds(written: object, seconds: float) -> None:
    assert duration(written) == seconds


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.integers())))
def test_no_duration_is_negative_or_endless_or_raises_anything_but_a_value_error(written: object) -> None:
    try:
        seconds = duration(written)
    except ValueError:
        return
    assert 0 <= seconds < float("inf")


def test_rates_become_calls_a_second_and_sizes_bytes() -> None:
    assert [rate(written) for written in ("200/s", "600/m", 5)] == [200.0, 10.0, 5.0]
    assert [size(written) for written in ("64KiB", "1MiB", 100, "100")] == [65_536, 1_048_576, 100, 100]


def test_the_settings_of_the_design_table_are_these() -> None:
    """The numbers that other software and people's expectations were built on."""
    settings = load_settings()
    expected = {
        "accept_window": 6, "join_window": 15, "attempts": 6, "deadline": 90, "keep_trying": 60, "goodbye_grace": 15,
        "pulse_period": 3, "pulse_timeout": 1.5, "pulse_silences": 3, "pulse_patience": 7, "reconcile_period": 15,
        "late_webhooks": 5, "late_webhooks_look": 2, "webhook_body_limit": 262_144, "webhook_body_timeout": 5,
        "webhook_token_lifetime": 360, "webhook_leeway": 60, "dedupe_memory": 86_400, "session_memory": 86_400,
        "metadata_warning": 4_096, "metadata_limit": 65_536, "slots_start": 4, "slots_floor": 2, "slots_ceiling": 64,
        "api_timeout": 5, "api_budget": 200, "lease_ttl": 10, "lease_renewal": 2.5, "lease_fence": 6.5,
    }  # fmt: skip

    assert {name: getattr(settings, name) for name in expected} == expected
