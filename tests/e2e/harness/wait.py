"""Waiting for a condition, never for a time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")


class NotInTime(AssertionError):
    """A condition did not come true; the message says which, and what was seen last."""


@overload
async def wait_until(
    predicate: Callable[[], Awaitable[T | None]], *, timeout: float = ..., description: str, every: float = ...
) -> T: ...
@overload
async def wait_until(predicate: Callable[[], T | None], *, timeout: float = ..., description: str, every: float = ...) -> T: ...
async def wait_until(
    predicate: Callable[[], object], *, timeout: float = 10.0, description: str, every: float = 0.05
) -> object:
    """The first true answer of `predicate`, asked every `every` seconds; NotInTime after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = predicate()
        seen = await answer if inspect.isawaitable(answer) else answer
        if seen:
            return seen
        if time.monotonic() >= deadline:
            message = f"not within {timeout:g} s: {description}; last seen: {seen!r}"
            raise NotInTime(message)
        await asyncio.sleep(every)
