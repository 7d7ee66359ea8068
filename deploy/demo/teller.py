"""Asks the service for one session, as a person on call does, and tells what is new in it."""

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp

from deploy.demo.failure import DemoFailed
from deploy.demo.program import Program
from deploy.demo.screen import Screen
from deploy.demo.story import Json, Story

_ASK_EVERY: Final = 0.1
_VERDICT_SECONDS: Final = 120.0
"""More than the policy's deadline of 90 s, after which the service itself says that nobody came."""

_SETTLED: Final = frozenset({"verified", "unverified"})


class Teller:
    """`programs` are those without which there is nothing more to tell."""

    def __init__(self, http: aiohttp.ClientSession, url: str, programs: Sequence[Program], screen: Screen) -> None:
        self._http = http
        self._url = url
        self._programs = programs
        self._screen = screen
        self._story = Story()

    async def until_settled(self) -> Json:
        """Tell until the agent is verified, or is known to be missing; the session then. Raises DemoFailed."""
        try:
            async with asyncio.timeout(_VERDICT_SECONDS):
                while True:
                    session = await self._tell()
                    if session is not None and session["state"] in _SETTLED:
                        return session
                    await asyncio.sleep(_ASK_EVERY)
        except TimeoutError as error:
            raise DemoFailed(f"There was no verdict within {_VERDICT_SECONDS:g} s.") from error

    async def go_on(self) -> None:
        """Tell until cancelled. Raises DemoFailed."""
        while True:
            await asyncio.sleep(_ASK_EVERY)
            await self._tell()

    async def _tell(self) -> Json | None:
        for program in self._programs:
            program.check()
        try:
            async with self._http.get(self._url) as answer:
                session: Json | None = await answer.json() if answer.ok else None
        except aiohttp.ClientConnectionError:
            return None  # the service is ending: the next check says how
        if session is not None:
            self._screen.tell(self._story.new_lines(session))
        return session
