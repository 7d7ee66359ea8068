"""Which livekit-server the tests and the demo run: the one that is named or installed, else one built here, once.

    python -m deploy.tools.livekit_server --path     print where it is; 1 when there is none
    python -m deploy.tools.livekit_server --build    see to it that there is one; without one, 1 under CI=true

It runs before anything is installed, and so needs the standard library alone.
"""

import argparse
import collections
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TextIO

VERSION: Final = "1.13.5"
MODULE: Final = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"

VARIABLE: Final = "ROLLCALL_LIVEKIT_SERVER"
"""Names a livekit-server to use instead of any other."""

HOW_TO_GET_ONE: Final = (
    f"no livekit-server: install one (https://docs.livekit.io/home/self-hosting/local/), name one in {VARIABLE}, "
    "or install Go 1.26 and run `make setup` again"
)

PROGRESS_PERIOD: Final = 10.0
"""Seconds between two lines about a build, which takes about 95 s on 2 cores."""

LAST_WORDS: Final = 15
"""How many lines of a failed build are shown."""

Say = Callable[[str], None]


class ServerNotBuilt(Exception):
    """Go could not build the server; the message holds its last words."""


def find() -> Path | None:
    """Where the livekit-server to use is: the named one, the one on PATH, or the one that was built here before.

    Raises FileNotFoundError when the named one is not a program: falling back to another would hide the mistake.
    """
    if named := os.environ.get(VARIABLE):
        if program := shutil.which(named):
            return Path(program)
        message = f"{VARIABLE} names {named}, which is no program"
        raise FileNotFoundError(message)
    program = shutil.which("livekit-server") or shutil.which(_built())
    return Path(program) if program else None


def build(go: str, say: Say) -> Path:
    """Build the pinned server with Go from its module registry into the user's cache; return where it is."""
    target = _built()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Built beside its place and then moved, so that an interrupted build leaves no half server to be found.
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        process = subprocess.Popen(  # noqa: S603 - the arguments are ours
            [go, "install", "-v", MODULE],
            env=os.environ | {"GOBIN": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            last_words = _report(process.stderr or (), say)
        if process.returncode:
            raise ServerNotBuilt("\n".join(last_words))
        Path(folder, "server").replace(target)
    return target


def _built() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "rollcall", f"livekit-server-{VERSION}", "livekit-server")


def _report(lines: Iterable[str], say: Say) -> collections.deque[str]:
    """Turn Go's line per package into a line now and then; return the last ones, which say why a build failed."""
    last_words: collections.deque[str] = collections.deque(maxlen=LAST_WORDS)
    started = reported = time.monotonic()
    compiled = 0
    for line in lines:
        last_words.append(line.rstrip())
        compiled += not line.startswith("go: ")
        now = time.monotonic()
        if now - reported >= PROGRESS_PERIOD:
            reported = now
            say(f"{now - started:3.0f} s, {compiled} packages compiled")
    return last_words


def _say_to(stream: TextIO) -> Say:
    return lambda line: print(f"setup: livekit-server: {line}", file=stream, flush=True)


def ensure(say: Say) -> Path | None:
    """Find a server, or build the pinned one; None, and why, when neither can be done."""
    if found := find():
        say(f"{found}")
        return found
    go = shutil.which("go")
    if go is None:
        say(HOW_TO_GET_ONE)
        return None
    kept = _built().parent.parent
    kept.mkdir(parents=True, exist_ok=True)
    with Path(kept, ".livekit-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two that want it at the same time one builds it, and the other waits
        return find() or _built_now(go, say)


def _built_now(go: str, say: Say) -> Path | None:
    say(f"building {VERSION} with {go}, once, into {_built().parent} (about 95 s on 2 cores)")
    try:
        return build(go, say)
    except ServerNotBuilt as error:
        say(f"Go could not build it:\n{error}")
        say(HOW_TO_GET_ONE)
        return None


def main() -> int:
    """Answer `--path` or `--build`; paths go to stdout, everything else to stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy.tools.livekit_server", description="Which livekit-server to run.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--path", action="store_true", help="print where it is")
    what.add_argument("--build", action="store_true", help="build one if there is none")
    asked = parser.parse_args()
    say = _say_to(sys.stderr)
    try:
        if asked.build:
            found = ensure(say)
            return 0 if found or os.environ.get("CI") != "true" else 1
        if found := find():
            print(found)
            return 0
    except FileNotFoundError as error:
        say(str(error))
        return 1
    say(HOW_TO_GET_ONE)
    return 1


if __name__ == "__main__":
    sys.exit(main())
