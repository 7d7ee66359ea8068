"""What LiveKit's answer to a signed question says about key, secret and clock."""

import pytest

from orchestrator.doctor.findings import Finding
from orchestrator.doctor.key_pair import Answer, clock_finding, judged

KEY, SECRET = "APIkey", "a-secret-of-at-least-32-characters"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJBUElrZXkifQ.c2lnbmF0dXJl"


def finding(body: str, *, status: int = 401, ahead: float | None = 0.0, key: str = KEY, secret: str = SECRET) -> Finding:
    return judged(Answer(status, body, ahead), key, secret)


def test_a_pair_that_is_taken_is_right() -> None:
    assert finding('{"rooms":[]}', status=200).status == "ok"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("invalid API key: APIkey", 'it has no API key "APIkey"'),
        (f"invalid token: {TOKEN}, error: token signature is invalid: signature is invalid", "but with another secret"),
        (f"invalid token: {TOKEN}, error: token is not valid yet", "nbf lies in its future"),
        (f"invalid token: {TOKEN}, error: token is expired", "out of date by its clock"),
        ('{"code":"unauthenticated","msg":"permissions denied"}', "denies this key the right to list rooms"),
        ("", "does not say why: it knows no API key"),
    ],
)
def test_a_401_is_explained_as_far_as_the_server_tells_and_never_shows_token_or_secret(body: str, says: str) -> None:
    found = finding(body)

    assert (found.status, says in found.message) == ("failed", True), found.message
    assert found.fix
    assert TOKEN not in repr(found)
    assert SECRET not in repr(found)


@pytest.mark.parametrize("ahead", [61.0, -700.0])
def test_clocks_that_are_apart_explain_a_401_that_says_nothing(ahead: float) -> None:
    assert f"{abs(ahead):.0f} s" in finding("", ahead=ahead).message
    assert "NTP" in finding("", ahead=ahead).fix


def test_clocks_that_are_apart_by_less_than_the_leeway_explain_nothing() -> None:
    assert "or the key has another secret" in finding("", ahead=59.0).message
    assert "or the key has another secret" in finding("", ahead=-500.0).message


@pytest.mark.parametrize(
    ("key", "secret", "hint"),
    [
        (KEY, f'"{SECRET}"', "LIVEKIT_API_SECRET begins or ends with a quote"),
        (f"{KEY}\n", SECRET, "LIVEKIT_API_KEY begins or ends with a quote or a blank"),
        (SECRET, "APIkeyAPIkey", "exchange LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
    ],
)
def test_a_pair_whose_form_is_wrong_is_known_by_it(key: str, secret: str, hint: str) -> None:
    assert hint in finding("", key=key, secret=secret).fix


def test_an_answer_that_is_no_refusal_says_nothing_about_the_pair() -> None:
    assert "LiveKit answers 503" in finding("upstream", status=503).message


@pytest.mark.parametrize(
    ("ahead", "status"),
    [(None, "skipped"), (0.4, "ok"), (-9.0, "ok"), (30.0, "warning"), (-300.0, "warning"), (61.0, "failed")],
)
def test_the_clock_is_judged_by_what_livekit_refuses(ahead: float | None, status: str) -> None:
    assert clock_finding(ahead).status == status
