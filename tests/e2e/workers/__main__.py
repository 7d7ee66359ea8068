"""`python -m tests.e2e.workers mary=light tom=raising`: one process, a worker for each agent name, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from livekit.rtc._ffi_client import FfiClient

from tests.e2e.workers.behaviours import BEHAVIOURS, serve
from tests.e2e.workers.events import record


async def main(wanted: list[str]) -> None:
    # Made by the first job that needs it, the media library is made twice when two jobs begin at once in two threads; the
    # room of the one is then never told that it is connected, and the library ends the whole process 15 s later.
    _ = FfiClient.instance
    pairs = [argument.split("=") for argument in wanted]
    servers = [serve(agent_name, BEHAVIOURS[behaviour]) for agent_name, behaviour in pairs]
    for (agent_name, _), server in zip(pairs, servers, strict=True):
        server.on("worker_registered", lambda *_, name=agent_name: record("registered", agent_name=name))
    asked_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_end.set)
    running = [asyncio.create_task(server.run()) for server in servers]
    await asked_to_end.wait()
    await asyncio.gather(*(server.aclose() for server in servers))
    await asyncio.gather(*running)


# Job processes import this module again, as the main module of their parent.
if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(main(sys.argv[1:]))
