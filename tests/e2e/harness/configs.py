"""The rollcall.yaml of a scenario, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.e2e.harness.alerts import AlertSink

Config = dict[str, object]

QUICK: Mapping[str, object] = {"attempts": 1, "keep_trying": "8s"}
"""A policy that gives up after one attempt, and goes on every few seconds: for tests of what follows."""


def config(
    *agents: str,
    policy: Mapping[str, object] | None = None,
    sink: AlertSink | None = None,
    metadata: Mapping[str, object] | None = None,
    fallback: Sequence[str] = (),
    rooms: str | None = None,
) -> Config:
    """These agents in every room (or in those of the pattern `rooms`), all under one policy."""
    entry = {"policy": dict(policy or {}), "fallback": list(fallback)}
    route: dict[str, object] = {"agents": list(agents), "metadata": dict(metadata or {})}
    if rooms is not None:
        route["room"] = rooms
    return {
        "agents": {**dict.fromkeys(agents, entry), **{name: {} for name in fallback}},
        "routes": [route],
        "alerts": sink.config() if sink else [],
    }
