"""`python -m tests.benchmarks [names…]`: run all benchmarks, or some; one table at the end."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from tests.benchmarks import dispatch_latency, driving, footprint, reconcile, silence, time_to_agent, webhooks_stored
from tests.benchmarks.figure import Figure, print_table

BENCHMARKS: Mapping[str, Callable[[Path], Awaitable[Sequence[Figure]]]] = {
    "webhooks": webhooks_stored.measure,
    "dispatch": dispatch_latency.measure,
    "agent": time_to_agent.measure,
    "silence": silence.measure,
    "reconcile": reconcile.measure,
    "footprint": footprint.measure,
    "driving": driving.measure,
}


async def run(names: Sequence[str]) -> None:
    """Run them one after the other: each wants the machine for itself."""
    figures: list[Figure] = []
    for name in names:
        print(f"bench: {name} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
            figures += await BENCHMARKS[name](Path(directory))
    print_table(figures)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Speed, as ratios within one run.")
    parser.add_argument("names", nargs="*", help=f"which to run: {', '.join(BENCHMARKS)} (default: all)")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    asyncio.run(run(asked.names or list(BENCHMARKS)))


if __name__ == "__main__":
    main()
