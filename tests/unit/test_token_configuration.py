"""The `token:` block of rollcall.yaml: what it allows, and what is refused at start."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.configuration.problems import ConfigurationError
from orchestrator.configuration.token import Allowed, TokenEntry
from orchestrator.settings import load_configuration
from orchestrator.settings.schema import json_schema

ROUTES = "routes: [{agents: []}]\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("rollcall.yaml")


def accepted(file: Path, block: str) -> TokenEntry:
    file.write_text(f"{ROUTES}token: {block}", encoding="utf-8")
    configuration, problems = load_configuration(file)
    assert problems == ()
    return configuration.token


def refusal(file: Path, block: str) -> str:
    file.write_text(f"{ROUTES}token: {block}", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(file)
    [problem] = caught.value.problems
    return str(problem).removeprefix("rollcall.yaml:2: ")


def test_without_a_block_a_mint_token_may_ask_for_any_room_and_any_identity_for_ten_minutes(file: Path) -> None:
    entry = accepted(file, "{}")
    assert (entry.rooms, entry.identities, entry.ttl, entry.rate, entry.hold) == ("*", None, 600, 10, 10)
    assert (entry.room_config_agents, entry.dispatch_in_token, entry.cors, entry.jwt) == (True, False, (), None)
    assert entry.identities_allowed(None).allows("anybody", None)


def test_the_block_of_the_documentation_means_what_it_says(file: Path) -> None:
    entry = accepted(
        file,
        '{server_url: "wss://lk.example", rooms: "support-*", identities: "*", room_config_agents: false, ttl: 5m,'
        ' rate: 600/m, hold: 3s, cors: ["https://App.example:443/", "capacitor://localhost", "http://localhost:3000"],'
        ' jwt: {issuer: "https://id.example", audience: rollcall, jwks_url: "https://id.example/jwks.json"}}',
    )
    assert (entry.server_url, entry.ttl, entry.rate, entry.hold) == ("wss://lk.example", 300, 10, 3)
    assert entry.cors == ("https://app.example", "capacitor://localhost", "http://localhost:3000")
    assert entry.jwt is not None
    assert entry.jwt.audience == "rollcall"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{ttl: 0s}", "token.ttl: It must be more than 0: it cannot be switched off."),
        ("{ttl: 2d}", "token.ttl: It must be less than or equal to 86400."),
        ("{hold: 31s}", "token.hold: It must be less than or equal to 30."),
        ("{rate: 0/s}", "token.rate: It must be more than 0"),
        ('{rooms: ""}', "token.rooms: It is empty and would allow nothing. Write * for all."),
        ('{rooms: "a-{team"}', "token.rooms: It has a { without a }"),
        ('{rooms: "{team}-*"}', "token.rooms: It names a claim of a JWT, and no jwt is configured. Add one"),
        ('{cors: ["*"]}', "token.cors[0]: Every page in the world could ask. List the origins"),
        ('{cors: ["app.example"]}', "token.cors[0]: It is no origin. Write scheme, host and port only"),
        ('{cors: ["https://app.example/path"]}', "token.cors[0]: It is no origin."),
        ('{cors: ["https://*.example"]}', "token.cors[0]: It is no origin."),
        ("{server_url: lk.example}", "token.server_url: It is no URL of this kind. Write it like wss://livekit.example."),
        ("{jwt: {issuer: i, audience: a}}", "token.jwt: It needs either jwks_url or secret. Write one of them."),
        ("{jwt: {issuer: i, audience: a, secret: short}}", "token.jwt.secret: The secret has 5 bytes, and HS256 needs"),
        (
            '{jwt: {issuer: i, audience: a, jwks_url: "http://id.example/jwks"}}',
            "token.jwt.jwks_url: Whoever is between could put in keys of his own. Use https.",
        ),
        ("{jwt: {issuer: i, audience: a, jwks: x}}", 'token.jwt.jwks: There is no setting "jwks" here.'),
        ("{grants: {}}", 'token.grants: There is no setting "grants" here.'),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_fix(file: Path, block: str, said: str) -> None:
    assert refusal(file, block).startswith(said)


def test_a_shared_secret_is_not_shown(file: Path) -> None:
    entry = accepted(file, f"{{jwt: {{issuer: i, audience: a, secret: {'s3cret' * 6}}}}}")
    assert "s3cret" not in repr(entry)


def test_the_schema_for_editors_knows_the_block() -> None:
    entry = json_schema()["$defs"]["TokenEntry"]
    assert set(entry["properties"]) == set(TokenEntry.model_fields)
    assert not entry["additionalProperties"]


# --- patterns with claims -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "claims", "allowed"),
    [
        ("*", "anything", {}, True),
        ("team-{team}-*", "team-red-1", {"team": "red"}, True),
        ("team-{team}-*", "team-blue-1", {"team": "red"}, False),
        ("team-{team}-*", "team-redder-1", {"team": "red"}, False),
        ("team-{team}-*", "team-red-1", {}, False),
        ("team-{team}-*", "team--1", {"team": ""}, False),
        ("team-{team}-*", "team-True-1", {"team": True}, False),
        ("team-{team}-*", "team-['red']-1", {"team": ["red"]}, False),
        ("team-{team}-*", "team-7-1", {"team": 7}, True),
        ("{https://example.com/team}-*", "red-1", {"https://example.com/team": "red"}, True),
        ("[{]sub[}]", "{sub}", {"sub": "x"}, True),
        ("[{sub}]", "x", {"sub": "x"}, False),
    ],
)
def test_a_claim_stands_for_what_it_holds(pattern: str, name: str, claims: dict[str, object], *, allowed: bool) -> None:
    assert Allowed(pattern).allows(name, claims) is allowed


@pytest.mark.parametrize("claim", ["*", "?", "[a-z]", "{x}", "a*", "]", "[", "}", "[!x]"])
def test_no_claim_is_a_pattern(claim: str) -> None:
    allowed = Allowed("team-{team}-*")
    assert allowed.allows(f"team-{claim}-1", {"team": claim})
    assert not allowed.allows("team-b-1", {"team": claim})
    assert not allowed.allows("team-ab-1", {"team": claim})


@given(st.text(min_size=1))
def test_whatever_a_claim_holds_it_allows_itself_and_nothing_else(claim: str) -> None:
    assert Allowed("{sub}").allows(claim, {"sub": claim})
    assert not Allowed("{sub}").allows(f"{claim}x", {"sub": claim})


def test_to_a_mint_token_a_claim_stands_for_any_text() -> None:
    assert Allowed("team-{team}-*").allows("team-red-1", None)
    assert not Allowed("team-{team}-*").allows("team--1", None)


@pytest.mark.parametrize(
    ("pattern", "claims", "example"),
    [
        ("*", None, "xyz"),
        ("room-*", None, "room-xyz"),
        ("team-{team}-*", None, "team-xyz-xyz"),
        ("team-{team}-*", {"team": "red"}, "team-red-xyz"),
        ("{sub}", {"sub": "ann*"}, "ann*"),
        ("team-{team}-*", {}, None),
        ("room-[0-9]", None, None),
        ("room-?", None, None),
        ("lobby", None, "lobby"),
    ],
)
def test_a_name_can_be_made_where_a_pattern_says_how(
    pattern: str, claims: dict[str, object] | None, example: str | None
) -> None:
    assert Allowed(pattern).example("xyz", claims) == example
