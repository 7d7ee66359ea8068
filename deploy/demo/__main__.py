"""`python -m deploy.demo`: see the package."""

import argparse
import asyncio
import signal
import sys

from deploy.demo.failure import DemoFailed
from deploy.demo.screen import Screen
from deploy.demo.show import show

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(port: int, *, once: bool, screen: Screen) -> int:
    """Show the demo until it has ended or was told to; the exit code."""
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    if me is None:
        raise RuntimeError("to be run in a task")
    for number in SIGNALS:
        loop.add_signal_handler(number, me.cancel)  # a second one cuts the stopping short
    try:
        verified = await show(port, once=once, screen=screen)
    except asyncio.CancelledError:
        screen.say("\nStopped. Nothing is left behind.")
        return 1 if once else 0
    except DemoFailed as failed:
        screen.complain(failed)
        return 1
    return 0 if verified else 1


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo", description="A session from its start to its agent, for real."
    )
    parser.add_argument("--port", type=int, default=8080, help="where the service listens (default: %(default)s)")
    parser.add_argument("--once", action="store_true", help="end after the verdict; 1 unless the agent was verified")
    asked = parser.parse_args()
    return asyncio.run(run(asked.port, once=asked.once, screen=Screen()))


if __name__ == "__main__":
    sys.exit(main())
