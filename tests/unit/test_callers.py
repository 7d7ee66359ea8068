"""By what workers and commands find a running service."""

from pathlib import Path

import pytest

from orchestrator.configuration.environment import CALLERS, service_token, service_url
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.settings import Settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CALLERS:
        monkeypatch.delenv(name, raising=False)


def test_what_is_not_set_or_empty_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", " ")

    assert (service_url(), service_token()) == (None, None)


def test_the_token_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("read-token\n")
    monkeypatch.setenv("ROLLCALL_API_TOKEN_FILE", str(tmp_path / "token"))

    token = service_token()

    assert token is not None
    assert token.get_secret_value() == "read-token"
    assert "read-token" not in repr(token)


def test_a_file_that_is_not_there_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_API_TOKEN_FILE", "/nope")

    with pytest.raises(ConfigurationError, match="ROLLCALL_API_TOKEN_FILE: /nope cannot be read"):
        service_token()


def test_a_caller_s_variables_are_no_mistyped_settings_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CALLERS:
        monkeypatch.setenv(name, "x")

    assert [problem.where for problem in Settings.environment_source().mistyped() if problem.where in CALLERS] == []
