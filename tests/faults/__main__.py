"""`python -m tests.faults`: a soak, and its dated summary for the documentation."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.harness.child import REPOSITORY
from tests.faults.judge import SETTLED_WITHIN
from tests.faults.soak import Tally, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Faults at random, on real processes.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000), help="draws the faults")
    parser.add_argument("--livekit", choices=("memory", "redis"), default="memory", help="where LiveKit has its state")
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="rollcall-soak-"))
    print(
        f"soak: seed {asked.seed}, {asked.minutes:g} min, LiveKit's state in {asked.livekit}; logs in {directory}", flush=True
    )
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # it tells of each server that is down
    tally = Tally()
    outcome = "everything settled"
    try:
        asyncio.run(
            soak(
                directory,
                minutes=asked.minutes,
                seed=asked.seed,
                keeps_rooms=asked.livekit == "redis",
                say=lambda line: print(line, flush=True),
                tally=tally,
            )
        )
    except AssertionError as failure:
        outcome = f"FAILED: {failure}"
    print(summary(tally, seed=asked.seed, livekit=asked.livekit, outcome=outcome))
    return 0 if outcome == "everything settled" else 1


def summary(tally: Tally, *, seed: int, livekit: str, outcome: str) -> str:
    """In Markdown."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    rows = [
        f"| {name} | {count} | {max(tally.settled_after[name]):.1f} s |"
        if tally.settled_after[name]
        else f"| {name} | {count} | |"
        for name, count in sorted(tally.faults.items())
    ]
    busy = f" Then 20 calls for {tally.busy:.0f} s beside a program that takes a core: every call kept its agent."
    return "\n".join(
        (
            f"Soak of {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}, seed {seed}: {outcome}.",
            "",
            f"{tally.seconds / 60:.0f} minutes, 3 replicas, LiveKit's state in {livekit}, {tally.rooms} rooms,"
            f" {tally.faults.total()} faults; two agents were listed in one room for {tally.longest_two:.1f} s at the most"
            f" (dead ones included); promised: settled within {SETTLED_WITHIN:.0f} s.{busy if tally.busy else ''}",
            "",
            "| fault | times | settled after it, at the most |",
            "|---|---|---|",
            *rows,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
