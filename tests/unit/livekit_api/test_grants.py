"""Tokens for people: what is in them, and what is not."""

import jwt
import pytest
from livekit.api.access_token import TokenVerifier

from orchestrator.core.facts import CandidateSpec
from orchestrator.livekit.grants import CARRIED_METADATA, GrantedTokens
from orchestrator.runtime.ports import Entrant
from tests.unit.livekit_api.server import KEY, SECRET

ANN = Entrant("support-17", "ann", name="Ann", metadata='{"plan": "gold"}', attributes=(("language", "en"),))


@pytest.fixture
def tokens() -> GrantedTokens:
    return GrantedTokens(KEY, SECRET, ttl=600)


def test_a_token_says_who_somebody_is_and_lets_them_into_one_room_as_a_participant(tokens: GrantedTokens) -> None:
    claims = jwt.decode(tokens.mint(ANN), SECRET, algorithms=["HS256"])
    claims["exp"] -= claims.pop("nbf")
    assert claims == {
        "iss": KEY,
        "sub": "ann",
        "exp": pytest.approx(600, abs=1),
        "name": "Ann",
        "metadata": '{"plan": "gold"}',
        "attributes": {"language": "en"},
        "video": {
            "room": "support-17",
            "roomJoin": True,
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
            "canUpdateOwnMetadata": False,
        },
    }


def test_what_nobody_has_said_is_not_in_it(tokens: GrantedTokens) -> None:
    claims = jwt.decode(tokens.mint(Entrant("r", "ann")), SECRET, algorithms=["HS256"])
    assert set(claims) == {"iss", "sub", "exp", "nbf", "video"}


def test_it_carries_the_room_s_metadata_unless_that_is_too_long_for_a_url(tokens: GrantedTokens) -> None:
    carried = TokenVerifier(KEY, SECRET).verify(tokens.mint(ANN, room_metadata="é" * (CARRIED_METADATA // 2))).room_config
    assert carried is not None
    assert carried.metadata == "é" * (CARRIED_METADATA // 2)
    too_long = TokenVerifier(KEY, SECRET).verify(tokens.mint(ANN, room_metadata="é" * CARRIED_METADATA))
    assert too_long.room_config is None


def test_it_carries_the_agents_that_livekit_is_to_dispatch_and_not_to_restart(tokens: GrantedTokens) -> None:
    agents = [CandidateSpec("", '{"a": 1}'), CandidateSpec("mary", "{}", deployment="blue", attributes=(("team", "red"),))]
    claims = jwt.decode(tokens.mint(ANN, agents=agents), SECRET, algorithms=["HS256"])
    assert claims["roomConfig"]["agents"] == [
        {"metadata": '{"a": 1}', "restartPolicy": "JRP_NEVER"},
        {
            "agentName": "mary",
            "metadata": "{}",
            "deployment": "blue",
            "attributes": {"team": "red"},
            "restartPolicy": "JRP_NEVER",
        },
    ]
