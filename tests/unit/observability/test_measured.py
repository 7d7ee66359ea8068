"""Measured: every call of the ports is passed on as it is, and counted with its outcome and duration."""

import inspect
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from orchestrator.observability.measured_livekit import MeasuredLiveKit
from orchestrator.observability.measured_store import MeasuredStore
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.ports import (
    LiveKit,
    LiveKitError,
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
    Pulse,
    PulseReply,
    SessionStore,
    StoreUnavailable,
)
from tests.unit.observability.test_metrics import samples


class TickingClock:
    """Every look at it is a quarter of a second later."""

    def __init__(self) -> None:
        self._at = 0.0

    def now(self) -> float:
        return self._at

    def monotonic(self) -> float:
        self._at += 0.25
        return self._at

    async def sleep(self, seconds: float) -> None:
        self._at += seconds


class Echo:
    """Any port: each method answers with its own name and what it was given, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def __getattr__(self, method: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._error:
                raise self._error
            if method == "pulse":
                return PulseReply(Pulse.SILENT, 1500.0)
            return method, args, kwargs

        return call


def methods(port: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member)
        for name, member in vars(port).items()
        if inspect.iscoroutinefunction(member) and not name.startswith("_")
    }


def arguments(signature: inspect.Signature) -> tuple[list[Any], dict[str, Any]]:
    named = list(signature.parameters.values())[1:]
    return (
        [p.name for p in named if p.kind is not p.KEYWORD_ONLY],
        {p.name: p.name for p in named if p.kind is p.KEYWORD_ONLY},
    )


@pytest.mark.parametrize("method", methods(SessionStore))
async def test_every_call_to_the_store_is_passed_on_and_measured(method: str) -> None:
    metrics = Metrics([], "1")
    store: Any = MeasuredStore(Echo(), metrics, TickingClock())
    args, kwargs = arguments(methods(SessionStore)[method])
    answer = await getattr(store, method)(*args, **kwargs)
    if answer is not None:  # some methods answer nothing
        assert answer == (method, tuple(args), kwargs)
    sums = samples(metrics, "rollcall_store_call_seconds_sum")
    assert sums == {f'rollcall_store_call_seconds_sum{{method="{method}",outcome="ok"}}': 0.25}


class Portions(Echo):
    """A store that holds sessions in two portions."""

    async def held(self) -> AsyncIterator[tuple[str, ...]]:
        yield ("RM_1", "RM_2")
        yield ("RM_3",)


async def test_what_is_held_is_passed_on_by_the_portion_and_measured_so() -> None:
    metrics = Metrics([], "1")
    store: Any = MeasuredStore(cast(SessionStore, Portions()), metrics, TickingClock())
    assert [portion async for portion in store.held()] == [("RM_1", "RM_2"), ("RM_3",)]
    assert samples(metrics, "rollcall_store_call_seconds_count") == {
        'rollcall_store_call_seconds_count{method="held",outcome="ok"}': 3.0  # the last one finds the end
    }


async def test_a_store_that_fails_is_counted_and_fails_all_the_same() -> None:
    metrics = Metrics([], "1")
    store = MeasuredStore(Echo(StoreUnavailable("down")), metrics, TickingClock())
    with pytest.raises(StoreUnavailable):
        await store.ping()
    assert samples(metrics, "rollcall_store_call_seconds_count") == {
        'rollcall_store_call_seconds_count{method="ping",outcome="unavailable"}': 1.0
    }


@pytest.mark.parametrize("method", [name for name in methods(LiveKit) if name != "pulse"])
async def test_every_call_to_livekit_is_passed_on_and_measured(method: str) -> None:
    metrics = Metrics([], "1")
    livekit: Any = MeasuredLiveKit(Echo(), metrics, TickingClock())
    args, kwargs = arguments(methods(LiveKit)[method])
    answer = await getattr(livekit, method)(*args, **kwargs)
    if answer is not None:
        assert answer == (method, tuple(args), kwargs)
    sums = samples(metrics, "rollcall_livekit_call_seconds_sum")
    assert sums == {f'rollcall_livekit_call_seconds_sum{{method="{method}",outcome="ok"}}': 0.25}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (LiveKitUnavailable("503"), "unavailable"),
        (LiveKitRejectedCredentials("401"), "rejected_credentials"),
        (LiveKitRejectedRequest("400"), "rejected_request"),
        (NotFound("404"), "not_found"),
        (LiveKitError("?"), "error"),
    ],
)
async def test_what_livekit_says_is_the_outcome(error: LiveKitError, outcome: str) -> None:
    metrics = Metrics([], "1")
    livekit = MeasuredLiveKit(Echo(error), metrics, TickingClock())
    with pytest.raises(type(error)):
        await livekit.room("support-17")
    assert samples(metrics, "rollcall_livekit_call_seconds_count") == {
        f'rollcall_livekit_call_seconds_count{{method="room",outcome="{outcome}"}}': 1.0
    }


async def test_what_a_pulse_tells_is_its_outcome() -> None:
    metrics = Metrics([], "1")
    livekit = MeasuredLiveKit(Echo(), metrics, TickingClock())
    assert await livekit.pulse("support-17", "agent-AJ_1", timeout=1.5) == PulseReply(Pulse.SILENT, 1500.0)
    assert samples(metrics, "rollcall_livekit_call_seconds_count") == {
        'rollcall_livekit_call_seconds_count{method="pulse",outcome="silent"}': 1.0
    }
